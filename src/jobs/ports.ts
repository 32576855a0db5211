/** What jobs need to survive, as ports that `store` implements; `test/store/` holds every implementation to the same suites. */
import type {
  Breakdown,
  Chunk,
  ChunkOutcome,
  CreateOutcome,
  IntakeRow,
  Job,
  JobCounters,
  JobPage,
  JobState,
  ListedRow,
  NewJob,
  Page,
  ResultFilter,
  ResultPage,
  SettledRow,
} from './types.ts';

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
  /** Newest first; an unknown `afterId`, or one that is not the owner's, gives an empty page. */
  listJobs(page: JobPage): Promise<Page<Job>>;
  /**
   * The next chunk that may start at `now`, lowest ordinal first, under a lease until `leaseUntil`. Not of the jobs
   * (by id) in `exceptJobs`. Where several processes share the store its own clock decides, and `now` tells it how far
   * this process' clock is from it.
   */
  takeChunk(now: Date, leaseUntil: Date, exceptJobs?: readonly string[]): Promise<Chunk | null>;
  /** Gives back a chunk that was not begun: this take of it does not count as an attempt. */
  returnChunk(chunk: Chunk): Promise<void>;
  /**
   * Writes results while the chunk is still worked on, so that progress moves: duplicates settle with their
   * originals, waiting rows move to new chunks that start at their time, and with its last row the chunk and with
   * the job's last row the job is complete. `refused` when the lease is no longer held: then nothing was written.
   */
  settleRows(chunk: Chunk, outcome: ChunkOutcome, now: Date): Promise<'settled' | 'refused'>;
  /**
   * The same and the end of the lease: rows of the chunk that were never named go back to the queue, and its `crashes`
   * are forgotten.
   */
  settleChunk(chunk: Chunk, outcome: ChunkOutcome, now: Date): Promise<'settled' | 'refused'>;
  /**
   * Says that these are worked on still, so that a holder that died is known before its lease ends. Gives those whose
   * lease is no longer held.
   */
  keepChunks(chunks: readonly Chunk[], now: Date): Promise<readonly Chunk[]>;
  /** Chunks whose lease ended before `now` go back to the queue; each counts one more of its `crashes`. Gives how many. */
  releaseChunks(now: Date): Promise<number>;
  /** When the earliest chunk may start, taken ones left out; null when none waits. */
  nextChunkAt(): Promise<Date | null>;
  readResults(jobId: string, page: ResultPage): Promise<Page<SettledRow>>;
  countResults(jobId: string, filter: ResultFilter): Promise<number>;
  /** The caller's list in its own order, settled or not: what an export walks. `afterRow` 0 starts at the first. */
  readRows(
    jobId: string,
    page: { readonly afterRow: number; readonly limit: number },
  ): Promise<Page<ListedRow>>;
  readBreakdown(jobId: string, domains: number): Promise<Breakdown>;
  /**
   * None of its chunks is taken any more; those under way may still settle, and go back paused. A job that is paused
   * or has ended stays as it is.
   */
  pauseJob(id: string, now: Date): Promise<Job | null>;
  /** Its chunks may be taken again, each at its time. A job that is not paused stays as it is. */
  resumeJob(id: string, now: Date): Promise<Job | null>;
  /** Drops what is not settled; an ended job stays as it ended. */
  cancelJob(id: string, now: Date): Promise<Job | null>;
  /** When it resolves nobody sees the job any more, not even after a crash; the next `eraseExpired` erases it. */
  hideJob(id: string): Promise<boolean>;
  /** Hidden jobs and those past their retention, with all that belongs to them, overwritten. Gives how many. */
  eraseExpired(now: Date): Promise<number>;
  readStorage(): Promise<Storage>;
};

/** `changed`: it began, was paused, resumed, cancelled or erased, and there may be work; `moved`: rows settled. */
export type JobNews = { readonly kind: 'changed' | 'moved'; readonly jobId: string };

/**
 * What processes that share a store tell each other. It only wakes: what is told may be late, doubled or lost, and who
 * is woken reads the store. Nobody waits for it.
 */
export type JobWire = {
  /** Told to all others, `moved` at most some times a second a job. Never throws. */
  tell(news: JobNews): void;
  /** @param hear null: something may have been missed. Gives what ends it. */
  listen(hear: (news: JobNews | null) => void): () => void;
};

/** What the store takes on its disk, in octets. */
export type Storage = {
  /** Tables, indexes, log. */
  readonly databaseBytes: number;
  /** Files of uploads that no job was made of yet. */
  readonly uploadBytes: number;
  /** Left on the disk; null when it cannot be told. */
  readonly freeBytes: number | null;
};

/** OPEN while octets are missing, COMPLETE when a job can be made of it, USED when one was and the file is erased. */
export type UploadState = 'OPEN' | 'COMPLETE' | 'USED';

export type Upload = {
  /** A UUID, version 4; also the name of its file. */
  readonly id: string;
  /** Who made it, and alone may use it: the id of an API key; null where there are none. */
  readonly owner: string | null;
  /** As the caller named the file, without any path; a hint at its format. */
  readonly fileName: string | null;
  readonly state: UploadState;
  /** In all; null while the caller has not said. */
  readonly sizeBytes: number | null;
  readonly receivedBytes: number;
  readonly createdAt: Date;
  /** When it is erased, used or not. */
  readonly expiresAt: Date;
  /** Of its octets in hexadecimal, so that a request can be told to be a repetition when they are gone; null until USED. */
  readonly sha256: string | null;
};

export type NewUpload = Pick<Upload, 'id' | 'owner' | 'fileName' | 'sizeBytes' | 'createdAt' | 'expiresAt'>;

/**
 * Files that wait to become jobs: what is known of them in the database, their octets beside it. Methods reject with
 * StoreTrouble like JobStore's.
 */
export type UploadStore = {
  createUpload(upload: NewUpload): Promise<Upload>;
  /** `receivedBytes` is what the disk has, whatever was said before a crash. */
  readUpload(id: string): Promise<Upload | null>;
  /**
   * Appends octets at `start`, which must be what is there already (else 'misplaced'; nothing was written). What came
   * before the source failed stays, so that it can be resumed. One writer at a time: a second one is 'busy'.
   */
  appendToUpload(
    id: string,
    start: number,
    octets: AsyncIterable<Uint8Array>,
  ): Promise<'appended' | 'misplaced' | 'busy' | 'gone'>;
  /** Cuts it back to nothing, so that it can be begun again. */
  truncateUpload(id: string): Promise<void>;
  /** No more octets come. */
  completeUpload(id: string): Promise<Upload | null>;
  /** The octets from the first; each call opens the file anew. Rejects when the file is gone. */
  openUpload(id: string): AsyncIterable<Uint8Array>;
  /** The file is erased; what is known of it stays until it expires. */
  useUpload(id: string, sha256: string | null): Promise<void>;
  /** Those past their time and files that nothing is known of. Gives how many. */
  eraseExpiredUploads(now: Date): Promise<number>;
};

export type WebhookEvent = 'bulk_job.progressed' | 'bulk_job.completed' | 'bulk_job.cancelled';

export type DeliveryAttempt = {
  readonly at: Date;
  readonly durationMs: number;
  /** HTTP status; null when there was no response. */
  readonly status: number | null;
  /** One sentence when it failed; never what the receiver wrote. */
  readonly error: string | null;
};

/** One event that a webhook is told of, and how that went. */
export type Delivery = {
  /** `msg_` and a UUID: the same at each attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly jobId: string;
  readonly event: WebhookEvent;
  readonly state: 'PENDING' | 'DELIVERED' | 'FAILED';
  readonly createdAt: Date;
  /** Null when there is none. */
  readonly nextAttemptAt: Date | null;
  /** Oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
};

/** What a sender takes, under a lease. `counters` and `jobState` are of the moment of the event. */
export type DueDelivery = Delivery & {
  readonly url: string;
  readonly secret: string;
  readonly jobName: string | null;
  readonly jobState: JobState;
  readonly counters: JobCounters;
};

/**
 * The deliveries themselves come to be in JobStore: in the transaction that ends the job, cancels it, or settles
 * another tenth of its rows. That transaction also ends, as FAILED, a progress event of the job that waits for another
 * attempt: what it tells is stale, and it would hold up what is told now.
 */
export type WebhookStore = {
  /**
   * The one that is due for longest; not given again before `leaseUntil`, or a restart of the only process. Of each
   * job only the oldest pending one is ever due, so that a receiver is told in order and one at a time, and a receiver
   * that is down holds up nobody else.
   */
  takeDelivery(now: Date, leaseUntil: Date): Promise<DueDelivery | null>;
  /** Notes an attempt and ends the lease. One that is no longer pending, or whose job is gone, is left alone. */
  noteAttempt(
    id: string,
    attempt: DeliveryAttempt,
    outcome: 'DELIVERED' | 'FAILED' | { readonly retryAt: Date },
  ): Promise<void>;
  /** When the next one may be taken, those under a lease left out; null when none waits. */
  nextDeliveryAt(): Promise<Date | null>;
  /** Of one job, newest first; an unknown `afterId` gives an empty page. */
  listDeliveries(
    jobId: string,
    page: { readonly limit: number; readonly afterId: string | null },
  ): Promise<Page<Delivery>>;
};
