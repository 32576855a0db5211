/** Results as a stream: a hundred thousand rows against the real store, and the unhappy ends against a small one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, Jobs, JobsOptions, SettledRow } from '../../src/jobs/index.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/index.ts';
import { openJobs, readJob, startJob } from './fakes.ts';
import { createRandom } from './random.ts';
import { addresses, verdictOf } from './verdicts.ts';

const never = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('watching results', () => {
  let store: SqliteStore;
  let jobs: Jobs;
  let errors: unknown[];
  /** Rows that may still be answered; the others wait. */
  let allowed: number;
  let held: (() => void)[];
  const allow = (more: number) => {
    allowed += more;
    while (allowed > 0 && held.length > 0) {
      allowed -= 1;
      held.shift()?.();
    }
  };
  const verify: JobsOptions['verify'] = async (address) => {
    if (allowed > 0) allowed -= 1;
    else await new Promise<void>((resolve) => held.push(resolve));
    await turn();
    return verdictOf(address, 'MAILBOX_EXISTS');
  };
  beforeEach(() => {
    store = openSqliteStore({ path: '' });
    allowed = 0;
    held = [];
    ({ jobs, errors } = openJobs(store.jobs, { verify }));
  });
  afterEach(async () => {
    await jobs.close(0);
    store.close();
    expect(errors).toEqual([]);
  });
  const open = async ({ id }: Job, after = 0, signal = never) => {
    const results = await jobs.watchResults(id, after, signal);
    if (results === null) throw new Error('there is no such job');
    return results;
  };
  const positionsOf = (rows: readonly SettledRow[]) => rows.map(({ position }) => position);
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

  it('twenty reconnects at random moments of 100,000 rows: each position exactly once, in order', async () => {
    const random = createRandom('reconnects at random moments');
    allow(Number.POSITIVE_INFINITY);
    const job = await startJob(jobs, addresses(100_000));
    const seen: number[] = [];
    let connections = 0;
    while (seen.length < 100_000) {
      connections += 1;
      const leave = new AbortController();
      const isLast = connections > 20;
      // Rows after which this reader is gone: by its signal, by leaving the loop, or in the middle of waiting.
      const until = isLast ? Number.POSITIVE_INFINITY : seen.length + 1 + random() * 9_000;
      const how = Math.floor(random() * 3);
      const results = await open(job, seen.at(-1) ?? 0, leave.signal);
      if (!isLast && how === 2) setTimeout(() => void results.return?.(), random() * 60);
      for await (const rows of results) {
        expect(rows.length).toBeLessThanOrEqual(500);
        for (const { position } of rows) seen.push(position);
        if (seen.length < until) continue;
        if (how === 0) break;
        leave.abort();
      }
      if (isLast) break;
    }
    expect(connections).toBe(21);
    expect(seen).toEqual(upTo(100_000));
    expect((await readJob(jobs, job.id)).state).toBe('COMPLETED');
  }, 60_000);

  it('gives what settles as it settles, and ends after the last of it', async () => {
    const job = await startJob(jobs, addresses(250));
    const results = await open(job);
    const first = results.next();
    allow(60);
    expect(positionsOf((await first).value ?? [])).toEqual(upTo(60));
    const second = results.next();
    allow(1_000);
    const rest = [...((await second).value ?? [])];
    for await (const rows of results) rest.push(...rows);
    expect(positionsOf(rest)).toEqual(upTo(250).slice(60));
    expect(await results.next()).toEqual({ value: undefined, done: true });
  });

  it('gives readers who do not wait for their answers each a batch of its own', async () => {
    allow(1_200);
    const job = await startJob(jobs, addresses(1_200));
    const results = await open(job);
    const batches = await Promise.all(Array.from({ length: 40 }, () => results.next()));
    const seen = batches.flatMap(({ value }) => positionsOf(value ?? []));
    expect(seen).toEqual(upTo(seen.length));
    for await (const rows of results) seen.push(...positionsOf(rows));
    expect(seen).toEqual(upTo(1_200));
  });

  it.each<[string, (results: AsyncIterableIterator<unknown>, leave: AbortController, job: Job) => unknown]>([
    ['return', (results) => results.return?.()],
    ['the signal', (_results, leave) => leave.abort()],
    ['the end of the process', () => jobs.close(0)],
    ['erasing the job', (_results, _leave, { id }) => jobs.erase(id)],
  ])('ends a pending next by %s', async (_what, end) => {
    const job = await startJob(jobs, addresses(10));
    const leave = new AbortController();
    const results = await open(job, 0, leave.signal);
    const pending = results.next();
    await turn();
    await end(results, leave, job);
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(await results.next()).toEqual({ value: undefined, done: true });
  });

  it('begins after a position, ends at once behind the last, and keeps what a cancelled job has', async () => {
    const job = await startJob(jobs, addresses(800));
    allow(300);
    while ((await readJob(jobs, job.id)).counters.settled < 300) await turn();
    await jobs.cancel(job.id);
    const read = async (after: number): Promise<number[]> => {
      const seen: number[] = [];
      for await (const rows of await open(job, after)) seen.push(...positionsOf(rows));
      return seen;
    };
    expect(await read(0)).toEqual(upTo(300));
    expect(await read(290)).toEqual(upTo(300).slice(290));
    expect(await read(300)).toEqual([]);
    expect(await read(10_000)).toEqual([]);
    expect(await jobs.watchResults('00000000-0000-4000-8000-000000000000', 0, never)).toBeNull();
  });

  it('ends when the job is erased under the hands of a reader who is behind', async () => {
    allow(2_000);
    const job = await startJob(jobs, addresses(2_000));
    while ((await readJob(jobs, job.id)).endedAt === null) await turn();
    const results = await open(job);
    expect((await results.next()).done).toBe(false);
    await jobs.erase(job.id);
    expect(await results.next()).toEqual({ value: undefined, done: true });
  });

  it('passes on what the store says, and ends', async () => {
    allow(10);
    const job = await startJob(jobs, addresses(10));
    while ((await readJob(jobs, job.id)).endedAt === null) await turn();
    const results = await open(job);
    const { jobs: failing } = openJobs(
      { ...store.jobs, readResults: () => Promise.reject(new RangeError('a bug')) },
      { verify },
    );
    const broken = await failing.watchResults(job.id, 0, never);
    await expect(broken?.next()).rejects.toThrow('a bug');
    expect(await broken?.next()).toEqual({ value: undefined, done: true });
    await failing.close(0);
    expect((await results.next()).value).toHaveLength(10);
  });
});

describe('a hundred watchers of one job, ten of whom never read', () => {
  it('cost no memory, and the others see the newest soon after the store has it', async () => {
    const store = openSqliteStore({ path: '' });
    const { jobs, errors } = openJobs(store.jobs, {
      verify: async (address) => {
        await turn();
        return verdictOf(address, 'MAILBOX_EXISTS');
      },
    });
    const job = await startJob(jobs, addresses(60_000));
    /** When the store first had so many rows settled, as this test has seen it. */
    const states: { readonly settled: number; readonly at: number }[] = [];
    const late: number[] = [];
    const seen: number[][] = [];
    const silent: AsyncIterableIterator<unknown>[] = [];
    const reading: Promise<void>[] = [];
    for (let n = 0; n < 100; n += 1) {
      const snapshots = await jobs.watch(job.id, never);
      if (snapshots === null) throw new Error('there is no such job');
      if (n < 10) {
        silent.push(snapshots);
        continue;
      }
      const mine: number[] = [];
      seen.push(mine);
      reading.push(
        (async () => {
          for await (const { job: now } of snapshots) mine.push(now.counters.settled);
        })(),
      );
    }
    const heap: number[] = [];
    for (let isEnded = false; !isEnded; ) {
      const { counters, endedAt } = await readJob(jobs, job.id);
      const at = performance.now();
      states.push({ settled: counters.settled, at });
      heap.push(process.memoryUsage().heapUsed);
      // What the store had a quarter of a second ago, and a turn for this test's own part of the two processors.
      const then = states.findLast((state) => at - state.at >= 250);
      for (const mine of seen)
        if (then !== undefined && (mine.at(-1) ?? 0) < then.settled) late.push(at - then.at);
      isEnded = endedAt !== null;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(reading);
    for (const mine of seen) {
      expect(mine).toEqual(mine.toSorted((a, b) => a - b));
      expect(mine.at(-1)).toBe(60_000);
    }
    process.stdout.write(
      `watchers: ${states.length} looks × 90 readers, ${late.length} behind the store of 250 ms before; ` +
        `${Math.round(seen.reduce((sum, mine) => sum + mine.length, 0) / seen.length)} snapshots each\n`,
    );
    // Rarely, when the machine is busy with others.
    expect(late.length).toBeLessThan(0.05 * states.length * seen.length);
    // Those who never read hold the newest snapshot, and get it with the end.
    for (const snapshots of silent) {
      expect(await snapshots.next()).toMatchObject({ value: { job: { state: 'COMPLETED' } }, done: false });
      expect(await snapshots.next()).toMatchObject({ done: true });
    }
    const early = heap.slice(0, Math.ceil(heap.length / 2));
    expect(Math.max(...heap) - Math.max(...early)).toBeLessThan(64e6);
    await jobs.close(0);
    store.close();
    expect(errors).toEqual([]);
  }, 60_000);
});
