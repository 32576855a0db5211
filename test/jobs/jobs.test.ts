import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobStore, Jobs, JobsOptions } from '../../src/jobs/index.ts';
import { openSqliteStore, type SqliteStore, StoreError } from '../../src/store/index.ts';
import type { Reason } from '../../src/verdict/index.ts';
import { fakeVerify, openJobs, passUntil, readJob, startJob, untilEnded, after as wait } from './fakes.ts';
import { firstJobs, inlineList, noFilter } from './inputs.ts';
import { addresses } from './verdicts.ts';

const minute = 60_000;
const exists = (): Reason => 'MAILBOX_EXISTS';
const started = new Date('2026-03-01T12:00:00.000Z');

describe('jobs', () => {
  let store: SqliteStore;
  let open: Jobs[];
  beforeEach(() => {
    // The store yields by setImmediate, which stays real; all that waits for time waits for the test.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: started });
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
  const openWith = (over: Partial<JobsOptions> & Pick<JobsOptions, 'verify'>, on: JobStore = store.jobs) => {
    const opened = openJobs(on, over);
    open.push(opened.jobs);
    return opened;
  };
  const reasonsOf = async (jobs: Jobs, id: string): Promise<readonly (readonly [string, Reason])[]> =>
    (await jobs.results(id, { ...noFilter, afterPosition: 0, limit: 10_000 })).items
      .toSorted((a, b) => a.row - b.row)
      .map(({ address, reason }) => [address, reason]);

  describe('a list', () => {
    it('is verified row by row, each mailbox once, and what is no address is a result', async () => {
      const { verify, asks } = fakeVerify((text) =>
        text.startsWith('no') ? 'MAILBOX_NOT_FOUND' : 'MAILBOX_EXISTS',
      );
      const { jobs, errors } = openWith({ verify });
      const job = await startJob(jobs, [
        'J.Doe@gmail.com',
        'no@x.example',
        'not an address',
        'jdoe+news@gmail.com',
        '',
      ]);
      expect(job).toMatchObject({
        state: 'QUEUED',
        expiresAt: new Date(started.getTime() + 30 * 86_400_000),
      });
      await untilEnded(jobs, job.id);
      expect(await reasonsOf(jobs, job.id)).toEqual([
        ['J.Doe@gmail.com', 'MAILBOX_EXISTS'],
        ['no@x.example', 'MAILBOX_NOT_FOUND'],
        ['not an address', 'INVALID_SYNTAX'],
        ['jdoe+news@gmail.com', 'MAILBOX_EXISTS'],
        ['', 'INVALID_SYNTAX'],
      ]);
      expect(asks.map(({ text }) => text).sort()).toEqual([
        '',
        'J.Doe@gmail.com',
        'no@x.example',
        'not an address',
      ]);
      for (const { options } of asks) expect(options).toMatchObject({ priority: 'bulk' });
      expect((await readJob(jobs, job.id)).counters).toEqual({
        total: 5,
        settled: 5,
        waiting: 0,
        deliverable: 2,
        undeliverable: 3,
        risky: 0,
        unknown: 0,
        duplicates: 1,
      });
      expect(errors).toEqual([]);
    });

    it('is worked on by no more verifications at once than was said', async () => {
      const fake = fakeVerify(() => wait(20).then(exists));
      const { jobs } = openWith({ verify: fake.verify, concurrency: { chunks: 2, rowsPerChunk: 7 } });
      const job = await startJob(jobs, addresses(1_300));
      await untilEnded(jobs, job.id);
      expect(fake.mostUnderWay).toBe(14);
      expect(fake.asks).toHaveLength(1_300);
    });

    it('moves while a chunk is worked on', async () => {
      const { verify } = fakeVerify(() => wait(100).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 10 } });
      const job = await startJob(jobs, addresses(400));
      const seen = new Set<number>();
      await passUntil(async () => {
        const { counters, endedAt } = await readJob(jobs, job.id);
        seen.add(counters.settled);
        return endedAt !== null;
      });
      expect(seen.size).toBeGreaterThan(8);
    });

    it('does not make a small one wait', async () => {
      const { verify } = fakeVerify(() => wait(100).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 50 } });
      const huge = await startJob(jobs, addresses(3_000));
      await vi.advanceTimersByTimeAsync(500);
      const small = await startJob(jobs, ['a@x.example']);
      await untilEnded(jobs, small.id);
      expect((await readJob(jobs, huge.id)).counters.settled).toBeLessThan(1_500);
    });
  });

  describe('starting', () => {
    it('refuses an empty list and one that is too long, and leaves nothing of it', async () => {
      const { jobs } = openWith({ verify: fakeVerify(exists).verify, maxRows: 700 });
      expect(await jobs.start(inlineList([]))).toEqual({ kind: 'emptyList' });
      let closed = false;
      async function* endless() {
        try {
          while (true) yield 'a@x.example';
        } finally {
          closed = true;
        }
      }
      expect(await jobs.start(inlineList(endless()))).toEqual({
        kind: 'tooManyRows',
        limit: 700,
      });
      expect(closed).toBe(true);
      expect(await jobs.list(firstJobs)).toEqual({ items: [], hasNextPage: false });
      expect((await jobs.start(inlineList(addresses(700)))).kind).toBe('started');
    });

    it('says so when the store cannot take the list now, and reports why', async () => {
      const full = new StoreError('DISK_FULL', 'the disk is full');
      const { jobs, errors } = openWith(
        { verify: fakeVerify(exists).verify },
        { ...store.jobs, createJob: () => Promise.reject(full) },
      );
      expect(await jobs.start(inlineList(addresses(3)))).toEqual({ kind: 'storeTrouble' });
      expect(errors).toContain(full);
      const damaged = openWith(
        { verify: fakeVerify(exists).verify },
        {
          ...store.jobs,
          createJob: () => Promise.reject(new StoreError('DAMAGED', 'waiting does not help')),
        },
      );
      await expect(damaged.jobs.start(inlineList(addresses(3)))).rejects.toThrow(StoreError);
    });

    it('passes on what the source throws, and leaves nothing of it', async () => {
      const { jobs } = openWith({ verify: fakeVerify(exists).verify });
      async function* broken() {
        yield* addresses(600);
        throw new RangeError('line 601');
      }
      await expect(jobs.start(inlineList(broken()))).rejects.toThrow(RangeError);
      expect((await jobs.list(firstJobs)).items).toEqual([]);
    });

    it('gives the same job for the same key and input, also at once, and refuses another input', async () => {
      const { jobs } = openWith({ verify: fakeVerify(exists).verify });
      const keyed = inlineList(addresses(600), { idempotencyKey: 'k' });
      const both = await Promise.all([jobs.start(keyed), jobs.start(keyed)]);
      expect(both.map(({ kind }) => kind).sort()).toEqual(['existing', 'started']);
      expect((await jobs.list(firstJobs)).items).toHaveLength(1);
      expect((await jobs.start({ ...keyed, idempotencyKey: 'k2' })).kind).toBe('started');
      // The keys of one caller say nothing of another's.
      expect((await jobs.start({ ...keyed, owner: 'somebody else' })).kind).toBe('started');
    });

    it('keeps of a row what an address could be, and nothing that cannot be kept', async () => {
      const { verify, asks } = fakeVerify(exists);
      const { jobs } = openWith({ verify });
      const job = await startJob(jobs, [
        `${'x'.repeat(10_000_000)}@x.example`,
        'a\ud800@x.example',
        'nul\0@x.example',
        '\u202Ea@x.example',
      ]);
      await untilEnded(jobs, job.id);
      const { items } = await jobs.rows(job.id, { afterRow: 0, limit: 10 });
      expect(items.map(({ address }) => address.length)).toEqual([512, 12, 14, 12]);
      expect(items[1]?.address).toBe('a\uFFFD@x.example');
      for (const { result } of items) expect(result?.reason).toBe('INVALID_SYNTAX');
      expect(asks).toHaveLength(4);
    });
  });

  describe('rows that must wait', () => {
    it('are asked again by the schedule, fresh, until there is an answer or no try left', async () => {
      const { verify, asks } = fakeVerify((text, asked) => {
        if (text === 'plain@x.example') return 'MAILBOX_EXISTS';
        if (text === 'soon@x.example') return asked === 0 ? 'GREYLISTED' : 'MAILBOX_EXISTS';
        return 'TEMPORARY_FAILURE';
      });
      const { jobs } = openWith({ verify, retrySchedule: [5 * minute, 15 * minute] });
      const job = await startJob(jobs, [
        'plain@x.example',
        'soon@x.example',
        'never@x.example',
        'soon@x.example',
      ]);
      await passUntil(async () => (await readJob(jobs, job.id)).counters.settled === 1);
      expect(await readJob(jobs, job.id)).toMatchObject({ state: 'RUNNING', counters: { waiting: 3 } });
      expect((await readJob(jobs, job.id)).nextRetryAt?.getTime()).toBeCloseTo(
        started.getTime() + 5 * minute,
        -4,
      );
      await untilEnded(jobs, job.id, 60 * minute, 1_000);
      const at = (text: string) =>
        asks
          .filter((ask) => ask.text === text)
          .map((ask) => Math.round((ask.at - started.getTime()) / minute));
      expect(at('plain@x.example')).toEqual([0]);
      expect(at('soon@x.example')).toEqual([0, 5]);
      expect(at('never@x.example')).toEqual([0, 5, 20]);
      expect(asks.map(({ options }) => options.maxAgeSeconds)).toEqual([
        undefined,
        undefined,
        undefined,
        0,
        0,
        0,
      ]);
      expect(await reasonsOf(jobs, job.id)).toEqual([
        ['plain@x.example', 'MAILBOX_EXISTS'],
        ['soon@x.example', 'MAILBOX_EXISTS'],
        ['never@x.example', 'TEMPORARY_FAILURE'],
        ['soon@x.example', 'MAILBOX_EXISTS'],
      ]);
    });

    it('keep nobody else waiting', async () => {
      const { verify } = fakeVerify((text) => (text.startsWith('g') ? 'GREYLISTED' : 'MAILBOX_EXISTS'));
      const { jobs } = openWith({
        verify,
        retrySchedule: [60 * minute],
        concurrency: { chunks: 1, rowsPerChunk: 10 },
      });
      const grey = await startJob(
        jobs,
        addresses(700).map((text) => `g${text}`),
      );
      await passUntil(async () => (await readJob(jobs, grey.id)).counters.waiting === 700);
      const other = await startJob(jobs, addresses(600));
      await untilEnded(jobs, other.id, minute);
      expect((await readJob(jobs, grey.id)).counters).toMatchObject({ waiting: 700, settled: 0 });
    });
  });

  describe('what goes wrong', () => {
    it('in verify: a row is tried three times, then it is INTERNAL, and the job ends', async () => {
      const { verify, asks } = fakeVerify((text, asked) => {
        if (text === 'bug@x.example' || (text === 'accident@x.example' && asked < 2))
          throw new Error('a bug');
        return 'MAILBOX_EXISTS';
      });
      const { jobs, errors } = openWith({ verify });
      const job = await startJob(jobs, ['bug@x.example', 'accident@x.example', 'fine@x.example']);
      await untilEnded(jobs, job.id);
      expect(await reasonsOf(jobs, job.id)).toEqual([
        ['bug@x.example', 'INTERNAL'],
        ['accident@x.example', 'MAILBOX_EXISTS'],
        ['fine@x.example', 'MAILBOX_EXISTS'],
      ]);
      expect(asks).toHaveLength(7);
      expect(errors).toHaveLength(5);
      expect((await readJob(jobs, job.id)).counters).toMatchObject({ unknown: 1, deliverable: 2 });
    });

    it('in time: what hangs past the deadline goes back, the rest is settled', async () => {
      const { verify, asks } = fakeVerify((text, asked) =>
        text.startsWith('hang') && asked === 0 ? new Promise(() => {}) : exists(),
      );
      const { jobs } = openWith({ verify, chunkDeadlineMs: minute });
      const job = await startJob(jobs, ['hang@x.example', ...addresses(5)]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect((await readJob(jobs, job.id)).counters.settled).toBe(5);
      await untilEnded(jobs, job.id, 2 * minute, 1_000);
      const hung = asks.filter(({ text }) => text.startsWith('hang'));
      expect(hung.map(({ at }) => Math.round((at - started.getTime()) / 1_000))).toEqual([0, 60]);
      // It was told to end before the deadline, and its signal has said so at the deadline.
      expect(hung[0]?.options.budgetMs).toBe(58_000);
      expect(hung[0]?.options.signal.aborted).toBe(true);
    });

    it('in budget: a row goes back while it may help, then it settles as it is', async () => {
      const { verify, asks } = fakeVerify((text) =>
        text.startsWith('slow') ? 'OUT_OF_BUDGET' : 'MAILBOX_EXISTS',
      );
      const { jobs } = openWith({ verify });
      const job = await startJob(jobs, ['slow@x.example', 'a@x.example']);
      await untilEnded(jobs, job.id);
      expect(await reasonsOf(jobs, job.id)).toEqual([
        ['slow@x.example', 'OUT_OF_BUDGET'],
        ['a@x.example', 'MAILBOX_EXISTS'],
      ]);
      expect(asks.filter(({ text }) => text.startsWith('slow'))).toHaveLength(4);
    });

    it('in verify, for ever: what never ends is INTERNAL after three deadlines, and nobody behind it is', async () => {
      const { verify, asks } = fakeVerify((text) =>
        text.startsWith('hang') ? new Promise(() => {}) : exists(),
      );
      const { jobs } = openWith({
        verify,
        chunkDeadlineMs: minute,
        concurrency: { chunks: 1, rowsPerChunk: 2 },
      });
      const job = await startJob(jobs, ['hang1@x.example', 'hang2@x.example', ...addresses(5)]);
      await untilEnded(jobs, job.id, 10 * minute, 1_000);
      expect((await reasonsOf(jobs, job.id)).map(([, reason]) => reason)).toEqual([
        'INTERNAL',
        'INTERNAL',
        ...Array(5).fill('MAILBOX_EXISTS'),
      ]);
      expect(asks.filter(({ text }) => text.startsWith('hang'))).toHaveLength(6);
    });

    /** The store, which rejects while `trouble` says so. */
    const troubled = (trouble: (method: keyof JobStore) => Error | null): JobStore =>
      new Proxy(store.jobs, {
        get:
          (target, name: keyof JobStore) =>
          async (...args: readonly unknown[]) => {
            const error = trouble(name);
            if (error !== null) throw error;
            const method = target[name] as (...args: readonly unknown[]) => unknown;
            return method(...args);
          },
      });

    it('in the store: a full disk is waited for, nothing is lost and nothing asked twice', async () => {
      let isFull = false;
      const failing = troubled((method) =>
        isFull && method !== 'readJob' ? new StoreError('DISK_FULL', 'the disk is full') : null,
      );
      const { verify, asks } = fakeVerify(() => wait(30).then(exists));
      const { jobs, errors } = openWith({ verify, concurrency: { chunks: 2, rowsPerChunk: 50 } }, failing);
      const job = await startJob(jobs, addresses(2_000));
      await vi.advanceTimersByTimeAsync(200);
      isFull = true;
      await vi.advanceTimersByTimeAsync(5 * minute);
      const { settled } = (await readJob(jobs, job.id)).counters;
      expect(settled).toBeLessThan(1_000);
      // With back-off: not a storm.
      expect(errors.length).toBeGreaterThan(10);
      expect(errors.length).toBeLessThan(250);
      isFull = false;
      await untilEnded(jobs, job.id);
      expect(asks).toHaveLength(2_000);
      expect((await readJob(jobs, job.id)).counters).toMatchObject({ settled: 2_000, deliverable: 2_000 });
    });

    it('in our own writing: a chunk that cannot be settled is let go, and asked again when its lease has ended', async () => {
      let bugs = 4;
      const failing = troubled((method) => {
        if (!method.startsWith('settle') || bugs === 0) return null;
        bugs -= 1;
        return new Error('a bug');
      });
      const { verify, asks } = fakeVerify(exists);
      const { jobs } = openWith({ verify, chunkDeadlineMs: minute }, failing);
      const job = await startJob(jobs, addresses(10));
      await vi.advanceTimersByTimeAsync(30_000);
      expect((await readJob(jobs, job.id)).counters.settled).toBe(0);
      await untilEnded(jobs, job.id, 5 * minute, 1_000);
      expect(asks).toHaveLength(20);
    });
  });

  describe('ending', () => {
    it('cancels: no more rows are begun, and what comes late changes nothing', async () => {
      const { verify, asks } = fakeVerify(() => wait(300).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 50 } });
      const job = await startJob(jobs, addresses(1_000));
      await vi.advanceTimersByTimeAsync(700);
      const begun = asks.length;
      const cancelled = await jobs.cancel(job.id);
      expect(cancelled).toMatchObject({ state: 'CANCELLED' });
      await vi.advanceTimersByTimeAsync(10 * minute);
      expect(await readJob(jobs, job.id)).toEqual(cancelled);
      expect(asks).toHaveLength(begun);
      expect(asks.at(-1)?.options.signal.aborted).toBe(true);
      expect(await jobs.cancel('00000000-0000-4000-8000-000000000000')).toBeNull();
    });

    it('drains: rows under way end, no others begin, the rest is there for the next process', async () => {
      const { verify, asks } = fakeVerify(() => wait(300).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 20 } });
      const job = await startJob(jobs, addresses(400));
      await vi.advanceTimersByTimeAsync(1_000);
      const begun = asks.length;
      let isClosed = false;
      const closing = jobs.close(5_000).then(() => {
        isClosed = true;
      });
      await passUntil(() => isClosed, 400);
      await closing;
      expect(asks).toHaveLength(begun);
      expect((await readJob(jobs, job.id)).counters.settled).toBe(begun);
      await expect(startJob(jobs, addresses(1))).rejects.toThrow('ends');
      const next = openWith({ verify });
      await untilEnded(next.jobs, job.id);
      expect(asks).toHaveLength(400);
    });

    it('does not wait for what hangs longer than its grace', async () => {
      const { verify, asks } = fakeVerify((text) =>
        text.startsWith('hang') ? new Promise(() => {}) : exists(),
      );
      const { jobs } = openWith({ verify });
      const job = await startJob(jobs, ['hang@x.example', ...addresses(3)]);
      await vi.advanceTimersByTimeAsync(10);
      let isClosed = false;
      void jobs.close(3_000).then(() => {
        isClosed = true;
      });
      await vi.advanceTimersByTimeAsync(2_900);
      expect(isClosed).toBe(false);
      await vi.advanceTimersByTimeAsync(200);
      expect(isClosed).toBe(true);
      expect(asks[0]?.options.signal.aborted).toBe(true);
      expect((await readJob(jobs, job.id)).counters.settled).toBe(3);
      const next = openWith({ verify: fakeVerify(exists).verify });
      await untilEnded(next.jobs, job.id);
    });

    it('gives the store a last moment and no more', async () => {
      const broken: JobStore = {
        ...store.jobs,
        settleRows: () => Promise.reject(new StoreError('DISK_FULL', 'full')),
        settleChunk: () => Promise.reject(new StoreError('DISK_FULL', 'full')),
      };
      const { jobs } = openWith({ verify: fakeVerify(exists).verify }, broken);
      await startJob(jobs, addresses(3));
      await vi.advanceTimersByTimeAsync(1_000);
      let isClosed = false;
      void jobs.close(1_000).then(() => {
        isClosed = true;
      });
      await passUntil(() => isClosed, 4_000);
    });

    it('erases what is past its retention', async () => {
      const { jobs } = openWith({ verify: fakeVerify(exists).verify, retentionMs: 20 * minute });
      const job = await startJob(jobs, addresses(3));
      await untilEnded(jobs, job.id);
      await vi.advanceTimersByTimeAsync(31 * minute);
      await vi.waitFor(async () => expect(await jobs.read(job.id)).toBeNull());
    });
  });

  describe('watching', () => {
    it('tells the current state, then newer ones, the terminal one last', async () => {
      const { verify } = fakeVerify(() => wait(100).then(exists));
      const { jobs } = openWith({ verify, concurrency: { chunks: 1, rowsPerChunk: 20 } });
      const job = await startJob(jobs, addresses(600));
      const snapshots = await jobs.watch(job.id, new AbortController().signal);
      const seen: { settled: number; state: string; perSecond: number; secondsLeft: number | null }[] = [];
      const reading = (async () => {
        for await (const { job: now, progress } of snapshots ?? [])
          seen.push({
            settled: progress.settled,
            state: now.state,
            perSecond: progress.perSecond,
            secondsLeft: progress.secondsLeft,
          });
      })();
      await untilEnded(jobs, job.id);
      await vi.advanceTimersByTimeAsync(200);
      await reading;
      expect(seen[0]).toMatchObject({ settled: 0, secondsLeft: null });
      expect(seen.at(-1)).toEqual({ settled: 600, state: 'COMPLETED', perSecond: 0, secondsLeft: 0 });
      expect(seen.map(({ settled }) => settled)).toEqual(
        seen.map(({ settled }) => settled).toSorted((a, b) => a - b),
      );
      const middle = seen[Math.floor(seen.length / 2)];
      // 20 at once, 100 ms each.
      expect(middle?.perSecond).toBeGreaterThan(120);
      expect(middle?.perSecond).toBeLessThan(280);
      expect(
        await jobs.watch('00000000-0000-4000-8000-000000000000', new AbortController().signal),
      ).toBeNull();
    });
  });
});
