import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHub, type Hub } from './hub.ts';
import { progressOf } from './progress.ts';
import type { Job, ProgressSnapshot } from './types.ts';

const jobOf = (settled: number, over: Partial<Job> = {}): Job => ({
  id: 'j',
  owner: null,
  name: null,
  state: 'RUNNING',
  createdAt: new Date(0),
  startedAt: new Date(0),
  endedAt: null,
  expiresAt: new Date(1e12),
  counters: {
    total: 100,
    settled,
    waiting: 0,
    deliverable: settled,
    undeliverable: 0,
    risky: 0,
    unknown: 0,
    duplicates: 0,
  },
  nextRetryAt: null,
  list: { format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 },
  maxAgeSeconds: null,
  storedBytes: 0,
  webhook: null,
  ...over,
});
const ended = jobOf(100, { state: 'COMPLETED', endedAt: new Date(1) });
const never = new AbortController().signal;

describe('createHub', () => {
  let job: Job | null;
  let reads: number;
  let trouble: Error | null;
  let errors: unknown[];
  let hub: Hub;
  beforeEach(() => {
    vi.useFakeTimers();
    job = jobOf(0);
    reads = 0;
    trouble = null;
    errors = [];
    hub = createHub({
      readJob: async () => {
        reads += 1;
        if (trouble !== null) throw trouble;
        return job;
      },
      snapshotOf: (read) => ({ job: read, progress: progressOf(read, 0) }),
      onError: (error) => errors.push(error),
    });
  });
  afterEach(() => {
    hub.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const watch = async (signal = never): Promise<AsyncIterableIterator<ProgressSnapshot>> => {
    const iterator = await hub.watch('j', signal);
    if (iterator === null) throw new Error('there is no such job');
    return iterator;
  };
  const settledOf = (next: IteratorResult<ProgressSnapshot>): number | 'done' =>
    next.done ? 'done' : next.value.progress.settled;
  /** What `next` gives now, or `null` while it has nothing. */
  const ask = async (iterator: AsyncIterator<ProgressSnapshot>) => {
    let answer: number | 'done' | null = null;
    void iterator.next().then((next) => {
      answer = settledOf(next);
    });
    await vi.advanceTimersByTimeAsync(0);
    return () => answer;
  };

  it('gives the current snapshot first, then waits', async () => {
    job = jobOf(7);
    const iterator = await watch();
    expect((await ask(iterator))()).toBe(7);
    const second = await ask(iterator);
    expect(second()).toBeNull();
    job = jobOf(8);
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(100);
    expect(second()).toBe(8);
  });

  it('gives a slow reader the newest state and none between', async () => {
    const iterator = await watch();
    for (let settled = 1; settled <= 50; settled += 1) {
      job = jobOf(settled);
      hub.wake('j');
      await vi.advanceTimersByTimeAsync(100);
    }
    expect((await ask(iterator))()).toBe(50);
    expect((await ask(iterator))()).toBeNull();
  });

  it('ends with the terminal snapshot, for those who wait and for those who come later', async () => {
    const slow = await watch();
    const waiting = await watch();
    await waiting.next();
    const last = await ask(waiting);
    job = ended;
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(100);
    expect(last()).toBe(100);
    expect((await ask(waiting))()).toBe('done');
    for (const iterator of [slow, await watch()]) {
      expect((await ask(iterator))()).toBe(100);
      expect((await ask(iterator))()).toBe('done');
    }
  });

  it('sees what nobody woke it for within a second', async () => {
    const iterator = await watch();
    await iterator.next();
    job = jobOf(3);
    const next = await ask(iterator);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(next()).toBe(3);
  });

  it('reads a job once for all its watchers, at most ten times a second, and not at all without any', async () => {
    const watchers = await Promise.all(Array.from({ length: 100 }, () => watch()));
    // Ten of them never read.
    const readers = watchers.slice(10);
    const counts = readers.map(async (iterator) => {
      let count = 0;
      for await (const _snapshot of iterator) count += 1;
      return count;
    });
    reads = 0;
    for (let n = 1; n < 1_000; n += 1) {
      job = jobOf(n);
      hub.wake('j');
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(reads).toBeLessThanOrEqual(10);
    job = ended;
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(100);
    for (const count of await Promise.all(counts)) expect(count).toBeGreaterThan(8);
    // Those who never read hold one snapshot each: the last.
    for (const iterator of watchers.slice(0, 10)) {
      expect((await ask(iterator))()).toBe(100);
      expect((await ask(iterator))()).toBe('done');
    }
    reads = 0;
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reads).toBe(0);
  });

  it('says nothing when nothing changed', async () => {
    const iterator = await watch();
    await iterator.next();
    const next = await ask(iterator);
    for (let n = 0; n < 20; n += 1) {
      hub.wake('j');
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(next()).toBeNull();
  });

  it('ends a pending next by return(), and leaves', async () => {
    const iterator = await watch();
    await iterator.next();
    const pending = await ask(iterator);
    await iterator.return?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(pending()).toBe('done');
    expect((await ask(iterator))()).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends by its signal, also one that was given up before', async () => {
    const controller = new AbortController();
    const iterator = await watch(controller.signal);
    await iterator.next();
    const pending = await ask(iterator);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(pending()).toBe('done');
    expect((await ask(await watch(controller.signal)))()).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('answers several next() at once in their order', async () => {
    const iterator = await watch();
    const answers = [await ask(iterator), await ask(iterator), await ask(iterator)];
    job = jobOf(1);
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(100);
    job = ended;
    hub.wake('j');
    await vi.advanceTimersByTimeAsync(100);
    expect(answers.map((answer) => answer())).toEqual([0, 1, 100]);
  });

  it('ends without a last word when the job was erased, and knows no unknown one', async () => {
    const iterator = await watch();
    await iterator.next();
    const pending = await ask(iterator);
    job = null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pending()).toBe('done');
    expect(await hub.watch('j', never)).toBeNull();
  });

  it('outlives a store that fails', async () => {
    const iterator = await watch();
    await iterator.next();
    const pending = await ask(iterator);
    trouble = new Error('the disk');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(pending()).toBeNull();
    expect(errors.length).toBeGreaterThan(3);
    expect(errors.length).toBeLessThan(8);
    trouble = null;
    job = jobOf(4);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pending()).toBe(4);
  });
});
