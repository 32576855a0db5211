import type { DomainName, EmailAddress, NormalizedAddress, ParsedAddress } from '../address/index.ts';
import type { Provider } from '../catalog/index.ts';
import type { MailHosts } from '../dns/index.ts';
import type { CatchAllFinding, Priority } from '../smtp/index.ts';
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
  /** Refuse a remembered verdict older than this; 0 always asks. Default: as long as the verdict lives. */
  readonly maxAgeSeconds?: number;
  /** Milliseconds for the whole verification; default RCPT_TIMEOUT_MS. */
  readonly budgetMs?: number;
  readonly signal: AbortSignal;
};

export type Verifier = {
  /** Never rejects for anything about the address or its servers. Concurrent askers of one address share one probe. */
  verify(address: ParsedAddress, options: VerifyOptions): Promise<Verification>;
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
