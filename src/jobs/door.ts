/** The door of the room: what GraphQL, HTTP and the command line see. */
import type { IntakeFaultCode } from './intake/fault.ts';
import type { Delivery, Storage, Upload } from './ports.ts';
import type {
  Breakdown,
  Job,
  JobPage,
  ListedRow,
  Page,
  Progress,
  ProgressSnapshot,
  ResultFilter,
  ResultPage,
  SettledRow,
} from './types.ts';

/** Where a list comes from. `readContent` may be called more than once, and gives the same octets each time. */
export type ListSource =
  | { readonly kind: 'addresses'; readonly addresses: AsyncIterable<string> | Iterable<string> }
  | {
      readonly kind: 'file';
      readonly fileName: string | null;
      readonly readContent: () => AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'upload'; readonly uploadId: string };

export type StartJob = {
  readonly source: ListSource;
  readonly name: string | null;
  /** The column that holds the addresses: its header, in any case, or its number from 1; null: found. */
  readonly column: string | null;
  /** Remembered verdicts older than this are asked for anew; null: as old as verdicts are kept. */
  readonly maxAgeSeconds: number | null;
  /** Null: RCPT_RETENTION, which is also the most. */
  readonly retentionSeconds: number | null;
  readonly webhook: {
    readonly url: string;
    /** `whsec_` and 24 to 64 octets in Base64 (Standard Webhooks). */
    readonly secret: string;
    readonly tellsProgress: boolean;
  } | null;
  readonly idempotencyKey: string | null;
  /** Who asks: the id of an API key; null where there are none. */
  readonly owner: string | null;
};

export type StartOutcome =
  | { readonly kind: 'started' | 'existing'; readonly job: Job }
  | { readonly kind: 'idempotencyConflict' }
  | { readonly kind: 'emptyList' }
  | { readonly kind: 'tooManyRows'; readonly limit: number }
  /** The file is no list; the message says what is wrong and what to do, and quotes no row. */
  | { readonly kind: 'badFile'; readonly code: IntakeFaultCode; readonly message: string }
  /** There is none (any more), it was used, or it is somebody else's. */
  | { readonly kind: 'noUpload' }
  | { readonly kind: 'uploadIncomplete'; readonly receivedBytes: number }
  | { readonly kind: 'badWebhook'; readonly message: string }
  /** Nothing was written, and waiting may help: a full disk, a database that is down. */
  | { readonly kind: 'storeTrouble' };

export type Jobs = {
  start(input: StartJob): Promise<StartOutcome>;
  read(id: string): Promise<Job | null>;
  list(page: JobPage): Promise<Page<Job>>;
  results(jobId: string, page: ResultPage): Promise<Page<SettledRow>>;
  countResults(jobId: string, filter: ResultFilter): Promise<number>;
  breakdown(jobId: string, domains: number): Promise<Breakdown>;
  /** The caller's list in its own order, settled or not: what an export walks. */
  rows(jobId: string, page: { readonly afterRow: number; readonly limit: number }): Promise<Page<ListedRow>>;
  progress(job: Job): Progress;
  /** Stops asking; what is under way is given back. A job that has ended is given as it is. */
  pause(id: string): Promise<Job | null>;
  resume(id: string): Promise<Job | null>;
  /** What is settled stays. */
  cancel(id: string): Promise<Job | null>;
  /**
   * Erases the job, its addresses and results. When it resolves nobody sees it any more; the octets are overwritten
   * at once after, and after a crash by the next process. False when there was none.
   */
  erase(id: string): Promise<boolean>;
  /**
   * The current snapshot first, then only the newest whenever it changed, the terminal one last. Null when there
   * is no such job. A reader that stops reading costs one snapshot of memory; `return()` ends a pending `next()`.
   */
  watch(id: string, signal: AbortSignal): Promise<AsyncIterableIterator<ProgressSnapshot> | null>;
  /**
   * Results after a position in the order of positions, each exactly once, in batches of up to 500 as they settle; it
   * ends after the last one of an ended job. Read from the store when the reader asks, so that one who stops reading
   * costs nothing. Null when there is no such job.
   */
  watchResults(
    id: string,
    afterPosition: number,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<readonly SettledRow[]> | null>;
  /** What the job's webhook was told, newest first. */
  deliveries(
    jobId: string,
    page: { readonly limit: number; readonly afterId: string | null },
  ): Promise<Page<Delivery>>;
  storage(): Promise<Storage>;
  /** Stops taking chunks, gives the running ones `graceMs`, puts back what they did not settle. */
  close(graceMs: number): Promise<void>;
};

/** Where a piece of a file belongs (RFC 9110 §14.4), in octets; `total` null while the caller does not know it. */
export type UploadPiece = { readonly start: number; readonly total: number | null };

export type CreateUploadOutcome =
  | { readonly kind: 'created'; readonly upload: Upload }
  | { readonly kind: 'tooLarge'; readonly limitBytes: number }
  | { readonly kind: 'storeTrouble' };

export type WriteUploadOutcome =
  /** COMPLETE when `total` is reached. */
  | { readonly kind: 'written'; readonly upload: Upload }
  /** The piece does not begin where the file ends; go on from `receivedBytes`. */
  | { readonly kind: 'misplaced'; readonly upload: Upload }
  /** Nothing is left of it on the disk. */
  | { readonly kind: 'tooLarge'; readonly limitBytes: number }
  /** Somebody else is writing, or it is complete and takes no more. */
  | { readonly kind: 'busy' | 'closed' }
  | { readonly kind: 'noUpload' }
  | { readonly kind: 'storeTrouble' };

export type Uploads = {
  create(input: {
    readonly fileName: string | null;
    readonly sizeBytes: number | null;
    readonly owner: string | null;
  }): Promise<CreateUploadOutcome>;
  /** Whoever's it is; null when there is none (any more). */
  read(id: string): Promise<Upload | null>;
  /**
   * Streams a piece to the disk. A piece at 0 begins anew. `isLast` (no Content-Range, or one that reaches its total)
   * completes it. Rejects with what `octets` rejects with; what came before stays and can be resumed.
   */
  write(
    id: string,
    piece: UploadPiece & { readonly isLast: boolean },
    octets: AsyncIterable<Uint8Array>,
  ): Promise<WriteUploadOutcome>;
  /** Ends the sweep of expired ones. */
  close(): Promise<void>;
};
