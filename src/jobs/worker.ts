/**
 * Takes chunks and runs them, some at a time. It wakes when a job starts, when a chunk ends and when the next one is
 * due; one timer, never longer than `longestSleepMs`, covers clocks that jump and chunks that other processes make.
 */
import { pause } from './patience.ts';
import type { JobStore } from './ports.ts';
import type { Chunk } from './types.ts';

export type WorkerOptions = {
  readonly store: Pick<JobStore, 'takeChunk' | 'nextChunkAt' | 'releaseChunks' | 'eraseExpired'>;
  readonly now: () => Date;
  /** Chunks run at once. */
  readonly chunksAtOnce: number;
  readonly leaseMs: number;
  readonly run: (chunk: Chunk, signals: WorkerSignals) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

type WorkerSignals = {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  readonly giveUp: AbortSignal;
};

export type Worker = {
  /** There may be a chunk to take. */
  wake(): void;
  /** Takes no more, lets rows under way end within `graceMs`, and gives the store a last moment. */
  close(graceMs: number): Promise<void>;
};

const longestSleepMs = 5_000;
/** A chunk that is due already but was not to be had: not a reason to spin. */
const shortestSleepMs = 10;
/** How often ended leases are looked for, and jobs past their retention. */
const releaseEveryMs = 30_000;
const eraseEveryMs = 600_000;
/** What the last writes get after the grace. */
const lastWritesMs = 2_000;

export const createWorker = (options: WorkerOptions): Worker => {
  const { store, now, chunksAtOnce, onError } = options;
  const stop = new AbortController();
  const abort = new AbortController();
  const giveUp = new AbortController();
  const signals = { stop: stop.signal, abort: abort.signal, giveUp: giveUp.signal };
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let filling: Promise<void> | null = null;
  let isWanted = false;
  let releasedAt = performance.now();
  let erasedAt = Number.NEGATIVE_INFINITY;
  let erasing: Promise<void> | null = null;

  const start = (chunk: Chunk): void => {
    const run = options.run(chunk, signals).catch(onError);
    running.add(run);
    void run.then(() => {
      running.delete(run);
      wake();
    });
  };

  const keepHouse = async (): Promise<void> => {
    const at = performance.now();
    if (at - releasedAt >= releaseEveryMs) {
      releasedAt = at;
      await store.releaseChunks({ leaseEndedBefore: now() });
    }
    if (at - erasedAt >= eraseEveryMs && erasing === null) {
      erasedAt = at;
      // A large job takes seconds to erase: beside the work, not before it.
      erasing = store
        .eraseExpired(now())
        .then(() => undefined, onError)
        .finally(() => {
          erasing = null;
        });
    }
  };

  const takeAll = async (): Promise<void> => {
    while (!stop.signal.aborted && running.size < chunksAtOnce) {
      const at = now();
      const chunk = await store.takeChunk(at, new Date(at.getTime() + options.leaseMs));
      if (chunk === null) return;
      start(chunk);
    }
  };

  const sleepMs = async (): Promise<number> => {
    if (running.size >= chunksAtOnce) return longestSleepMs;
    const next = await store.nextChunkAt();
    if (next === null) return longestSleepMs;
    return Math.min(Math.max(next.getTime() - now().getTime(), shortestSleepMs), longestSleepMs);
  };

  const fill = async (): Promise<void> => {
    let delayMs = longestSleepMs;
    try {
      do {
        isWanted = false;
        await takeAll();
      } while (isWanted && !stop.signal.aborted);
      await keepHouse();
      delayMs = await sleepMs();
    } catch (error) {
      onError(error);
    }
    filling = null;
    if (stop.signal.aborted) return;
    if (isWanted) wake();
    else timer = setTimeout(wake, delayMs);
  };

  const wake = (): void => {
    if (stop.signal.aborted) return;
    isWanted = true;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    filling ??= fill();
  };
  wake();

  return {
    wake,
    async close(graceMs) {
      stop.abort();
      if (timer !== null) clearTimeout(timer);
      await filling;
      const ended = new AbortController();
      const all = Promise.all(running).then(() => ended.abort());
      await pause(graceMs, ended.signal);
      abort.abort();
      await pause(lastWritesMs, ended.signal);
      giveUp.abort();
      await all;
      await erasing;
    },
  };
};
