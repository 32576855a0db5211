/**
 * Takes chunks and runs them, some at a time. It wakes when a job starts, when a chunk ends and when the next one is
 * due; one timer, never longer than `longestSleepMs`, covers clocks that jump and chunks that other processes make.
 *
 * Nobody starves: when all places are taken, a job of which nothing runs gets one beside them, for a slow lane may hold
 * the others for minutes. A chunk that the process died with before runs alone (see pace.ts): what runs is waited
 * for, and meanwhile nothing is taken.
 */
import { runsAlone } from './pace.ts';
import { pause } from './patience.ts';
import type { JobStore } from './ports.ts';
import { createRounds, longestSleepMs } from './rounds.ts';
import type { ChunkRun } from './run-chunk.ts';
import type { Chunk } from './types.ts';

export type WorkerOptions = {
  readonly store: Pick<
    JobStore,
    'takeChunk' | 'returnChunk' | 'nextChunkAt' | 'keepChunks' | 'releaseChunks' | 'eraseExpired'
  >;
  readonly now: () => Date;
  /** Chunks run at once; as many again when they are of jobs of which none runs. */
  readonly chunksAtOnce: number;
  readonly leaseMs: number;
  readonly run: (chunk: Chunk, signals: Pick<ChunkRun, 'stop' | 'cut' | 'giveUp'>) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

export type Worker = {
  /** There may be a chunk to take. */
  wake(): void;
  /** Ends what runs of a job; its rows under way are given back. */
  cut(jobId: string): void;
  /** Does something of the job run here? */
  runs(jobId: string): boolean;
  /** Erases what is hidden or past its retention, now and not with the next round. */
  erase(): void;
  /** Takes no more, lets rows under way end within `graceMs`, and gives the store a last moment. */
  close(graceMs: number): Promise<void>;
};

/** A chunk that is due already but was not to be had: not a reason to spin. */
const shortestSleepMs = 10;
/** How often a job of which nothing runs is looked for while all places are taken: it walks the queue of all who run. */
const lookEveryMs = 500;
/** How often a store that others share is told that our chunks are worked on. */
const keepEveryMs = 4_000;
/** How often ended leases are looked for, and jobs past their retention. */
const releaseEveryMs = 10_000;
const eraseEveryMs = 600_000;
/** What the last writes get after the grace. */
const lastWritesMs = 2_000;

type Running = { readonly chunk: Chunk; readonly isAlone: boolean; readonly cut: AbortController };

export const createWorker = (options: WorkerOptions): Worker => {
  const { store, now, chunksAtOnce, onError } = options;
  const stop = new AbortController();
  const giveUp = new AbortController();
  const running = new Map<Running, Promise<void>>();
  /** A chunk was found that may not run beside others. */
  let isAloneWanted = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let releasedAt = performance.now();
  let erasedAt = Number.NEGATIVE_INFINITY;
  let erasing: Promise<void> | null = null;
  let isEraseWanted = false;
  // Leases are of this process alone, those of its predecessors ended when the store was opened. So they are told
  // in monotonic time: a clock that jumps ends none of what runs.
  const openedAt = now().getTime() - performance.now();
  const leaseTime = (inMs = 0): Date => new Date(openedAt + performance.now() + inMs);

  const start = (chunk: Chunk): void => {
    const place = { chunk, isAlone: runsAlone(chunk), cut: new AbortController() };
    const run = options
      .run(chunk, { stop: stop.signal, cut: place.cut, giveUp: giveUp.signal })
      .catch(onError)
      .then(() => {
        running.delete(place);
        rounds.wake();
      });
    running.set(place, run);
  };

  /** Beside the work, not before it: a large job takes seconds to erase. */
  const erase = (): void => {
    if (stop.signal.aborted) return;
    if (erasing !== null) {
      isEraseWanted = true;
      return;
    }
    erasedAt = performance.now();
    isEraseWanted = false;
    erasing = store
      .eraseExpired(now())
      .then(
        () => undefined,
        // A store that is closed meanwhile goes on with it when it is opened again.
        (error) => (stop.signal.aborted ? undefined : onError(error)),
      )
      .finally(() => {
        erasing = null;
        if (isEraseWanted) erase();
      });
  };

  const keepHouse = async (): Promise<void> => {
    const at = performance.now();
    if (at - releasedAt >= releaseEveryMs) {
      releasedAt = at;
      await store.releaseChunks(leaseTime());
    }
    if (at - erasedAt >= eraseEveryMs) erase();
  };

  /** The next chunk that there is a place for. */
  const take = async (): Promise<Chunk | null> => {
    const places = [...running.keys()];
    if (isAloneWanted || places.some(({ isAlone }) => isAlone) || places.length >= 2 * chunksAtOnce)
      return null;
    const isFull = places.length >= chunksAtOnce;
    if (isFull && performance.now() - lookedAt < lookEveryMs) return null;
    if (isFull) lookedAt = performance.now();
    const except = isFull ? [...new Set(places.map(({ chunk }) => chunk.jobId))] : [];
    return store.takeChunk(now(), leaseTime(options.leaseMs), except);
  };

  const takeAll = async (): Promise<void> => {
    if (running.size === 0) isAloneWanted = false;
    while (!stop.signal.aborted) {
      const chunk = await take();
      if (chunk === null) return;
      if (running.size > 0 && runsAlone(chunk)) {
        isAloneWanted = true;
        await store.returnChunk(chunk);
      } else start(chunk);
    }
  };

  const sleepMs = async (): Promise<number> => {
    if (isAloneWanted || chunksAtOnce === 0) return longestSleepMs;
    if (running.size >= chunksAtOnce) return lookEveryMs;
    const next = await store.nextChunkAt();
    if (next === null) return longestSleepMs;
    return Math.min(Math.max(next.getTime() - now().getTime(), shortestSleepMs), longestSleepMs);
  };

  const rounds = createRounds({
    take: takeAll,
    sleepMs: async () => {
      await keepHouse();
      return sleepMs();
    },
    keepsAlive: true,
    onError,
  });
  const cut = (places: Iterable<Running>): void => {
    for (const place of places) place.cut.abort();
  };
  rounds.wake();

  /** Beside the rounds: one of those may wait for a slow store longer than we may be silent. */
  const keep = async (): Promise<void> => {
    const places = [...running.keys()];
    if (places.length === 0) return;
    const lost = await store.keepChunks(
      places.map(({ chunk }) => chunk),
      now(),
    );
    const leases = new Set(lost.map(({ lease }) => lease));
    cut(places.filter(({ chunk }) => leases.has(chunk.lease)));
  };
  const keeping = setInterval(() => void keep().catch(onError), keepEveryMs);
  keeping.unref();

  return {
    wake: () => {
      lookedAt = Number.NEGATIVE_INFINITY;
      rounds.wake();
    },
    cut: (jobId) => cut([...running.keys()].filter(({ chunk }) => chunk.jobId === jobId)),
    runs: (jobId) => [...running.keys()].some(({ chunk }) => chunk.jobId === jobId),
    erase,
    async close(graceMs) {
      stop.abort();
      await rounds.close();
      const ended = new AbortController();
      const all = Promise.all(running.values()).then(() => ended.abort());
      await pause(graceMs, ended.signal);
      cut(running.keys());
      await pause(lastWritesMs, ended.signal);
      giveUp.abort();
      await all;
      clearInterval(keeping);
    },
  };
};
