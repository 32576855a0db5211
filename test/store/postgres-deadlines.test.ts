/** A PostgreSQL that lets us wait: for an answer, for a lock, for a connection. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultOf, openInTrouble, settledOf, takeNow } from '../postgres/faults.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { create, manyRows, readAll, rowsOf } from './list.ts';

describe.skipIf(whyNoPostgres !== null)('a PostgreSQL that lets us wait', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const { open } = openInTrouble();

  it('that does not answer: TIMED_OUT behind a deadline, and the connection is not stuck', async () => {
    const url = await createStoreDatabase(server);
    const { jobs } = await open(url, { connections: 1, deadlines: { statementMs: 300, lockMs: 5_000 } });
    const job = await create(jobs, rowsOf(['a@x.example']));
    await server.run(url, 'BEGIN; LOCK TABLE rcpt.job');
    expect(await faultOf(jobs.readJob(job.id))).toMatchObject({ code: 'TIMED_OUT', isPassing: true });
    expect(await faultOf(jobs.pauseJob(job.id, new Date()))).toMatchObject({ code: 'TIMED_OUT' });
    await server.run(url, 'ROLLBACK');
    expect(await jobs.readJob(job.id)).toMatchObject({ id: job.id });
  });

  it('where somebody holds a lock: LOCKED, nothing is written, and it is again later', async () => {
    const url = await createStoreDatabase(server);
    const store = await open(url, { deadlines: { lockMs: 300 } });
    const job = await create(store.jobs, manyRows(100));
    const chunk = await takeNow(store);
    const outcome = settledOf(chunk, 0, 60);
    await server.run(url, 'BEGIN; SELECT 1 FROM rcpt.job FOR UPDATE');
    const settling = store.jobs.settleRows(chunk, outcome, new Date());
    expect(await faultOf(settling)).toMatchObject({ code: 'LOCKED', isPassing: true });
    await server.run(url, 'ROLLBACK');
    expect(await readAll(store.jobs, job.id)).toEqual([]);
    expect(await store.jobs.settleRows(chunk, outcome, new Date())).toBe('settled');
  });

  it('whose connections are all busy: others wait, then hear so, and heartbeats go on', async () => {
    const url = await createStoreDatabase(server);
    const store = await open(url, { connections: 2, deadlines: { connectMs: 500 } });
    const { jobs } = store;
    const job = await create(jobs, manyRows(600));
    const chunk = await takeNow(store);
    expect(await Promise.all(Array.from({ length: 200 }, () => jobs.readJob(job.id)))).toHaveLength(200);
    await server.run(url, 'BEGIN; LOCK TABLE rcpt.job');
    const stuck = [jobs.readJob(job.id), jobs.readJob(job.id)];
    const waiting = Array.from({ length: 20 }, () => faultOf(jobs.readJob(job.id)));
    for (const fault of await Promise.all(waiting))
      expect(fault).toMatchObject({ code: 'TIMED_OUT', isPassing: true });
    expect(await jobs.keepChunks([chunk], new Date())).toEqual([]);
    await server.run(url, 'ROLLBACK');
    expect(await Promise.all(stuck)).toMatchObject([{ id: job.id }, { id: job.id }]);
    expect(await jobs.readJob(job.id)).toMatchObject({ id: job.id });
  });

  it('and a pool of one connection: nothing waits for a second one while it has the first', async () => {
    const url = await createStoreDatabase(server);
    const store = await open(url, { connections: 1, deadlines: { connectMs: 1_000 } });
    await open(url, { source: '192.0.2.2' });
    const { jobs, uploads } = store;
    const createdAt = new Date();
    const expiresAt = new Date(createdAt.getTime() + 60_000);
    const id = crypto.randomUUID();
    const made = { id, owner: null, fileName: null, sizeBytes: null, createdAt, expiresAt };
    await uploads.createUpload(made);
    await uploads.appendToUpload(
      id,
      0,
      (async function* () {
        for (let n = 0; n < 40; n += 1) yield Buffer.alloc(50_000, n);
      })(),
    );
    const rows = async function* () {
      let octets = 0;
      for await (const piece of uploads.openUpload(id)) {
        octets += piece.length;
        yield* rowsOf([`u@x.example`]).map((one) => ({ ...one, row: octets, canonical: null }));
      }
    };
    const lists = await Promise.all([create(jobs, rows()), create(jobs, rows()), create(jobs, rows())]);
    expect(lists.map(({ counters }) => counters.total)).toEqual([4, 4, 4]);
    const chunk = await takeNow(store);
    expect(chunk.otherSources).toBe(1);
    const waiting = chunk.rows.map(({ row }) => ({ row, retryAt: new Date(), where: 'elsewhere' as const }));
    expect(await jobs.settleChunk(chunk, { settled: [], waiting }, new Date())).toBe('settled');
  });
});
