import type { Phase, ProbeEvidence, SessionFault, TranscriptEntry } from '../smtp/index.ts';
import { grantedTo } from './access.ts';
import { builder, openEnum } from './builder.ts';
import { exchangeOf, MailExchangeType } from './mail-exchange.ts';
import { ReplyType } from './reply.ts';

/** Also the stages of a verification that is watched. */
export const phaseValues = {
  RESOLVE: { description: 'Looking up the addresses of the exchanges.' },
  CONNECT: { description: 'Connecting.' },
  GREETING: { description: 'Waiting for the first reply.' },
  EHLO: { description: 'EHLO, or HELO.' },
  STARTTLS: { description: 'STARTTLS.' },
  TLS_HANDSHAKE: { description: 'The TLS handshake.' },
  MAIL_FROM: { description: 'MAIL FROM.' },
  RCPT_TO: { description: 'RCPT TO: the mailbox itself was asked about.' },
} as const satisfies Record<Phase, { description: string }>;

const PhaseType = builder.enumType('SmtpPhase', {
  description: openEnum('Where in a conversation something happened.'),
  values: phaseValues,
});

type MeaningKind = NonNullable<ProbeEvidence['meaning']>['kind'];

type FaultOutcome =
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'CONNECTION_CLOSED'
  | 'PROTOCOL_ERROR'
  | 'TLS_FAILED'
  | 'SMTPUTF8_UNSUPPORTED'
  | 'OUT_OF_BUDGET';

const OutcomeType = builder.enumType('MailboxOutcome', {
  description: openEnum('What the deciding reply meant, or what kept the exchange from giving one.'),
  values: {
    ACCEPTED: { description: 'The recipient was accepted.' },
    MAILBOX_NOT_FOUND: { description: 'No such mailbox.' },
    MAILBOX_DISABLED: { description: 'The mailbox is disabled.' },
    MAILBOX_FULL: { description: 'The mailbox is over quota.' },
    MAILBOX_BUSY: { description: 'The mailbox exists but takes nothing right now.' },
    GREYLISTED: { description: 'Told to come back, as everybody new is.' },
    RATE_LIMITED: { description: 'Told that we ask too often.' },
    TOO_MANY_RECIPIENTS: { description: 'Too many recipients in one transaction.' },
    IP_BLOCKED: { description: 'Our address or its reputation was refused.' },
    SENDER_REFUSED: { description: 'Our reverse path was refused.' },
    EHLO_REFUSED: { description: 'Our EHLO name was refused.' },
    TLS_REQUIRED: { description: 'Nothing without TLS.' },
    AUTH_REQUIRED: { description: 'Nothing without logging in.' },
    SMTPUTF8_REQUIRED: { description: 'The address needs SMTPUTF8.' },
    RELAY_REFUSED: { description: 'The exchange does not take mail for this domain.' },
    NO_MAIL_ACCEPTED: { description: 'The host takes no mail at all.' },
    POLICY: { description: 'Refused by a policy that is neither about the mailbox nor about us.' },
    TEMPORARY: { description: 'Another temporary refusal.' },
    SYNTAX_REFUSED: { description: 'The exchange took the command or the address for malformed.' },
    NOT_UNDERSTOOD: { description: 'No rule explains the reply.' },
    UNREACHABLE: { description: 'No exchange could be connected to.' },
    TIMEOUT: { description: 'No answer in time.' },
    CONNECTION_CLOSED: { description: 'The exchange hung up.' },
    PROTOCOL_ERROR: { description: 'What came was not SMTP, or past its limits.' },
    TLS_FAILED: { description: 'The TLS handshake failed.' },
    SMTPUTF8_UNSUPPORTED: { description: 'The address needs SMTPUTF8 and the exchange does not offer it.' },
    OUT_OF_BUDGET: { description: 'The time for this verification ended first.' },
  } satisfies Record<MeaningKind | FaultOutcome, { description: string }>,
});

const faultOutcomes = {
  timeout: 'TIMEOUT',
  closed: 'CONNECTION_CLOSED',
  protocol: 'PROTOCOL_ERROR',
  tls: 'TLS_FAILED',
  needsSmtpUtf8: 'SMTPUTF8_UNSUPPORTED',
  budget: 'OUT_OF_BUDGET',
} as const satisfies Record<SessionFault['kind'], FaultOutcome>;

const outcomeOf = ({ meaning, fault }: ProbeEvidence): MeaningKind | FaultOutcome =>
  meaning?.kind ?? (fault === null ? 'UNREACHABLE' : faultOutcomes[fault.kind]);

const TranscriptDirectionType = builder.enumType('TranscriptDirection', {
  description: openEnum('Who said a line.'),
  values: {
    CLIENT: { description: 'The gateway.' },
    SERVER: { description: 'The exchange.' },
    NOTE: { description: 'Nobody: what happened to the connection.' },
  } satisfies Record<TranscriptEntry['direction'], { description: string }>,
});

const TranscriptEntryType = builder.objectRef<TranscriptEntry>('TranscriptEntry').implement({
  description: 'One line of a conversation as it went over the wire.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When it was said.', resolve: ({ at }) => at }),
    direction: t.field({
      type: TranscriptDirectionType,
      description: 'Who said it.',
      resolve: ({ direction }) => direction,
    }),
    text: t.exposeString('text', { description: 'The line without CRLF; unprintable octets are escaped.' }),
  }),
});

export const MailboxType = builder.objectRef<ProbeEvidence>('Mailbox').implement({
  description: "The receipt: what the recipient's own mail servers said when a delivery was begun.",
  fields: (t) => ({
    outcome: t.field({ type: OutcomeType, description: 'What it came to.', resolve: outcomeOf }),
    phase: t.field({
      type: PhaseType,
      description: 'Where the conversation was decided.',
      resolve: ({ phase }) => phase,
    }),
    isCatchAll: t.boolean({
      nullable: true,
      description: 'Was a made-up mailbox of the domain accepted too? Null when that is not known.',
      resolve: ({ catchAll }) =>
        catchAll === null || catchAll.answer === 'UNKNOWN' ? null : catchAll.answer === 'YES',
    }),
    exchange: t.field({
      type: MailExchangeType,
      nullable: true,
      description: 'The exchange that spoke; null when none did.',
      resolve: ({ exchange }) => (exchange === null ? null : exchangeOf(exchange)),
    }),
    address: t.exposeString('ip', { nullable: true, description: 'The IP address it was reached at.' }),
    reply: t.field({
      type: ReplyType,
      nullable: true,
      description: 'The reply that decided; null when there was none.',
      resolve: ({ reply }) => reply,
    }),
    durationMs: t.int({
      description: 'Milliseconds from the request to the evidence, waiting for a session included.',
      resolve: ({ durationMs }) => Math.round(durationMs),
    }),
    transcript: t.field({
      type: [TranscriptEntryType],
      extensions: grantedTo('verify'),
      description: 'The conversation, line by line.',
      resolve: ({ transcript }) => transcript,
    }),
  }),
});
