/** What is done to a job while it runs: paused, resumed, cancelled, erased; what it does to others; clocks that jump. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job, Jobs, JobsOptions } from '../../src/jobs/index.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/index.ts';
import type { Reason } from '../../src/verdict/index.ts';
import { fakeVerify, openJobs, passUntil, readJob, startJob, untilEnded, after as wait } from './fakes.ts';
import { firstJobs, noFilter } from './inputs.ts';
import { addresses } from './verdicts.ts';

const minute = 60_000;
const hour = 60 * minute;
const exists = (): Reason => 'MAILBOX_EXISTS';
const never = new AbortController().signal;

describe('a running job', () => {
  let store: SqliteStore;
  let open: Jobs[];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
      now: new Date('2026-03-01T12:00:00.000Z'),
    });
    store = openSqliteStore({ path: '' });
    open = [];
  });
  afterEach(async () => {
    for (const jobs of open) {
      const closing = jobs.close(0);
      await vi.advanceTimersByTimeAsync(10_000);
      await closing;
    }
    store.close();
    vi.useRealTimers();
  });
  const openWith = (over: Partial<JobsOptions> & Pick<JobsOptions, 'verify'>) => {
    const opened = openJobs(store.jobs, over);
    open.push(opened.jobs);
    return opened;
  };
  const settledOf = async (jobs: Jobs, { id }: Job) => (await readJob(jobs, id)).counters.settled;

  describe('that is paused', () => {
    it('keeps what settled, gives back what was under way, asks nobody, and goes on when it is resumed', async () => {
      const { verify, asks } = fakeVerify(() => wait(300).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 2, rowsPerChunk: 50 } });
      const job = await startJob(jobs, addresses(2_000));
      await vi.advanceTimersByTimeAsync(1_000);
      const paused = await jobs.pause(job.id);
      expect(paused).toMatchObject({ state: 'PAUSED' });
      if (paused !== null) expect(jobs.progress(paused)).toMatchObject({ perSecond: 0, secondsLeft: null });
      await vi.advanceTimersByTimeAsync(1);
      expect(asks.at(-1)?.options.signal.aborted).toBe(true);
      const begun = asks.length;
      await vi.advanceTimersByTimeAsync(hour);
      expect(asks).toHaveLength(begun);
      const settled = await settledOf(jobs, job);
      // Three rounds of a hundred ended, the fourth was under way.
      expect(settled).toBe(300);
      expect(await jobs.resume(job.id)).toMatchObject({ state: 'RUNNING' });
      await untilEnded(jobs, job.id);
      expect(asks).toHaveLength(begun + 2_000 - settled);
      expect(await settledOf(jobs, job)).toBe(2_000);
    });

    it('is resumed at once as well, and cancelled, and stays as it was when it has ended', async () => {
      const { verify } = fakeVerify(() => wait(300).then(exists));
      const { jobs } = openWith({ verify });
      const job = await startJob(jobs, addresses(700));
      await vi.advanceTimersByTimeAsync(100);
      for (let n = 0; n < 12; n += 1) {
        await jobs.pause(job.id);
        await jobs.resume(job.id);
      }
      await untilEnded(jobs, job.id);
      expect((await readJob(jobs, job.id)).counters).toMatchObject({ settled: 700, deliverable: 700 });
      expect(await jobs.pause(job.id)).toMatchObject({ state: 'COMPLETED' });
      const other = await startJob(jobs, addresses(700));
      await jobs.pause(other.id);
      expect(await jobs.cancel(other.id)).toMatchObject({ state: 'CANCELLED' });
      expect(await jobs.resume(other.id)).toMatchObject({ state: 'CANCELLED' });
      const nobody = '00000000-0000-4000-8000-000000000000';
      expect([await jobs.pause(nobody), await jobs.resume(nobody)]).toEqual([null, null]);
    });

    it('asks those who waited at their time, or when it is resumed after that', async () => {
      const { verify, asks } = fakeVerify((_text, asked) => (asked === 0 ? 'GREYLISTED' : 'MAILBOX_EXISTS'));
      const { jobs } = openWith({ verify, retrySchedule: [5 * minute] });
      const job = await startJob(jobs, addresses(3));
      await passUntil(async () => (await readJob(jobs, job.id)).counters.waiting === 3);
      await jobs.pause(job.id);
      await vi.advanceTimersByTimeAsync(hour);
      expect(asks).toHaveLength(3);
      await jobs.resume(job.id);
      await untilEnded(jobs, job.id, 10_000);
      expect(asks).toHaveLength(6);
    });
  });

  it('has each row asked for whoever started it', async () => {
    const { verify, asks } = fakeVerify(exists);
    const { jobs } = openWith({ verify });
    for (const owner of ['key-1', null]) {
      const job = await startJob(jobs, addresses(2, `${owner}.example`), { owner });
      expect(job.owner).toBe(owner);
      await untilEnded(jobs, job.id);
    }
    expect(asks.map(({ options }) => options.owner)).toEqual(['key-1', 'key-1', null, null]);
  });

  it('hands its maxAge to each row, and insists on asking where a row waited', async () => {
    const { verify, asks } = fakeVerify((_text, asked) => (asked === 0 ? 'GREYLISTED' : 'MAILBOX_EXISTS'));
    const { jobs } = openWith({ verify, retrySchedule: [5 * minute] });
    const job = await startJob(jobs, ['a@x.example'], { maxAgeSeconds: 3_600 });
    await untilEnded(jobs, job.id, hour, 1_000);
    expect(asks.map(({ options }) => options.maxAgeSeconds)).toEqual([3_600, 0]);
  });

  it('that is erased: nobody sees it, its watchers end, nobody is asked, its rows are gone', async () => {
    const { verify, asks } = fakeVerify(() => wait(300).then(exists));
    const { jobs, errors } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 50 } });
    const job = await startJob(jobs, addresses(3_000));
    const ends: string[] = [];
    const read = async (name: string, items: AsyncIterable<unknown> | null) => {
      for await (const _ of items ?? []);
      ends.push(name);
    };
    void read('progress', await jobs.watch(job.id, never));
    void read('results', await jobs.watchResults(job.id, 0, never));
    await vi.advanceTimersByTimeAsync(1_000);
    const begun = asks.length;
    expect(await jobs.erase(job.id)).toBe(true);
    expect(await jobs.read(job.id)).toBeNull();
    expect((await jobs.list(firstJobs)).items).toEqual([]);
    await passUntil(() => ends.length === 2, 5_000);
    await vi.advanceTimersByTimeAsync(minute);
    expect(asks).toHaveLength(begun);
    expect(await jobs.erase(job.id)).toBe(false);
    expect(await jobs.rows(job.id, { afterRow: 0, limit: 10 })).toEqual({ items: [], hasNextPage: false });
    expect(errors).toEqual([]);
  });

  it('whose lanes hang holds all places, and starves nobody', async () => {
    const { verify } = fakeVerify((text) =>
      text.endsWith('@slow.example') ? wait(4 * minute).then(exists) : exists(),
    );
    const { jobs } = openWith({ verify, concurrency: { chunks: 2, rowsPerChunk: 5 } });
    const slow = await startJob(jobs, addresses(3_000, 'slow.example'));
    await vi.advanceTimersByTimeAsync(1_000);
    for (const domain of ['x.example', 'y.example']) {
      const quick = await startJob(jobs, addresses(1_200, domain));
      await untilEnded(jobs, quick.id, 30_000);
    }
    expect(await settledOf(jobs, slow)).toBe(0);
  });

  it('that began long ago moves while younger ones come and go', async () => {
    const { verify } = fakeVerify(() => wait(50).then(exists));
    const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 50 } });
    const old = await startJob(jobs, addresses(6_000));
    await passUntil(async () => (await settledOf(jobs, old)) >= 2_000);
    const before = await settledOf(jobs, old);
    const young = await startJob(jobs, addresses(3_000, 'y.example'));
    await untilEnded(jobs, young.id);
    expect((await settledOf(jobs, old)) - before).toBeGreaterThan(500);
  });

  describe('when the clock jumps', () => {
    const jumps: readonly { readonly name: string; readonly jumpMs: number }[] = [
      { name: 'forward an hour', jumpMs: hour },
      { name: 'back an hour', jumpMs: -hour },
    ];
    it.each(jumps)(
      '$name: loses no row, asks nobody twice, waits no longer, and no rate is negative',
      async ({ jumpMs }) => {
        let offsetMs = 0;
        const { verify, asks } = fakeVerify((text, asked) =>
          wait(400).then(() => (text.startsWith('u1') && asked === 0 ? 'GREYLISTED' : 'MAILBOX_EXISTS')),
        );
        const { jobs, errors } = openWith({
          verify,
          now: () => new Date(Date.now() + offsetMs),
          retrySchedule: [5 * minute],
          concurrency: { chunks: 2, rowsPerChunk: 20 },
        });
        const job = await startJob(jobs, addresses(1_000));
        const rates: number[] = [];
        const seen: (number | null)[] = [];
        void (async () => {
          for await (const { progress } of (await jobs.watch(job.id, never)) ?? []) {
            rates.push(progress.perSecond);
            seen.push(progress.secondsLeft);
          }
        })();
        await vi.advanceTimersByTimeAsync(3_000);
        const startedAt = Date.now();
        offsetMs = jumpMs;
        // Longer than it takes to look for leases that ended.
        await vi.advanceTimersByTimeAsync(2 * minute);
        await untilEnded(jobs, job.id, 6 * minute, 1_000);
        expect(Date.now() - startedAt).toBeLessThan(6 * minute);
        const grey = addresses(1_000).filter((text) => text.startsWith('u1')).length;
        expect(asks).toHaveLength(1_000 + grey);
        const ended = await readJob(jobs, job.id);
        expect(ended.counters).toMatchObject({ settled: 1_000, deliverable: 1_000, waiting: 0 });
        expect(ended.endedAt?.getTime()).toBeGreaterThanOrEqual(ended.startedAt?.getTime() ?? Infinity);
        const { items } = await jobs.results(job.id, { ...noFilter, afterPosition: 0, limit: 2_000 });
        expect(items.map(({ position }) => position)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
        expect(rates.length).toBeGreaterThan(5);
        for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
        for (const seconds of seen) if (seconds !== null) expect(seconds).toBeGreaterThanOrEqual(0);
        expect(errors).toEqual([]);
      },
    );
  });

  it('wakes the sender of webhooks when it moves and when it ends, and closes it', async () => {
    const calls: string[] = [];
    const { verify } = fakeVerify(exists);
    const { jobs } = openWith({
      verify,
      webhooks: {
        store: store.webhooks,
        sender: {
          check: () => null,
          wake: () => void calls.push('wake'),
          close: async () => void calls.push('close'),
        },
      },
    });
    const webhook = { url: 'https://hook.example/', secret: 'whsec_x', tellsProgress: true };
    const job = await startJob(jobs, addresses(1_200), { webhook });
    await untilEnded(jobs, job.id);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls.length).toBeGreaterThanOrEqual(3);
    const { items } = await jobs.deliveries(job.id, { limit: 50, afterId: null });
    expect(items[0]).toMatchObject({ event: 'bulk_job.completed', state: 'PENDING' });
    const closing = jobs.close(0);
    await vi.advanceTimersByTimeAsync(5_000);
    await closing;
    expect(calls.at(-1)).toBe('close');
  });

  it('tells what it takes on the disk', async () => {
    const { jobs } = openWith({ verify: fakeVerify(exists).verify });
    const job = await startJob(jobs, addresses(1_200));
    expect(job.storedBytes).toBeGreaterThan(1_200 * 10);
    expect((await jobs.storage()).databaseBytes).toBeGreaterThan(0);
  });
});
