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
  /** `lacking`: the exchanges that said EHLO without offering it. */
  | { readonly kind: 'needsSmtpUtf8'; readonly lacking: readonly ExchangeHost[] }
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
  /** Told of each stage as it happens, for those who watch; never called after the evidence is there. */
  readonly observe?: (event: ProbeEvent) => void;
};

/** One stage of a probe as it happens. Holds nothing about other recipients of the same session. */
export type ProbeEvent = {
  readonly at: Date;
  readonly phase: Phase;
  /** One sentence for a person, without the address in it. */
  readonly message: string;
  readonly exchange: ExchangeHost | null;
  readonly reply: Reply | null;
};

/** What one exchange says of itself before anybody is asked about: banner, capabilities, TLS. */
export type Greeting = {
  readonly attempts: readonly ConnectAttempt[];
  /** The address that answered; null when none could be connected to. */
  readonly ip: string | null;
  /** Text of the 220 greeting; null when there was none. */
  readonly banner: string | null;
  /** EHLO keywords with their parameters, as the server wrote them: those said in TLS where TLS was offered. */
  readonly capabilities: readonly string[];
  readonly supportsStartTls: boolean;
  readonly supportsPipelining: boolean;
  readonly supportsSmtpUtf8: boolean;
  /** SIZE (RFC 1870); null when it is not stated or 0. */
  readonly maxMessageBytes: number | null;
  readonly tls: TlsFacts | null;
  /** The refusal that ended it, or the reply to EHLO. */
  readonly reply: Reply | null;
  readonly fault: SessionFault | null;
};

/** Certificates are reported and never required. */
export type TlsFacts = {
  /** `TLSv1.3` */
  readonly version: string;
  /** The cipher suite's IANA name. */
  readonly cipher: string;
  /** Does the chain end at a known root, and is the certificate made out to the exchange's name? */
  readonly isTrusted: boolean;
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly validTo: Date;
    readonly altNames: readonly string[];
  } | null;
};

/** All conversations of this process. Never rejects for anything that a peer did: that is evidence. */
export type Prober = {
  probe(request: ProbeRequest): Promise<ProbeEvidence>;
  /** Is the domain a catch-all? From memory, or by asking a made-up mailbox alone. */
  probeCatchAll(request: CatchAllRequest): Promise<CatchAllFinding>;
  /** Connects to one exchange, says EHLO (again in TLS where it is offered) and QUIT. Asks about nobody. */
  greet(request: {
    readonly host: ExchangeHost;
    /** Epoch milliseconds. */
    readonly deadline: number;
    readonly signal: AbortSignal;
  }): Promise<Greeting>;
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
  /** RCPT TO commands a second that it may send now; null is no limit. */
  readonly probesPerSecond: number | null;
  /** When a lane that was told to stay away, or whose exchanges are dead, is tried again; null when it is not paused. */
  readonly pausedUntil: Date | null;
  /** The last reply that slowed it down or stopped it, without anybody's address. */
  readonly lastReply: Reply | null;
};
