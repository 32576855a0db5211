/** Several processes' stores on one PostgreSQL, all at the same jobs at the same time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Chunk, Job, WaitingRow } from '../../src/jobs/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/index.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { anyResult, create, manyRows, readAll, readJob, result, rowsOf } from './list.ts';

const fail = (error: unknown): never => {
  throw error;
};
const minute = 60_000;
const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index + 1);

/** The same numbers each time. */
const createRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (state >> 8) % below;
  };
};

describe.skipIf(whyNoPostgres !== null)('a cluster on PostgreSQL', () => {
  let server: PostgresServer;
  let url = '';
  let stores: readonly PostgresStore[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await createStoreDatabase(server);
    const sources = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    stores = await Promise.all(
      sources.map((source) =>
        openPostgresStore({ url, source, connections: 5, leaseMs: minute, onError: fail }),
      ),
    );
  }, 20_000);
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.dropDatabase(url);
  });
  const storeAt = (n: number): PostgresStore => stores[n % stores.length] ?? fail(new Error('no store'));
  const ask = async (sql: string) => (await server.run(url, sql))[0];
  const takeFrom = ({ jobs }: PostgresStore): Promise<Chunk | null> => {
    const now = new Date();
    return jobs.takeChunk(now, new Date(now.getTime() + minute));
  };

  /** Takes and settles in some order until `isOver`; gives how many of its writes were refused. */
  const work = async (n: number, isOver: () => boolean): Promise<number> => {
    const { jobs } = storeAt(n);
    const random = createRandom(n + 1);
    let refused = 0;
    while (!isOver()) {
      const chunk = await takeFrom(storeAt(n));
      if (chunk === null) {
        await sleep(5);
        continue;
      }
      if (random(10) === 0) {
        await jobs.returnChunk(chunk);
        continue;
      }
      let rest = [...chunk.rows];
      for (let isLast = false; !isLast; ) {
        const some = rest.splice(0, 1 + random(150));
        // Sometimes it gives up half-way.
        isLast = rest.length === 0 || random(8) === 0;
        const isWaiting = (row: (typeof some)[number]): boolean => row.tries < 3 && random(12) === 0;
        const waiting: WaitingRow[] = [];
        const settled = some.flatMap((row) => {
          if (!isWaiting(row)) return [result(row)];
          const retryAt = new Date(Date.now() + random(1_200));
          const where = (['here', 'elsewhere', undefined] as const)[random(3)];
          waiting.push({ row: row.row, retryAt, ...(where === undefined ? {} : { where }) });
          return [];
        });
        const method = isLast ? 'settleChunk' : 'settleRows';
        if ((await jobs[method](chunk, { settled, waiting }, new Date())) === 'refused') {
          refused += 1;
          isLast = true;
        }
        rest = isLast ? [] : rest;
      }
    }
    return refused;
  };

  /** Reads on behind its cursor as results come; a gap or a step back fails. */
  const readOn = async (n: number, { id, counters }: Job): Promise<readonly number[]> => {
    const rows: number[] = [];
    while (rows.length < counters.total) {
      const page = { ...anyResult, afterPosition: rows.length, limit: 97 };
      const { items } = await storeAt(n).jobs.readResults(id, page);
      for (const { position, row } of items) {
        if (position !== rows.length + 1) throw new Error(`position ${position} after ${rows.length}`);
        rows.push(row);
      }
      if (items.length === 0) await sleep(3);
    }
    return rows;
  };

  const expectWhole = async (job: Job): Promise<void> => {
    const { total } = job.counters;
    const results = await readAll(storeAt(0).jobs, job.id);
    expect(results.map(({ position }) => position)).toEqual(upTo(total));
    expect(new Set(results.map(({ row }) => row)).size).toBe(total);
    expect(await readJob(storeAt(0).jobs, job.id)).toMatchObject({
      state: 'COMPLETED',
      counters: { settled: total, deliverable: total, waiting: 0 },
    });
    const { byReason } = await storeAt(0).jobs.readBreakdown(job.id, 1);
    expect(byReason).toEqual([{ reason: 'MAILBOX_EXISTS', count: total }]);
  };
  const expectNothingLeft = async (): Promise<void> => {
    expect(await ask('SELECT count(*)::int AS n FROM rcpt.chunk')).toEqual({ n: 0 });
    expect(
      await ask(
        `SELECT count(*)::int AS n FROM rcpt_queue.job WHERE state IN ('created', 'retry', 'active')`,
      ),
    ).toEqual({ n: 0 });
  };
  const expectNoDeadlock = async (): Promise<void> =>
    expect(
      await ask('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()'),
    ).toEqual({ deadlocks: 0 });

  it('settles a job from all sides: positions have no gap, each row is there once, no reader skips one', async () => {
    const random = createRandom(7);
    const texts = upTo(4_000).map((n) => `u${random(3_200)}+${n}@d${random(60)}.example`);
    const job = await create(storeAt(0).jobs, rowsOf(texts));
    let isOver = false;
    const working = upTo(6).map((n) => work(n, () => isOver));
    const read = await Promise.all(upTo(3).map((n) => readOn(n, job))).finally(() => {
      isOver = true;
    });
    expect(await Promise.all(working)).toEqual(upTo(6).map(() => 0));
    for (const rows of read) expect(rows).toEqual(read[0]);
    await expectWhole(job);
    await expectNothingLeft();
    await expectNoDeadlock();
  }, 60_000);

  it('loses no chunk, whoever pauses, resumes, cancels and sweeps meanwhile', async () => {
    const jobs = await Promise.all(
      upTo(4).map((n) => create(storeAt(n).jobs, manyRows(2_500, 40), { name: `list ${n}` })),
    );
    const [doomed, ...others] = jobs;
    if (doomed === undefined) throw new Error('jobs were expected');
    let isOver = false;
    const isEnded = async (): Promise<boolean> => {
      const states = await Promise.all(others.map(({ id }) => readJob(storeAt(1).jobs, id)));
      return states.every(({ state }) => state === 'COMPLETED');
    };
    const disturb = async (n: number): Promise<void> => {
      const random = createRandom(100 + n);
      const until = performance.now() + 4_000;
      while (performance.now() < until) {
        const { id } = jobs[random(jobs.length)] ?? doomed;
        const store = storeAt(random(3)).jobs;
        await store.pauseJob(id, new Date());
        await sleep(random(20));
        await store.resumeJob(id, new Date());
        await sleep(random(10));
      }
    };
    const sweep = async (n: number): Promise<number> => {
      let released = 0;
      while (!isOver) {
        // pg-boss lets one of all look every five seconds; here each looks at once.
        // Waiting for none of them: the other sweep locks them in an order of its own.
        await server.run(
          url,
          `UPDATE rcpt_queue.queue SET monitor_claim_on = NULL, monitor_on = NULL
           WHERE name IN (SELECT name FROM rcpt_queue.queue FOR UPDATE SKIP LOCKED)`,
        );
        released += await storeAt(n).jobs.releaseChunks(new Date());
        await sleep(15);
      }
      return released;
    };
    const working = upTo(6).map((n) => work(n, () => isOver));
    const sweeping = upTo(2).map(sweep);
    try {
      const disturbing = upTo(3).map(disturb);
      await sleep(1_000);
      await storeAt(2).jobs.cancelJob(doomed.id, new Date());
      await Promise.all(disturbing);
      // Whoever paused last resumed.
      for (const { id } of others) await storeAt(0).jobs.resumeJob(id, new Date());
      await expect.poll(isEnded, { timeout: 30_000 }).toBe(true);
    } finally {
      isOver = true;
    }
    // No lease was taken away from who held it.
    expect(await Promise.all(sweeping)).toEqual([0, 0]);
    const refused = (await Promise.all(working)).reduce((sum, n) => sum + n, 0);
    // Of the cancelled job alone: what each worker was at.
    expect(refused).toBeLessThanOrEqual(6);
    for (const job of others) await expectWhole(job);
    const cancelled = await readJob(storeAt(0).jobs, doomed.id);
    expect(cancelled).toMatchObject({ state: 'CANCELLED', counters: { waiting: 0 } });
    expect(await readAll(storeAt(0).jobs, doomed.id)).toHaveLength(cancelled.counters.settled);
    expect(await ask('SELECT count(*)::int AS n FROM rcpt.chunk')).toEqual({ n: 0 });
    await expectNoDeadlock();
  }, 60_000);

  it('gives a chunk to one of many who ask at once, and a delivery to one sender', async () => {
    const webhook = { url: 'https://hooks.example/', secret: 'whsec_x', tellsProgress: true };
    const made = await Promise.all(upTo(4).map((n) => create(storeAt(n).jobs, manyRows(10), { webhook })));
    const taken = (await Promise.all(upTo(30).map((n) => takeFrom(storeAt(n))))).filter(
      (one) => one !== null,
    );
    expect(taken.map(({ jobId }) => jobId).sort()).toEqual(made.map(({ id }) => id).sort());
    for (const [n, chunk] of taken.entries())
      for (const row of chunk.rows)
        await storeAt(n).jobs.settleRows(chunk, { settled: [result(row)], waiting: [] }, new Date());
    const told: string[] = [];
    for (let round = 1; round <= 10; round += 1) {
      const now = new Date();
      const until = new Date(now.getTime() + minute);
      const due = (
        await Promise.all(upTo(12).map((n) => storeAt(n).webhooks.takeDelivery(now, until)))
      ).filter((one) => one !== null);
      expect(due.map(({ jobId }) => jobId).sort()).toEqual(made.map(({ id }) => id).sort());
      expect(new Set(due.map(({ counters }) => counters.settled))).toEqual(new Set([round]));
      const attempt = { at: now, durationMs: 1, status: 204, error: null };
      await Promise.all(
        due.map(({ id }, n) => storeAt(n + 1).webhooks.noteAttempt(id, attempt, 'DELIVERED')),
      );
      told.push(...due.map(({ id }) => id));
    }
    expect(new Set(told).size).toBe(40);
    expect(await storeAt(0).webhooks.takeDelivery(new Date(), new Date())).toBeNull();
  }, 30_000);

  it('takes in several lists with one key: one of them is the job', async () => {
    const key = { idempotencyKey: 'k', inputHash: 'h' };
    const outcomes = await Promise.allSettled(
      upTo(6).map((n) => create(storeAt(n).jobs, manyRows(1_500), key)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ask('SELECT count(*)::int AS n FROM rcpt.list_row')).toEqual({ n: 1_500 });
  });

  it('erases a job from all sides at once', async () => {
    const job = await create(storeAt(0).jobs, manyRows(12_000), {
      expiresAt: new Date(0),
      createdAt: new Date(1),
    });
    expect(job.counters.total).toBe(12_000);
    await Promise.all(stores.map(({ jobs }) => jobs.eraseExpired(new Date())));
    for (const table of ['job', 'list_row', 'chunk'])
      expect(await ask(`SELECT count(*)::int AS n FROM rcpt.${table}`)).toEqual({ n: 0 });
    expect(await takeFrom(storeAt(0))).toBeNull();
    await expectNoDeadlock();
  });
});
