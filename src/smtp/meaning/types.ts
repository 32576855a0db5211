import type { Reply } from '../protocol/types.ts';

/** Where in a conversation something happened. */
export type Phase =
  | 'RESOLVE'
  | 'CONNECT'
  | 'GREETING'
  | 'EHLO'
  | 'STARTTLS'
  | 'TLS_HANDSHAKE'
  | 'MAIL_FROM'
  | 'RCPT_TO';

/** What a reply says, about whom. One closed set: verdicts are drawn from these and never from text. */
export type MeaningKind =
  | 'ACCEPTED'
  | 'MAILBOX_NOT_FOUND'
  | 'MAILBOX_DISABLED'
  | 'MAILBOX_FULL'
  | 'MAILBOX_BUSY'
  | 'GREYLISTED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_RECIPIENTS'
  | 'IP_BLOCKED'
  | 'SENDER_REFUSED'
  | 'EHLO_REFUSED'
  | 'TLS_REQUIRED'
  | 'AUTH_REQUIRED'
  | 'SMTPUTF8_REQUIRED'
  | 'RELAY_REFUSED'
  | 'NO_MAIL_ACCEPTED'
  | 'POLICY'
  | 'TEMPORARY'
  | 'SYNTAX_REFUSED'
  | 'NOT_UNDERSTOOD';

export type Meaning = {
  readonly kind: MeaningKind;
  /** The id of the rule that decided; every rule is a row with a real example. */
  readonly rule: string;
  /** Seconds that the server asked us to wait, at most a day; null when it stated none. */
  readonly retryAfterSeconds: number | null;
};

/** The mailbox that a reply to RCPT TO is about, as it was sent. */
export type Recipient = { readonly localPart: string; readonly domain: string };

/** Everything that the meaning of a reply depends on. */
export type ReplyContext = {
  readonly phase: Phase;
  readonly reply: Reply;
  /** Null before RCPT TO. Servers echo it, so its words are taken out of the text before any pattern is tried. */
  readonly recipient: Recipient | null;
  /** Provider id of the catalog; null when unknown. A hint: no reply depends on it alone to be understood. */
  readonly providerId: string | null;
};
