import type {
  DomainName,
  EmailAddress,
  ExchangeHost,
  NormalizedAddress,
  ParsedAddress,
} from '../address/index.ts';
import type { Provider } from '../catalog/index.ts';
import type { MailHosts } from '../dns/index.ts';
import type { CatchAllFinding, Greeting, Phase, Priority, ProbeEvent } from '../smtp/index.ts';
import type { AddressFacts, Evidence, Verdict } from '../verdict/index.ts';

/** One address verified once: the verdict, its receipt and how long it may be believed. */
export type Verification = Verdict & {
  readonly evidence: Evidence;
  readonly checkedAt: Date;
  readonly expiresAt: Date;
  /** When asking again may tell more; null when it will not. */
  readonly retryAt: Date | null;
  readonly fromCache: boolean;
};

export type VerifyOptions = {
  readonly priority: Priority;
  /** Who asks: the id of an API key; null or left out where there are none. */
  readonly owner?: string | null;
  /** Which of the owner's clients, where strangers share its key (a web page); null or left out: they are one. */
  readonly client?: string | null;
  /** Refuse a remembered verdict older than this; 0 always asks. Default: as long as the verdict lives. */
  readonly maxAgeSeconds?: number;
  /** Milliseconds for the whole verification; default RCPT_TIMEOUT_MS. */
  readonly budgetMs?: number;
  readonly signal: AbortSignal;
};

export type WatchOptions = {
  /** Refuse a remembered verdict older than this; 0 always asks. Default: as long as the verdict lives. */
  readonly maxAgeSeconds?: number;
  /** Told to come back: ask again on the schedule until there is a final verdict or the schedule ends. */
  readonly waitForRetry: boolean;
  /** As VerifyOptions'. */
  readonly owner?: string | null;
  readonly signal: AbortSignal;
};

/** Where a verification is: the phases of a conversation, and what comes before, between and after them. */
export type WatchStage = 'SYNTAX' | 'MEMORY' | 'DNS' | Phase | 'WAITING' | 'VERDICT';

/** One stage of a verification as it happens. */
export type WatchEvent = {
  readonly at: Date;
  readonly stage: WatchStage;
  /** For a person, without the address in it. */
  readonly message: string;
  readonly exchange: ExchangeHost | null;
  readonly reply: ProbeEvent['reply'];
  /** With WAITING the verdict so far, whose `retryAt` is when we ask again; with VERDICT the final one. */
  readonly verification: Verification | null;
};

/** What is known of our own way out to port 25. */
export type EgressSnapshot = {
  readonly smtp: 'OPEN' | 'BLOCKED' | 'UNKNOWN';
  /** When that was learned last; null when nothing was tried. */
  readonly checkedAt: Date | null;
  /** One sentence for a person. */
  readonly detail: string;
};

export type Verifier = {
  /** Never rejects for anything about the address or its servers. Concurrent askers of one address share one probe. */
  verify(address: ParsedAddress, options: VerifyOptions): Promise<Verification>;
  /**
   * The same, stage by stage. The last event is VERDICT, then it completes; a reader that is slow misses the oldest
   * events, never the last. `return()` and the signal end it at once, and the probe with it unless others share it.
   */
  watch(address: ParsedAddress, options: WatchOptions): AsyncIterableIterator<WatchEvent, undefined>;
  /**
   * What an exchange says of itself: from memory (5 minutes), or by one SMTP session shared by all who ask. Null when
   * our own time or room ended first, which tells nothing of the exchange.
   */
  lookupGreeting(host: ExchangeHost, signal: AbortSignal): Promise<Greeting | null>;
  readEgress(): EgressSnapshot;
  lookupMailHosts(domain: DomainName, signal: AbortSignal): Promise<MailHosts>;
  /** From the domain's own name when that is enough, else from its MX: then it costs DNS. */
  lookupProvider(domain: DomainName, signal: AbortSignal): Promise<Provider | null>;
  lookupCatchAll(domain: DomainName, signal: AbortSignal): Promise<CatchAllFinding | null>;
  /** Without any network: provider from the domain's own name only. */
  readFacts(address: EmailAddress): AddressFacts;
};

/**
 * What must survive a restart, if it can: a port that `store` implements. It keeps the newest verification of each
 * address and forgets it once it has expired.
 */
export type VerificationMemory = {
  recall(address: NormalizedAddress): Promise<Verification | null>;
  remember(address: NormalizedAddress, verification: Verification): Promise<void>;
};
