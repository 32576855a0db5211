/** What is known of mail providers. Rows, not code: see `providers.ts`. */

/** MAILBOX_PROVIDER serves people or firms; SECURITY_GATEWAY filters in front of somebody else's server. */
export type ProviderKind = 'MAILBOX_PROVIDER' | 'SECURITY_GATEWAY' | 'FORWARDER' | 'HOSTER';

export type Provider = {
  /** Stable, upper case, never reused: `GOOGLE`, `MICROSOFT_365`, `PROOFPOINT` … */
  readonly id: string;
  /** For people: `Google Workspace`. */
  readonly name: string;
  readonly kind: ProviderKind;
  /** True when it accepts every RCPT and refuses later, so that an acceptance tells nothing. */
  readonly acceptsBeforeChecking: boolean;
  /** What a mail engineer should know of it, with the source. */
  readonly note: string;
};
