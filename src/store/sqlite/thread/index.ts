/**
 * The SQLite store in a thread of its own, behind the same ports. SQLite is synchronous: beside it a list's
 * verifications had half of a core, and the other core of the machine nothing to do. Files of uploads stay on this
 * side, where their octets come and go; a list is read on this side and written on the other.
 *
 * Promises what the store does (see `store/index.ts`). A call resolves when the thread has committed it, so what was
 * returned survives kill -9. Calls of one caller happen in the order in which they were made.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Chunk, JobStore, UploadStore, WebhookStore } from '../../../jobs/index.ts';
import type { VerificationMemory } from '../../../verify/index.ts';
import { lockDataDir } from '../data-dir.ts';
import { readListedRows } from '../list.ts';
import { createFileUploads } from '../uploads.ts';
import { openThread } from './caller.ts';
import { createRemoteList } from './list.ts';
import { createRemoteVerifications } from './verifications.ts';

export type ThreadedDataDir = {
  readonly jobs: JobStore;
  readonly webhooks: WebhookStore;
  readonly uploads: UploadStore;
  readonly verifications: VerificationMemory;
  /** As SqliteStore's. */
  readonly secret: Uint8Array;
  /** For tests, as SqliteStore's. */
  limitPages(most: number | null): Promise<void>;
  /** Writes what was remembered, closes the file and ends the thread. Later calls fail with CLOSED. Twice is once. */
  close(): Promise<void>;
};

export type ThreadedDataDirOptions = {
  /** For the expiry of verdicts. */
  readonly now?: () => Date;
  /** The thread ended by itself: nothing can be kept any more, every call fails with FAILED. Default: nobody hears it. */
  readonly onEnd?: (error: Error) => void;
};

const jobMethods = {
  findByIdempotencyKey: true,
  readJob: true,
  listJobs: true,
  takeChunk: true,
  returnChunk: true,
  settleRows: true,
  settleChunk: true,
  keepChunks: true,
  releaseChunks: true,
  nextChunkAt: true,
  readResults: true,
  countResults: true,
  readKeptRows: true,
  readBreakdown: true,
  pauseJob: true,
  resumeJob: true,
  cancelJob: true,
  hideJob: true,
  eraseExpired: true,
  readStorage: true,
} as const;

/** The store knows by the lease which they are: 500 rows with each hundred results were half of what crossed. */
const withoutRows = (chunk: Chunk): Chunk => ({ ...chunk, rows: [] });

/** Makes the directory (mode 0700), locks it against a second process and opens the store in it. Rejects with StoreError. */
export const openThreadedDataDir = async (
  dir: string,
  { now = () => new Date(), onEnd = () => undefined }: ThreadedDataDirOptions = {},
): Promise<ThreadedDataDir> => {
  const lock = lockDataDir(dir);
  try {
    const path = join(dir, 'rcpt.sqlite');
    const uploadsDir = join(dir, 'uploads');
    const caller = await openThread({ path, uploadsDir, place: path, onEnd });
    const store = caller.port('store', { limitPages: true, close: true });
    const jobs = caller.port('jobs', jobMethods);
    return {
      jobs: {
        ...jobs,
        returnChunk: (chunk) => jobs.returnChunk(withoutRows(chunk)),
        settleRows: (chunk, outcome, at) => jobs.settleRows(withoutRows(chunk), outcome, at),
        keepChunks: (chunks, at) => jobs.keepChunks(chunks.map(withoutRows), at),
        settleChunk: (chunk, outcome, at) => jobs.settleChunk(withoutRows(chunk), outcome, at),
        readRows: async (jobId, range) => readListedRows(await jobs.readKeptRows(jobId, range)),
        createJob: createRemoteList(caller),
      },
      webhooks: caller.port('webhooks', {
        takeDelivery: true,
        noteAttempt: true,
        nextDeliveryAt: true,
        listDeliveries: true,
      }),
      uploads: createFileUploads(
        caller.port('uploadRows', { insert: true, read: true, complete: true, use: true, expire: true }),
        uploadsDir,
      ),
      verifications: createRemoteVerifications(
        caller.port('verdicts', { recall: true, remember: true }),
        now,
      ),
      secret: caller.secret,
      limitPages: store.limitPages,
      async close() {
        // What was remembered in this turn crosses first.
        await nextTurn();
        await caller.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
};
