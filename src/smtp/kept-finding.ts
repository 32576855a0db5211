import type { CatchAllFinding } from './types.ts';

/**
 * A finding as it is kept, in one object: with its Date, its reply and their arrays it took 240 octets more, and a list
 * of a million rows has 50,000 domains. `text` is null where the reply is no single line; then `reply` is kept whole.
 */
export type KeptFinding = {
  readonly answer: CatchAllFinding['answer'];
  readonly checkedAt: number;
  readonly code: number;
  readonly enhancedCode: string | null;
  readonly text: string | null;
  readonly reply: CatchAllFinding['reply'];
};

export const keepFinding = ({ answer, reply, checkedAt }: CatchAllFinding): KeptFinding => {
  const isOneLine = reply?.lines.length === 1;
  return {
    answer,
    checkedAt: checkedAt.getTime(),
    code: reply?.code ?? 0,
    enhancedCode: reply?.enhancedCode ?? null,
    text: isOneLine ? reply.text : null,
    reply: isOneLine ? null : reply,
  };
};

export const readFinding = ({
  answer,
  checkedAt,
  code,
  enhancedCode,
  text,
  reply,
}: KeptFinding): CatchAllFinding => ({
  answer,
  reply: text === null ? reply : { code, enhancedCode, lines: [text], text },
  checkedAt: new Date(checkedAt),
});
