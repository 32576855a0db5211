/** What became of one question, before the times and the catch-all finding of the asker are added. */
import type { MeaningKind } from './meaning/index.ts';
import type { Reply } from './protocol/index.ts';
import type { ProbeEvidence } from './types.ts';

export type Outcome = Omit<ProbeEvidence, 'catchAll' | 'startedAt' | 'durationMs'>;

/** Meanings that are about us, so that asking again soon, about anybody, is only another knock at a shut door. */
const blocks: ReadonlySet<MeaningKind> = new Set(['IP_BLOCKED', 'EHLO_REFUSED', 'SENDER_REFUSED']);

/** Does the reply say that we are not wanted? */
export const isBlock = ({ meaning }: Pick<Outcome, 'meaning'>): boolean =>
  meaning !== null && blocks.has(meaning.kind);

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * A reply as others may see it: servers like to echo the recipient, who is nobody else's business.
 */
export const redactReply = (
  reply: Reply,
  recipient: { readonly localPart: string; readonly domain: string },
): Reply => {
  const address = new RegExp(escapePattern(`${recipient.localPart}@${recipient.domain}`), 'giu');
  const local = new RegExp(
    `(?<![\\p{L}\\p{N}])${escapePattern(recipient.localPart)}(?![\\p{L}\\p{N}])`,
    'giu',
  );
  const redact = (text: string): string => text.replace(address, '…').replace(local, '…');
  return { ...reply, lines: reply.lines.map(redact), text: redact(reply.text) };
};
