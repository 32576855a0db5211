/**
 * jobs: bulk verification. A list goes in, is cut into chunks of up to 500 rows that keep a domain together, and every
 * row goes through the same `verify` as a single query, so that lanes batch across chunks and jobs. What must wait
 * (greylisted, rate limited) waits in the store and not in memory; results, counters and the chunk's completion are
 * one transaction; progress is read from the store and never sent as a queue of events.
 *
 * Owns the port `JobStore`, which `store` implements. Promises: a row that was accepted is settled exactly once,
 * whatever happens in between; positions have no gap; a job ends, though `verify` throw at every row of it; a store in
 * trouble is asked again for as long as the process lives.
 *
 * Refuses: an empty list, more rows than `maxRows`, one idempotency key for two inputs. A row that is no address is a
 * result and not an error.
 *
 * Limits: chunks at once × rows of a chunk at once bound the verifications under way, and so the memory of a job of
 * any size; a chunk has a deadline, and what it has not settled by then goes back to the queue.
 */

import type { Jobs } from './door.ts';
import { createHub } from './hub.ts';
import type { JobStore } from './ports.ts';
import { progressOf } from './progress.ts';
import { createRateMeter } from './rate.ts';
import { runChunk, type Verify } from './run-chunk.ts';
import { createStarter } from './start.ts';
import type { Job } from './types.ts';
import { createWorker } from './worker.ts';

export { type ChunkPlan, chunkRows, createChunkCutter, planOrdinals } from './chunks.ts';
export type * from './door.ts';
export { printCells, printCsv, printRecords, resultColumns } from './export.ts';
export { type AddressList, readAddressList } from './intake/list.ts';
export type * from './ports.ts';
export type * from './types.ts';

export type JobsOptions = {
  readonly store: JobStore;
  readonly verify: Verify;
  readonly now?: () => Date;
  /** How many chunks at once, and how many rows of each. Default 4 and 128. */
  readonly concurrency?: { readonly chunks: number; readonly rowsPerChunk: number };
  /** After which a job, its addresses and results are erased. */
  readonly retentionMs: number;
  /** Milliseconds before the second, third … try of a row that was told to come back (RCPT_GREYLIST_RETRY). */
  readonly retrySchedule: readonly number[];
  /** Rows one job may have; default 1,000,000. */
  readonly maxRows?: number;
  /** Time of a chunk; default 5 min. */
  readonly chunkDeadlineMs?: number;
  /** Told of bugs and of a store in trouble; the work goes on. Never with an address. */
  readonly onError?: (error: unknown) => void;
};

const defaultConcurrency = { chunks: 4, rowsPerChunk: 128 };
const defaultMaxRows = 1_000_000;
const defaultChunkDeadlineMs = 300_000;
/** A lease outlives its chunk's deadline by this, for the last write. */
const leaseMarginMs = 60_000;
/** How often a job that nobody watches is looked at while it moves, so that its rate is known when somebody asks. */
const observeEveryMs = 1_000;

/** Starts working at once on what the store holds. */
export const createJobs = (options: JobsOptions): Jobs => {
  const { store, verify, now = () => new Date(), onError = () => undefined } = options;
  const { chunks, rowsPerChunk } = options.concurrency ?? defaultConcurrency;
  const deadlineMs = options.chunkDeadlineMs ?? defaultChunkDeadlineMs;
  const meter = createRateMeter();
  let observedAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  /** What ends the runs of a job that was cancelled: its rows under way are of no use to anybody. */
  const runs = new Map<string, Set<AbortController>>();

  const progress = (job: Job) => progressOf(job, meter.observe(job, now()));
  const hub = createHub({
    readJob: (id) => store.readJob(id),
    snapshotOf: (job) => ({ job, progress: progress(job) }),
    onError,
  });
  const observe = async (id: string): Promise<void> => {
    const at = performance.now();
    if (at - observedAt < observeEveryMs) return;
    observedAt = at;
    const job = await store.readJob(id);
    if (job !== null) meter.observe(job, now());
  };

  const worker = createWorker({
    store,
    now,
    chunksAtOnce: chunks,
    leaseMs: deadlineMs + leaseMarginMs,
    run: async (chunk, signals) => {
      const cancelled = new AbortController();
      const others = runs.get(chunk.jobId) ?? new Set();
      runs.set(chunk.jobId, others.add(cancelled));
      hub.wake(chunk.jobId);
      try {
        await runChunk(chunk, {
          ...signals,
          abort: AbortSignal.any([signals.abort, cancelled.signal]),
          store,
          verify,
          now,
          rowsAtOnce: rowsPerChunk,
          deadlineMs,
          retrySchedule: options.retrySchedule,
          onSettled: (jobId) => {
            hub.wake(jobId);
            observe(jobId).catch(onError);
          },
          onError,
        });
      } finally {
        others.delete(cancelled);
        if (others.size === 0) runs.delete(chunk.jobId);
      }
    },
    onError,
  });
  const start = createStarter({
    store,
    now,
    retentionMs: options.retentionMs,
    maxRows: options.maxRows ?? defaultMaxRows,
    onError,
  });

  return {
    async start(input) {
      if (isClosed) throw new Error('no job is started while the process ends');
      const outcome = await start(input);
      if (outcome.kind === 'started') worker.wake();
      return outcome;
    },
    read: (id) => store.readJob(id),
    list: (page) => store.listJobs(page),
    results: (jobId, filter) => store.readResults(jobId, filter),
    countResults: (jobId, statuses) => store.countResults(jobId, statuses),
    breakdown: (jobId, domains) => store.readBreakdown(jobId, domains),
    rows: (jobId, page) => store.readRows(jobId, page),
    progress,
    async cancel(id) {
      const job = await store.cancelJob(id, now());
      if (job?.state === 'CANCELLED') for (const run of runs.get(id) ?? []) run.abort();
      hub.wake(id);
      return job;
    },
    watch: (id, signal) => hub.watch(id, signal),
    async close(graceMs) {
      isClosed = true;
      await worker.close(graceMs);
      hub.close();
    },
  };
};
