import type { EmailAddress, SyntaxFault } from '../address/index.ts';
import type { Provider } from '../catalog/index.ts';
import type { MailHosts } from '../dns/index.ts';
import type { ProbeEvidence } from '../smtp/index.ts';

/** A fact about delivery and nothing else. */
export type Status = 'DELIVERABLE' | 'RISKY' | 'UNDELIVERABLE' | 'UNKNOWN';

export type Reason =
  | 'MAILBOX_EXISTS'
  | 'INVALID_SYNTAX'
  | 'DOMAIN_NOT_FOUND'
  | 'NO_MAIL_HOST'
  | 'NULL_MX'
  | 'UNROUTABLE_MAIL_HOST'
  | 'MAILBOX_NOT_FOUND'
  | 'MAILBOX_DISABLED'
  | 'SMTPUTF8_UNSUPPORTED'
  | 'CATCH_ALL'
  | 'ACCEPTS_BEFORE_CHECKING'
  | 'MAILBOX_FULL'
  | 'GREYLISTED'
  | 'RATE_LIMITED'
  | 'PROBER_BLOCKED'
  | 'TEMPORARY_FAILURE'
  | 'HOST_UNREACHABLE'
  | 'TIMEOUT'
  | 'TLS_FAILED'
  | 'PROTOCOL_ERROR'
  | 'POLICY_REFUSED'
  | 'DNS_FAILURE'
  | 'EGRESS_BLOCKED'
  | 'HARVEST_LIMITED'
  | 'OUT_OF_BUDGET'
  | 'INTERNAL';

/** What was found at the stage where the verification stopped. The only input of a verdict. */
export type Evidence =
  | { readonly kind: 'syntax'; readonly fault: SyntaxFault }
  | {
      readonly kind: 'dns';
      readonly address: EmailAddress;
      readonly hosts: MailHosts;
      readonly facts: AddressFacts;
    }
  | {
      readonly kind: 'probe';
      readonly address: EmailAddress;
      readonly hosts: MailHosts;
      readonly probe: ProbeEvidence;
      readonly facts: AddressFacts;
    }
  /** Port 25 is closed for us everywhere (found out once). */
  | {
      readonly kind: 'egress';
      readonly address: EmailAddress;
      readonly hosts: MailHosts;
      /** What was tried in vain for this address, when it was found out meanwhile; null when nothing was. */
      readonly probe: ProbeEvidence | null;
      readonly facts: AddressFacts;
    }
  /** Nobody was asked: the asker was told of too many unknown mailboxes of the domain already. */
  | {
      readonly kind: 'harvest';
      readonly address: EmailAddress;
      /** Until the asker may ask about the domain again. */
      readonly retryAfterSeconds: number;
      readonly facts: AddressFacts;
    }
  | { readonly kind: 'budget'; readonly address: EmailAddress; readonly facts: AddressFacts }
  | { readonly kind: 'internal'; readonly address: EmailAddress; readonly facts: AddressFacts };

/** Separate facts that move the score and become signals, but never the status. */
export type AddressFacts = {
  readonly isRole: boolean;
  readonly isFree: boolean;
  readonly isDisposable: boolean;
  readonly provider: Provider | null;
  readonly suggestion: string | null;
};

export type Signal = {
  /** Stable, upper case. */
  readonly code: string;
  readonly effect: 'POSITIVE' | 'NEGATIVE' | 'NEUTRAL';
  readonly message: string;
};

export type Verdict = {
  readonly status: Status;
  readonly reason: Reason;
  /** 0 (mail will bounce) to 100 (mail will arrive). */
  readonly score: number;
  /** One sentence for a person, without the address in it. */
  readonly summary: string;
  readonly signals: readonly Signal[];
  /** Seconds after which asking again may tell more; null when it will not. */
  readonly retryAfterSeconds: number | null;
  /** How long the verdict may be remembered (Postfix verify(8)). */
  readonly lifeSeconds: number;
};
