import type { WatchEvent, WatchStage } from '../verify/index.ts';
import { builder, openEnum } from './builder.ts';
import { renewContext } from './context.ts';
import { readEmail } from './email.ts';
import { asksSmtp } from './field-cost.ts';
import { exchangeOf, MailExchangeType } from './mail-exchange.ts';
import { phaseValues } from './mailbox.ts';
import { ReplyType } from './reply.ts';
import { VerificationType } from './verification.ts';

const StageType = builder.enumType('VerificationStage', {
  description: openEnum('Where a verification is: the phases of a conversation, and what is around them.'),
  values: {
    SYNTAX: { description: 'The text was read as an address.' },
    MEMORY: { description: 'What is remembered was looked through.' },
    DNS: { description: 'The mail hosts of the domain were looked up.' },
    ...phaseValues,
    WAITING: {
      description: 'Told to come back: `verification` is the verdict so far, asked again at its `retryAt`.',
    },
    VERDICT: { description: 'The end: `verification` is the verdict.' },
  } satisfies Record<WatchStage, { description: string }>,
});

const VerificationEventType = builder.objectRef<WatchEvent>('VerificationEvent').implement({
  description: 'One stage of a verification as it happens.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: ({ at }) => at }),
    stage: t.field({ type: StageType, description: 'Where the verification is.', resolve: (e) => e.stage }),
    message: t.exposeString('message', { description: 'What happened, in words for a person.' }),
    exchange: t.field({
      type: MailExchangeType,
      nullable: true,
      description: 'The exchange it happened with; null when there is none, or not yet.',
      resolve: ({ exchange }) => (exchange === null ? null : exchangeOf(exchange)),
    }),
    reply: t.field({
      type: ReplyType,
      nullable: true,
      description: 'What the exchange said; null when it said nothing.',
      resolve: ({ reply }) => reply,
    }),
    verification: t.field({
      type: VerificationType,
      nullable: true,
      description: 'The verdict: final with VERDICT, so far with WAITING, null otherwise.',
      resolve: ({ verification }) => verification,
    }),
  }),
});

builder.subscriptionField('watchVerification', (t) =>
  t.field({
    type: VerificationEventType,
    extensions: asksSmtp,
    description:
      'One address, stage by stage; the last event carries the verdict and the stream completes. A client that reads slowly misses stages, never the last one. A text that is no address has one event. Costs what `verification` costs.',
    args: {
      address: t.arg.string({ required: true, description: 'What somebody typed.' }),
      waitForRetry: t.arg.boolean({
        description:
          'When told to come back (greylisting, rates, trouble that passes): wait and ask again, on the schedule RCPT_GREYLIST_RETRY or later when the exchange says so. Default: false.',
      }),
    },
    subscribe: (_root, { address, waitForRetry }, { services, owner, signal }) =>
      services.verifier.watch(readEmail(address), { waitForRetry: waitForRetry ?? false, owner, signal }),
    resolve: (event, _args, context) => {
      renewContext(context);
      return event;
    },
  }),
);
