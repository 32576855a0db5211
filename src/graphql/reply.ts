import { builder } from './builder.ts';

/** A reply as evidence has it and as a stored row has it. */
export type ReplySource = {
  readonly code: number;
  readonly enhancedCode: string | null;
  readonly text: string;
};

export const ReplyType = builder.objectRef<ReplySource>('Reply').implement({
  description: 'What an exchange said (RFC 5321 §4.2).',
  fields: (t) => ({
    code: t.exposeInt('code', { description: 'Reply code, 200 to 599.' }),
    enhancedCode: t.exposeString('enhancedCode', {
      nullable: true,
      description: 'Enhanced status code such as `5.1.1` (RFC 3463); null when there was none.',
    }),
    text: t.exposeString('text', { description: 'The lines without codes, joined with one space.' }),
  }),
});
