/**
 * jobs: bulk verification. A list goes in, is cut into chunks of up to 500 rows that keep a domain together, and every
 * row goes through the same `verify` as a single query, so that lanes batch across chunks and jobs. What must wait
 * (greylisted, rate limited) waits in the store and not in memory; results, counters and the chunk's completion are
 * one transaction; progress is read from the store and never sent as a queue of events.
 *
 * Owns the ports of ports.ts, which `store` implements. Promises: a row that was accepted is settled exactly once,
 * whatever happens in between; positions have no gap; a job ends, though `verify` throw at every row of it, or end the
 * process at one; a store in trouble is asked again for as long as the process lives; no job waits for the end of another.
 *
 * Refuses: an empty list, more rows than `maxRows`, one idempotency key for two inputs. A row that is no address is a
 * result and not an error.
 *
 * Limits: chunks at once × rows of a chunk at once bound the verifications under way, and so the memory of a job of
 * any size (twice that when jobs would starve otherwise); a chunk has a deadline, and what it has not settled by then
 * goes back to the queue.
 */

import { createSteadyClock } from './clock.ts';
import type { Jobs } from './door.ts';
import { createHub } from './hub.ts';
import type { JobNews, JobStore, JobWire, UploadStore, WebhookStore } from './ports.ts';
import { progressOf } from './progress.ts';
import { createRateMeter } from './rate.ts';
import { createResultsWatch } from './results-watch.ts';
import { runChunk, type Verify } from './run-chunk.ts';
import { createStarter } from './start.ts';
import type { Job } from './types.ts';
import type { Webhooks } from './webhook/index.ts';
import { createWorker } from './worker.ts';

export type * from './door.ts';
export { printResults, type ResultFormat, resultFormats } from './export/index.ts';
export type { IntakeFaultCode } from './intake/fault.ts';
export { cleanFileName } from './intake/file-name.ts';
export type * from './ports.ts';
export type * from './types.ts';
export { createUploads } from './upload/index.ts';
export { type JobsView, type UploadsView, type Viewer, viewJobs, viewUploads } from './view.ts';
export { createWebhooks, type Webhooks, type WebhooksOptions } from './webhook/index.ts';

export type JobsOptions = {
  readonly store: JobStore;
  /** Null: lists come inline or as files alone. */
  readonly uploads: UploadStore | null;
  /** Null: no job tells anybody. */
  readonly webhooks: {
    readonly store: Pick<WebhookStore, 'listDeliveries'>;
    /** Told that there may be something to deliver; closed with the jobs. */
    readonly sender: Webhooks;
  } | null;
  readonly verify: Verify;
  /** Other processes that share the store; null or left out: there are none. */
  readonly wire?: JobWire | null;
  readonly now?: () => Date;
  /** How many chunks at once (0: others do the work), and how many rows of each. Default 4 and 128. */
  readonly concurrency?: { readonly chunks: number; readonly rowsPerChunk: number };
  /** After which a job, its addresses and results are erased; one that asks for less is given less. */
  readonly retentionMs: number;
  /** Milliseconds before the second, third … try of a row that was told to come back (RCPT_GREYLIST_RETRY). */
  readonly retrySchedule: readonly number[];
  /** Rows one job may have (RCPT_MAX_ROWS); default 1,000,000. */
  readonly maxRows?: number;
  /** Octets of a list, unpacked ones too (RCPT_MAX_UPLOAD_BYTES); default 1 GiB. */
  readonly maxUploadBytes?: number;
  /** Time of a chunk; default 5 min. */
  readonly chunkDeadlineMs?: number;
  /** Told of bugs and of a store in trouble; the work goes on. Never with an address. */
  readonly onError?: (error: unknown) => void;
};

const defaultConcurrency = { chunks: 4, rowsPerChunk: 128 };
const defaultMaxRows = 1_000_000;
const defaultMaxUploadBytes = 2 ** 30;
const defaultChunkDeadlineMs = 300_000;
/** A lease outlives its chunk's deadline by this, for the last write. */
const leaseMarginMs = 60_000;
/** How often a job that nobody watches is looked at while it moves, so that its rate is known when somebody asks. */
const observeEveryMs = 1_000;
const mostObserved = 1_000;

/** Starts working at once on what the store holds. */
export const createJobs = (options: JobsOptions): Jobs => {
  const { store, webhooks, verify, wire = null, onError = () => undefined } = options;
  const now = createSteadyClock(options.now ?? (() => new Date()));
  const { chunks, rowsPerChunk } = options.concurrency ?? defaultConcurrency;
  const deadlineMs = options.chunkDeadlineMs ?? defaultChunkDeadlineMs;
  const meter = createRateMeter();
  /** By job that moves. */
  const observedAt = new Map<string, number>();
  const ending = new AbortController();

  const progress = (job: Job) => progressOf(job, meter.observe(job, now()));
  const hub = createHub({
    readJob: (id) => store.readJob(id),
    snapshotOf: (job) => ({ job, progress: progress(job) }),
    onError,
  });
  const observe = async (id: string): Promise<void> => {
    const at = performance.now();
    if (at - (observedAt.get(id) ?? Number.NEGATIVE_INFINITY) < observeEveryMs) return;
    observedAt.set(id, at);
    const job = await store.readJob(id);
    if (job !== null) meter.observe(job, now());
    if (job === null || job.endedAt !== null) observedAt.delete(id);
    // Of jobs that were paused, cancelled or erased something may stay.
    if (observedAt.size > mostObserved) observedAt.clear();
  };
  /** The job may have moved: who watches it, here and elsewhere, and whom it tells look again. */
  const tell = (kind: JobNews['kind'], jobId: string): void => {
    hub.wake(jobId);
    webhooks?.sender.wake();
    wire?.tell({ kind, jobId });
  };

  const worker = createWorker({
    store,
    now,
    chunksAtOnce: chunks,
    leaseMs: deadlineMs + leaseMarginMs,
    run: async (chunk, signals) => {
      hub.wake(chunk.jobId);
      await runChunk(chunk, {
        ...signals,
        store,
        verify,
        now,
        rowsAtOnce: rowsPerChunk,
        deadlineMs,
        retrySchedule: options.retrySchedule,
        onSettled: (jobId) => {
          hub.wake(jobId);
          wire?.tell({ kind: 'moved', jobId });
          observe(jobId).catch(onError);
        },
        onError,
      });
      tell('moved', chunk.jobId);
    },
    onError,
  });
  /** Somebody else paused, cancelled or erased it: what runs of it here is given back. */
  const obey = async (id: string): Promise<void> => {
    if (!worker.runs(id)) return;
    const state = (await store.readJob(id))?.state;
    if (state !== 'QUEUED' && state !== 'RUNNING') worker.cut(id);
  };
  const endListening = wire?.listen((news) => {
    if (news === null) {
      worker.wake();
      hub.wakeAll();
      return;
    }
    hub.wake(news.jobId);
    if (news.kind === 'moved') return;
    worker.wake();
    webhooks?.sender.wake();
    obey(news.jobId).catch(onError);
  });
  const start = createStarter({
    store,
    uploads: options.uploads,
    checkWebhook: (url, secret) =>
      webhooks === null ? 'Webhooks cannot be used here.' : webhooks.sender.check(url, secret),
    now,
    retentionMs: options.retentionMs,
    maxRows: options.maxRows ?? defaultMaxRows,
    maxUploadBytes: options.maxUploadBytes ?? defaultMaxUploadBytes,
    signal: ending.signal,
    onError,
  });

  return {
    async start(input) {
      ending.signal.throwIfAborted();
      const outcome = await start(input);
      if (outcome.kind === 'started') {
        worker.wake();
        tell('changed', outcome.job.id);
      }
      return outcome;
    },
    read: (id) => store.readJob(id),
    list: (page) => store.listJobs(page),
    results: (jobId, page) => store.readResults(jobId, page),
    countResults: (jobId, filter) => store.countResults(jobId, filter),
    breakdown: (jobId, domains) => store.readBreakdown(jobId, domains),
    rows: (jobId, page) => store.readRows(jobId, page),
    progress,
    async pause(id) {
      const job = await store.pauseJob(id, now());
      if (job?.state === 'PAUSED') worker.cut(id);
      tell('changed', id);
      return job;
    },
    async resume(id) {
      const job = await store.resumeJob(id, now());
      worker.wake();
      tell('changed', id);
      return job;
    },
    async cancel(id) {
      const job = await store.cancelJob(id, now());
      if (job?.state === 'CANCELLED') worker.cut(id);
      tell('changed', id);
      return job;
    },
    async erase(id) {
      if (!(await store.hideJob(id))) return false;
      worker.cut(id);
      worker.erase();
      tell('changed', id);
      return true;
    },
    watch: (id, signal) => hub.watch(id, signal),
    watchResults: createResultsWatch({ hub, store }),
    deliveries: async (jobId, page) =>
      webhooks === null ? { items: [], hasNextPage: false } : webhooks.store.listDeliveries(jobId, page),
    storage: () => store.readStorage(),
    async close(graceMs) {
      ending.abort(new Error('no job is started while the process ends'));
      endListening?.();
      await worker.close(graceMs);
      await webhooks?.sender.close();
      hub.close();
    },
  };
};
