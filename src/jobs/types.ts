import type { NormalizedAddress } from '../address/index.ts';
import type { Reason, Status } from '../verdict/index.ts';

/** QUEUED until its first chunk is taken; PAUSED until it is resumed; COMPLETED and CANCELLED are terminal. */
export type JobState = 'QUEUED' | 'RUNNING' | 'PAUSED' | 'COMPLETED' | 'CANCELLED';

/** What a cell of the caller's list holds: text, or from NDJSON any JSON value. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [name: string]: Cell };

/** The caller's list as it came, so that it can go back in the same columns and order. */
export type ListShape = {
  readonly format: 'INLINE' | 'TXT' | 'CSV' | 'NDJSON';
  /** As the caller named the file, without any path; null for an inline list. */
  readonly fileName: string | null;
  /** The caller's columns in order; `address` alone for an inline list and for TXT. */
  readonly columns: readonly string[];
  /** Zero-based index of the column with the addresses. */
  readonly addressColumn: number;
};

/** Whom a job tells of its progress and end. The secret that it signs with is never read back out of the store. */
export type Webhook = {
  readonly url: string;
  /** Also at each tenth of the rows, and not at the end alone. */
  readonly tellsProgress: boolean;
};

/**
 * Rows by what became of them. `settled` counts each row once, duplicates included, and ends equal to `total`; the
 * four statuses add up to it.
 */
export type JobCounters = {
  readonly total: number;
  readonly settled: number;
  /** Asked and told to come back (greylisted, rate limited, temporary), with the duplicates that share their fate. */
  readonly waiting: number;
  readonly deliverable: number;
  readonly undeliverable: number;
  readonly risky: number;
  readonly unknown: number;
  /** Rows that name the same canonical mailbox as an earlier row; they share its verdict. Known from the start. */
  readonly duplicates: number;
};

export type Job = {
  /** A UUID, version 4. */
  readonly id: string;
  /** Who started it: the id of an API key; null where there were none. */
  readonly owner: string | null;
  readonly name: string | null;
  readonly state: JobState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** When the job, its addresses and results are erased (RCPT_RETENTION). */
  readonly expiresAt: Date;
  readonly counters: JobCounters;
  /** When the first waiting row is asked again; null when none waits. */
  readonly nextRetryAt: Date | null;
  readonly list: ListShape;
  /** A remembered verdict older than this is asked for anew; null: as old as verdicts are kept. */
  readonly maxAgeSeconds: number | null;
  /** Octets of text that are kept of it: the list, its other columns, the results; indexes are not counted. */
  readonly storedBytes: number;
  readonly webhook: Webhook | null;
};

/** One row's outcome, as it is kept and streamed. */
export type RowResult = {
  /** One-based number of the row in the caller's list. */
  readonly row: number;
  readonly address: string;
  /** Row number of the first row with the same canonical mailbox; null when this is it. */
  readonly duplicateOf: number | null;
  readonly status: Status;
  readonly reason: Reason;
  readonly score: number;
  /** The catalog's id of the mail provider (`GOOGLE`); null when unknown. What `byProvider` counts. */
  readonly provider: string | null;
  readonly exchange: string | null;
  readonly reply: {
    readonly code: number;
    readonly enhancedCode: string | null;
    readonly text: string;
  } | null;
  readonly checkedAt: Date;
};

/** A settled row; positions of a job are 1, 2, 3 … without a gap, in the order of settling. */
export type SettledRow = RowResult & { readonly position: number };

export type IntakeRow = {
  readonly row: number;
  readonly address: string;
  /** Equal for rows that name one mailbox; null for a row that is no address (it is never a duplicate). */
  readonly canonical: NormalizedAddress | null;
  /** What keeps a domain together in a chunk: its name, or '' for a row that is no address. */
  readonly domain: string;
  /** All cells of the caller's row as they were; null when the address is all there is. */
  readonly cells: readonly Cell[] | null;
};

/** What a worker takes: up to 500 rows of one job, a domain together, under a lease. */
export type Chunk = {
  readonly id: number;
  readonly jobId: string;
  /** Of the job. */
  readonly owner: string | null;
  /** Of the chunk in its job: the queue's priority, so that a small job never waits behind a huge one. */
  readonly ordinal: number;
  /** Changes with each take; a late settler with an old one is refused. */
  readonly lease: string;
  /** How often it was taken since one of its rows last moved, this time included. */
  readonly attempt: number;
  /** How often in a row a lease of it ended without a word: what kills its process counts up. */
  readonly crashes: number;
  /** Workers at other addresses that may ask its rows where these exchanges refuse ours; 0 where there is one process. */
  readonly otherSources: number;
  /** Of the job. */
  readonly maxAgeSeconds: number | null;
  readonly rows: readonly { readonly row: number; readonly address: string; readonly tries: number }[];
};

/** A row that must be asked again, not before `retryAt`. It survives a restart. */
export type WaitingRow = {
  readonly row: number;
  readonly retryAt: Date;
  /**
   * By whom: `here` from the address that asked (a greylist remembers it), while a worker has it; `elsewhere` from
   * another one than all that were refused. Default: by anybody.
   */
  readonly where?: 'here' | 'elsewhere';
};

export type NewJob = {
  readonly id: string;
  readonly owner: string | null;
  readonly name: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly idempotencyKey: string | null;
  /** SHA-256 of the input that the idempotency key stands for. */
  readonly inputHash: string | null;
  /** Asked once the last row was read: the columns of NDJSON are known no sooner. */
  readonly readShape: () => ListShape;
  readonly maxAgeSeconds: number | null;
  readonly webhook: (Webhook & { readonly secret: string }) | null;
};

/** What became of some rows of a chunk. */
export type ChunkOutcome = {
  readonly settled: readonly RowResult[];
  readonly waiting: readonly WaitingRow[];
};

/** `keyTaken`: another job holds the idempotency key; nothing was kept of the list. */
export type CreateOutcome = { readonly kind: 'created'; readonly job: Job } | { readonly kind: 'keyTaken' };

/** One row of the caller's list beside what is known of it; `result` is null while it is not settled. */
export type ListedRow = {
  readonly row: number;
  readonly address: string;
  /** All cells of the caller's row as they were; null when the address is all there is. */
  readonly cells: readonly Cell[] | null;
  readonly result: SettledRow | null;
};

export type Page<Item> = { readonly items: readonly Item[]; readonly hasNextPage: boolean };

/** Which results are meant; null is no condition, an empty list matches nothing. All conditions hold at once. */
export type ResultFilter = {
  readonly statuses: readonly Status[] | null;
  readonly reasons: readonly Reason[] | null;
  /** A part of the address as it was given, ASCII letters in any case. */
  readonly search: string | null;
};

export type ResultPage = ResultFilter & {
  /** 0 starts at the first. */
  readonly afterPosition: number;
  readonly limit: number;
};

export type JobPage = {
  readonly limit: number;
  readonly afterId: string | null;
  /** Only theirs; null: whoever's. */
  readonly owner: string | null;
  /** Null: all of them. */
  readonly states: readonly JobState[] | null;
  /** A part of the name, ASCII letters in any case; null: whatever it is called. */
  readonly search: string | null;
};

export type Breakdown = {
  readonly byReason: readonly { readonly reason: Reason; readonly count: number }[];
  readonly byProvider: readonly {
    readonly provider: string;
    readonly count: number;
    readonly deliverable: number;
  }[];
  readonly byDomain: readonly {
    readonly domain: string;
    readonly count: number;
    readonly deliverable: number;
  }[];
};

export type Progress = JobCounters & {
  /** Rows settled per second over the last ten seconds; 0 when nothing moved. */
  readonly perSecond: number;
  /** 0 when the job has ended; null while there is no rate to tell from, and when only waiting rows are left. */
  readonly secondsLeft: number | null;
  readonly nextRetryAt: Date | null;
};

export type ProgressSnapshot = { readonly job: Job; readonly progress: Progress };
