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
  /** Seconds that the server asked us to wait; null when it stated none. */
  readonly retryAfterSeconds: number | null;
};
