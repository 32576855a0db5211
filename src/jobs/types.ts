import type { NormalizedAddress } from '../address/index.ts';
import type { Reason, Status } from '../verdict/index.ts';

/** QUEUED until its first chunk is taken; COMPLETED and CANCELLED are terminal. */
export type JobState = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'CANCELLED';

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
};

/** What a worker takes: up to 500 rows of one job, a domain together, under a lease. */
export type Chunk = {
  readonly id: number;
  readonly jobId: string;
  /** Of the chunk in its job: the queue's priority, so that a small job never waits behind a huge one. */
  readonly ordinal: number;
  /** Changes with each take; a late settler with an old one is refused. */
  readonly lease: string;
  /** How often it was taken since one of its rows last moved, this time included. A poisonous chunk counts up. */
  readonly attempt: number;
  readonly rows: readonly { readonly row: number; readonly address: string; readonly tries: number }[];
};

/** A row that must be asked again, not before `retryAt`. It survives a restart. */
export type WaitingRow = { readonly row: number; readonly retryAt: Date };

export type NewJob = {
  readonly id: string;
  readonly name: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly idempotencyKey: string | null;
  /** SHA-256 of the input that the idempotency key stands for. */
  readonly inputHash: string | null;
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
  readonly result: SettledRow | null;
};

export type Page<Item> = { readonly items: readonly Item[]; readonly hasNextPage: boolean };

export type ResultFilter = {
  /** 0 starts at the first. */
  readonly afterPosition: number;
  readonly limit: number;
  /** Null: all of them. An empty list matches nothing. */
  readonly statuses: readonly Status[] | null;
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

/** What a store rejects with. `isPassing` is true when waiting may help, as with a full disk; nothing was written. */
export type StoreTrouble = Error & { readonly isPassing: boolean };

/**
 * What jobs need to survive. Every method is one transaction: it happened whole or not at all. `store` implements
 * it; `test/store/contract.ts` holds every implementation to the same suite. Methods reject with StoreTrouble
 * when the store cannot be reached or written; then nothing happened, and asking again is safe.
 */
export type JobStore = {
  /**
   * Takes the whole list in, cut into chunks, before it returns; rows come with ascending numbers. A failure
   * half-way, the source's own included, leaves nothing behind. Until it returns nobody else sees the job.
   */
  createJob(job: NewJob, rows: AsyncIterable<IntakeRow> | Iterable<IntakeRow>): Promise<CreateOutcome>;
  findByIdempotencyKey(key: string): Promise<{ readonly job: Job; readonly inputHash: string } | null>;
  readJob(id: string): Promise<Job | null>;
  /** Newest first; an unknown `afterId` gives an empty page. */
  listJobs(page: { readonly limit: number; readonly afterId: string | null }): Promise<Page<Job>>;
  /** The next chunk that may start at `now`, lowest ordinal first, under a lease until `leaseUntil`. */
  takeChunk(now: Date, leaseUntil: Date): Promise<Chunk | null>;
  /**
   * Writes results while the chunk is still worked on, so that progress moves: duplicates settle with their
   * originals, waiting rows move to new chunks that start at their time, and with its last row the chunk and with
   * the job's last row the job is complete. `refused` when the lease is no longer held: then nothing was written.
   */
  settleRows(chunk: Chunk, outcome: ChunkOutcome, now: Date): Promise<'settled' | 'refused'>;
  /** The same and the end of the lease: rows of the chunk that were never named go back to the queue. */
  settleChunk(chunk: Chunk, outcome: ChunkOutcome, now: Date): Promise<'settled' | 'refused'>;
  /** Chunks whose lease ended, or all of them after a restart of the only process, go back to the queue. */
  releaseChunks(which: { readonly leaseEndedBefore: Date } | 'all'): Promise<number>;
  /** When the earliest chunk may start, taken ones left out; null when none waits. */
  nextChunkAt(): Promise<Date | null>;
  readResults(jobId: string, filter: ResultFilter): Promise<Page<SettledRow>>;
  countResults(jobId: string, statuses: readonly Status[] | null): Promise<number>;
  /** The caller's list in its own order, settled or not: what an export walks. `afterRow` 0 starts at the first. */
  readRows(
    jobId: string,
    page: { readonly afterRow: number; readonly limit: number },
  ): Promise<Page<ListedRow>>;
  readBreakdown(jobId: string, domains: number): Promise<Breakdown>;
  /** Drops what is not settled; an ended job stays as it ended. */
  cancelJob(id: string, now: Date): Promise<Job | null>;
  /** Jobs past their retention, with all that belongs to them. Gives how many. */
  eraseExpired(now: Date): Promise<number>;
};

export type Progress = JobCounters & {
  /** Rows settled per second over the last ten seconds; 0 when nothing moved. */
  readonly perSecond: number;
  /** 0 when the job has ended; null while there is no rate to tell from, and when only waiting rows are left. */
  readonly secondsLeft: number | null;
  readonly nextRetryAt: Date | null;
};

export type ProgressSnapshot = { readonly job: Job; readonly progress: Progress };

export type StartJob = {
  readonly name: string | null;
  readonly addresses: AsyncIterable<string> | Iterable<string>;
  readonly idempotencyKey: string | null;
  readonly inputHash: string | null;
};

export type StartOutcome =
  | { readonly kind: 'started' | 'existing'; readonly job: Job }
  | { readonly kind: 'idempotencyConflict' }
  | { readonly kind: 'emptyList' }
  | { readonly kind: 'tooManyRows'; readonly limit: number }
  /** Nothing was written, and waiting may help: a full disk, a database that is down. */
  | { readonly kind: 'storeTrouble' };

/** The door of the room: what GraphQL and the command line see. */
export type Jobs = {
  start(input: StartJob): Promise<StartOutcome>;
  read(id: string): Promise<Job | null>;
  list(page: { readonly limit: number; readonly afterId: string | null }): Promise<Page<Job>>;
  results(jobId: string, filter: ResultFilter): Promise<Page<SettledRow>>;
  countResults(jobId: string, statuses: readonly Status[] | null): Promise<number>;
  breakdown(jobId: string, domains: number): Promise<Breakdown>;
  /** The caller's list in its own order, settled or not: what an export walks. */
  rows(jobId: string, page: { readonly afterRow: number; readonly limit: number }): Promise<Page<ListedRow>>;
  progress(job: Job): Progress;
  cancel(id: string): Promise<Job | null>;
  /**
   * The current snapshot first, then only the newest whenever it changed, the terminal one last. Null when there
   * is no such job. A reader that stops reading costs one snapshot of memory; `return()` ends a pending `next()`.
   */
  watch(id: string, signal: AbortSignal): Promise<AsyncIterableIterator<ProgressSnapshot> | null>;
  /** Stops taking chunks, gives the running ones `graceMs`, puts back what they did not settle. */
  close(graceMs: number): Promise<void>;
};
