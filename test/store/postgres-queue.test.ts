/** The queue of a cluster beyond what every store promises: sources, dead letters, lost places, clocks that differ. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Chunk, JobStore } from '../../src/jobs/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/index.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { create, manyRows, readAll, readJob, result } from './list.ts';

const fail = (error: unknown): never => {
  throw error;
};
const minute = 60_000;
const hour = 60 * minute;
const nothing = { settled: [], waiting: [] };

describe.skipIf(whyNoPostgres !== null)('the queue on PostgreSQL', () => {
  let server: PostgresServer;
  let url = '';
  let opened: PostgresStore[] = [];
  let one: JobStore;
  let two: JobStore;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const open = async (source: string, isWorker = true): Promise<PostgresStore> => {
    const store = await openPostgresStore({
      url,
      source,
      isWorker,
      connections: 4,
      leaseMs: minute,
      onError: fail,
    });
    opened.push(store);
    return store;
  };
  beforeEach(async () => {
    url = await createStoreDatabase(server);
    one = (await open('192.0.2.1')).jobs;
    two = (await open('192.0.2.2')).jobs;
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
    await server.dropDatabase(url);
  });
  const run = (sql: string) => server.run(url, sql);
  /** @param aheadMs how far the clock of who asks is ahead */
  const takeFrom = (store: JobStore, aheadMs = 0): Promise<Chunk | null> => {
    const now = new Date(Date.now() + aheadMs);
    return store.takeChunk(now, new Date(now.getTime() + minute));
  };
  const take = async (store: JobStore, aheadMs = 0): Promise<Chunk> =>
    (await takeFrom(store, aheadMs)) ?? fail(new Error('there is no chunk to take'));
  const settled = (chunk: Chunk) => ({ settled: chunk.rows.map((row) => result(row)), waiting: [] });
  /** As if the heartbeats of all that are taken had ended long ago, and a sweep came. */
  const sweepDead = async (): Promise<number> => {
    await run(`UPDATE rcpt_queue.job SET heartbeat_on = now() - interval '1 hour' WHERE state = 'active'`);
    await run('UPDATE rcpt_queue.queue SET monitor_claim_on = NULL, monitor_on = NULL');
    return one.releaseChunks(new Date());
  };

  it('sends nobody to a source whose process leaves the work to others', async () => {
    await open('192.0.2.3', false);
    await create(one, manyRows(10));
    const chunk = await take(one);
    expect(chunk.otherSources).toBe(1);
    const waiting = chunk.rows.map(({ row }) => ({
      row,
      retryAt: new Date(),
      where: 'elsewhere' as const,
    }));
    await one.settleChunk(chunk, { settled: [], waiting }, new Date());
    await expect.poll(() => takeFrom(two, minute)).toMatchObject({ otherSources: 0 });
  });

  it('ends a lease whose holder is silent, and no other', async () => {
    await create(one, manyRows(10));
    const chunk = await take(two);
    await run('UPDATE rcpt_queue.queue SET monitor_claim_on = NULL, monitor_on = NULL');
    expect(await one.releaseChunks(new Date())).toBe(0);
    expect(await two.keepChunks([chunk], new Date())).toEqual([]);
    expect(await sweepDead()).toBe(1);
    expect(await two.keepChunks([chunk], new Date())).toEqual([chunk]);
    expect(await two.settleChunk(chunk, settled(chunk), new Date())).toBe('refused');
    expect(await take(one)).toMatchObject({ id: chunk.id, crashes: 1 });
  });

  it('gives a chunk that killed its holders all too often back with all its crashes', async () => {
    const job = await create(one, manyRows(10));
    const chunk = await take(one);
    await run(`UPDATE rcpt_queue.job SET retry_count = retry_limit WHERE state = 'active'`);
    await run('UPDATE rcpt.chunk SET crashes = 50, take = 50');
    expect(await run(`SELECT count(*)::int AS n FROM rcpt_queue.job WHERE state = 'failed'`)).toEqual([
      { n: 0 },
    ]);
    // Both who find it: the dead letter, and the chunk whose ticket has failed.
    await Promise.all([sweepDead(), two.releaseChunks(new Date())]);
    expect(await run(`SELECT count(*)::int AS n FROM rcpt_queue.job WHERE state = 'failed'`)).toEqual([
      { n: 1 },
    ]);
    const again = await take(two);
    expect(again).toMatchObject({ id: chunk.id, crashes: 51 });
    expect(await takeFrom(one)).toBeNull();
    expect(await two.settleChunk(again, settled(again), new Date())).toBe('settled');
    expect((await readJob(one, job.id)).state).toBe('COMPLETED');
    // The letter is answered, and none is left.
    await sweepDead();
    expect(
      await run(`SELECT name FROM rcpt_queue.job WHERE state IN ('created', 'retry', 'active')`),
    ).toEqual([]);
  });

  it('mends what was emptied by hand: places that are gone, of chunks that wait and of one that is held', async () => {
    const job = await create(one, manyRows(1_500));
    await take(two);
    await run('DELETE FROM rcpt_queue.job');
    expect(await takeFrom(one)).toBeNull();
    expect(await one.releaseChunks(new Date())).toBe(1);
    for (let chunk = await takeFrom(one); chunk !== null; chunk = await takeFrom(one))
      expect(await one.settleChunk(chunk, settled(chunk), new Date())).toBe('settled');
    expect(await readJob(one, job.id)).toMatchObject({ state: 'COMPLETED', counters: { settled: 1_500 } });
  });

  it('does not wait for a job that somebody changes, and gives its ticket back as it was', async () => {
    const held = await create(one, manyRows(10));
    await run(`BEGIN; SELECT pg_advisory_xact_lock(${0x72_6a}, number::int) FROM rcpt.job`);
    const free = await create(one, manyRows(10));
    const before = performance.now();
    expect((await take(one)).jobId).toBe(free.id);
    expect(await takeFrom(one)).toBeNull();
    expect(performance.now() - before).toBeLessThan(2_000);
    await run('ROLLBACK');
    expect(await take(one)).toMatchObject({ jobId: held.id, attempt: 1, crashes: 0 });
  });

  it('gives what was put off by a greylist to who asked, and nobody else is woken for it', async () => {
    await create(one, manyRows(10));
    const chunk = await take(one);
    expect(chunk.otherSources).toBe(1);
    const waiting = chunk.rows.map(({ row }) => ({
      row,
      retryAt: new Date(Date.now() - minute),
      where: 'here' as const,
    }));
    await one.settleChunk(chunk, { settled: [], waiting }, new Date());
    expect(await two.nextChunkAt()).toBeNull();
    expect(await takeFrom(two)).toBeNull();
    expect(await one.nextChunkAt()).toBeInstanceOf(Date);
    expect((await take(one)).rows).toHaveLength(10);
  });

  it('gives what was refused to another source, until all of them were', async () => {
    await create(one, manyRows(10));
    const chunk = await take(one);
    const elsewhere = (from: Chunk) => ({
      settled: [],
      waiting: from.rows.map(({ row }) => ({
        row,
        retryAt: new Date(Date.now() - minute),
        where: 'elsewhere' as const,
      })),
    });
    await one.settleChunk(chunk, elsewhere(chunk), new Date());
    expect(await takeFrom(one)).toBeNull();
    const there = await take(two);
    // Ours has been refused, and there is no third.
    expect(there).toMatchObject({ otherSources: 0 });
    await two.settleChunk(there, elsewhere(there), new Date());
    expect((await takeFrom(one)) ?? (await takeFrom(two))).not.toBeNull();
  });

  it('moves the chunks of a source that has no worker any more', async () => {
    await create(one, manyRows(10));
    const three = await open('192.0.2.3');
    const chunk = await take(three.jobs);
    const waiting = chunk.rows.map(({ row }) => ({
      row,
      retryAt: new Date(Date.now() - minute),
      where: 'here' as const,
    }));
    await three.jobs.settleChunk(chunk, { settled: [], waiting }, new Date());
    await one.releaseChunks(new Date());
    expect(await takeFrom(one)).toBeNull();
    await three.close();
    await one.releaseChunks(new Date());
    expect((await take(one)).rows).toHaveLength(10);
  });

  it('agrees on times though clocks differ by an hour', async () => {
    const job = await create(one, manyRows(20, 1), {
      createdAt: new Date(Date.now() + hour),
      expiresAt: new Date(Date.now() + 2 * hour),
    });
    expect(Math.abs(job.createdAt.getTime() - Date.now())).toBeLessThan(10_000);
    expect(Math.abs(job.expiresAt.getTime() - Date.now() - hour)).toBeLessThan(10_000);
    // Who takes it is an hour ahead, and so is the lease that it asks for.
    const chunk = await take(one, hour);
    expect(await takeFrom(two)).toBeNull();
    const inAMinute = new Date(Date.now() + hour + minute);
    const [first, ...others] = chunk.rows;
    if (first === undefined) throw new Error('rows were expected');
    const outcome = {
      settled: [result(first)],
      waiting: others.map(({ row }) => ({ row, retryAt: inAMinute })),
    };
    expect(await one.settleChunk(chunk, outcome, new Date(Date.now() + hour))).toBe('settled');
    // Each is told in its own time.
    expect(Math.abs(((await one.nextChunkAt())?.getTime() ?? 0) - inAMinute.getTime())).toBeLessThan(10_000);
    await create(two, manyRows(1));
    await two.settleChunk(await take(two), nothing, new Date());
    const third = await take(two);
    await two.settleChunk(third, settled(third), new Date());
    const next = (await two.nextChunkAt())?.getTime() ?? 0;
    expect(Math.abs(next - Date.now() - minute)).toBeLessThan(10_000);
    expect(await takeFrom(two, -hour)).toBeNull();
    expect(await takeFrom(two, hour)).toBeNull();
    expect(await readAll(one, job.id)).toHaveLength(1);
  });
});
