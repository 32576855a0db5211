import type { DomainName, EmailAddress, ExchangeHost } from '../address/index.ts';
import type { DnsFailure, MailExchange } from '../dns/index.ts';
import type { Meaning, Phase } from './meaning/types.ts';
import type { Reply } from './protocol/types.ts';

export type { Phase } from './meaning/types.ts';

/** One address of one exchange that we tried, or could not try. In the order of trying. */
export type ConnectAttempt = {
  readonly host: ExchangeHost;
  /** Null when the host has none or its look-up failed. */
  readonly ip: string | null;
  readonly outcome:
    | { readonly kind: 'connected' }
    | { readonly kind: 'noAddress' }
    | { readonly kind: 'unroutable'; readonly range: string }
    | { readonly kind: 'dnsFailure'; readonly failure: DnsFailure }
    | { readonly kind: 'connectFailed'; readonly error: string }
    | { readonly kind: 'connectTimeout' };
};

/** One line of a conversation as it went over the wire, for the receipt. */
export type TranscriptEntry = {
  readonly at: Date;
  readonly direction: 'CLIENT' | 'SERVER' | 'NOTE';
  /** One line without CRLF; unprintable octets escaped; at most 1,000 characters. */
  readonly text: string;
};

/** What stopped a conversation when it was not a reply. */
export type SessionFault =
  | { readonly kind: 'timeout'; readonly phase: Phase }
  | { readonly kind: 'closed'; readonly phase: Phase }
  | { readonly kind: 'protocol'; readonly phase: Phase; readonly detail: string }
  | { readonly kind: 'tls'; readonly phase: Phase; readonly detail: string }
  | { readonly kind: 'needsSmtpUtf8' }
  | { readonly kind: 'budget'; readonly phase: Phase };

/** What a made-up mailbox of the domain was told; asked at most once a domain in 24 h. */
export type CatchAllFinding = {
  readonly answer: 'YES' | 'NO' | 'UNKNOWN';
  readonly reply: Reply | null;
  readonly checkedAt: Date;
};

/** The receipt of one probe: everything that a verdict may be drawn from, and nothing drawn yet. */
export type ProbeEvidence = {
  readonly attempts: readonly ConnectAttempt[];
  /** The exchange that spoke, and the address it was reached at. */
  readonly exchange: ExchangeHost | null;
  readonly ip: string | null;
  /** The phase that the reply or fault belongs to: RCPT_TO when the mailbox itself was asked. */
  readonly phase: Phase;
  /** The reply that decides: to RCPT TO, or the earlier refusal that ended the conversation. */
  readonly reply: Reply | null;
  /** What that reply means; null without a reply. */
  readonly meaning: Meaning | null;
  readonly fault: SessionFault | null;
  readonly catchAll: CatchAllFinding | null;
  readonly startedAt: Date;
  /** From the request to the evidence, waiting for a session included. */
  readonly durationMs: number;
  readonly transcript: readonly TranscriptEntry[];
};

export type Priority = 'interactive' | 'bulk';

export type ProbeRequest = {
  readonly address: EmailAddress;
  /** By preference; domains with the same set share a lane. */
  readonly exchanges: readonly [MailExchange, ...MailExchange[]];
  /** Provider id of the catalog, a hint to the meaning of replies; null when unknown. */
  readonly providerId: string | null;
  readonly priority: Priority;
  /** Epoch milliseconds after which the asker no longer waits. */
  readonly deadline: number;
  readonly signal: AbortSignal;
};

/** All conversations of this process. Never rejects for anything that a peer did: that is evidence. */
export type Prober = {
  probe(request: ProbeRequest): Promise<ProbeEvidence>;
  /** Is the domain a catch-all? From memory, or by asking a made-up mailbox alone. */
  probeCatchAll(request: CatchAllRequest): Promise<CatchAllFinding>;
  /** Counters since start; a test holds operations to them. */
  readonly stats: { readonly sessionsOpened: number; readonly commandsSent: number };
  lanes(): readonly LaneSnapshot[];
  /** QUITs idle sessions, ends the rest; bounded by the signal. */
  close(): Promise<void>;
};

export type CatchAllRequest = Omit<ProbeRequest, 'address'> & { readonly domain: DomainName };

export type LaneSnapshot = {
  readonly exchanges: readonly ExchangeHost[];
  readonly state: 'IDLE' | 'ACTIVE' | 'PAUSED';
  readonly sessions: number;
  readonly queued: number;
};
