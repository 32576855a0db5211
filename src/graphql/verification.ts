import {
  type Reason,
  type ReasonRow,
  reasonTable,
  type Signal,
  type Status,
  statusTable,
} from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';
import { builder, openEnum } from './builder.ts';

/** The words are the verdict's own, so that the schema says what the code decides. */
const describe = <Key extends string, Row>(table: Readonly<Record<Key, Row>>, print: (row: Row) => string) =>
  Object.fromEntries(
    Object.entries<Row>(table).map(([key, row]) => [key, { description: print(row) }]),
  ) as Record<Key, { description: string }>;

export const VerificationStatusType = builder.enumType('VerificationStatus', {
  description: openEnum(
    'A fact about delivery and nothing else: role, free and disposable are separate facts.',
  ),
  values: describe<Status, { readonly description: string }>(statusTable, ({ description }) => description),
});

export const VerificationReasonType = builder.enumType('VerificationReason', {
  description: openEnum('Why the status is what it is.'),
  values: describe<Reason, ReasonRow>(reasonTable, ({ status, description }) => `${status}. ${description}`),
});

const SignalEffectType = builder.enumType('SignalEffect', {
  description: openEnum('Which way a signal moves the score.'),
  values: {
    POSITIVE: { description: 'Speaks for the address.' },
    NEGATIVE: { description: 'Speaks against it.' },
    NEUTRAL: { description: 'Moves nothing, but is worth knowing.' },
  } satisfies Record<Signal['effect'], { description: string }>,
});

const SignalType = builder.objectRef<Signal>('Signal').implement({
  description: 'One fact that speaks for or against an address. Signals never change the status.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable code in upper case; new ones may be added.' }),
    effect: t.field({
      type: SignalEffectType,
      description: 'Which way it moves the score.',
      resolve: ({ effect }) => effect,
    }),
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
  }),
});

export const VerificationType = builder.objectRef<Verification>('Verification').implement({
  description: 'The verdict on one address, and how long it may be believed. Its receipt is `Email.mailbox`.',
  fields: (t) => ({
    status: t.field({
      type: VerificationStatusType,
      description: 'Will mail arrive?',
      resolve: ({ status }) => status,
    }),
    reason: t.field({
      type: VerificationReasonType,
      description: 'Why the status is what it is.',
      resolve: ({ reason }) => reason,
    }),
    score: t.exposeInt('score', { description: '0 (mail will bounce) to 100 (mail will arrive).' }),
    summary: t.exposeString('summary', { description: 'The verdict in one sentence for a person.' }),
    signals: t.field({
      type: [SignalType],
      description: 'Everything that moved the score or is worth knowing.',
      resolve: ({ signals }) => signals,
    }),
    checkedAt: t.field({
      type: 'DateTime',
      description: 'When it was found out.',
      resolve: ({ checkedAt }) => checkedAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Until when it is remembered and given out again.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
    retryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When asking again may tell more; null when it will not.',
      resolve: ({ retryAt }) => retryAt,
    }),
    fromCache: t.exposeBoolean('fromCache', {
      description: 'Was it remembered, so that no mail server was asked for this request?',
    }),
  }),
});
