/** A PostgreSQL that fails: a real one, and what the store says and does then. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobNews } from '../../src/jobs/index.ts';
import { StoreError } from '../../src/store/index.ts';
import { faultOf, openInTrouble, settledOf, takeNow } from '../postgres/faults.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { openRelay } from '../postgres/proxy.ts';
import { type PostgresServer, password, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { create, everyJob, manyRows, newJob, readAll, readJob, rowsOf } from './list.ts';

describe.skipIf(whyNoPostgres !== null)('a PostgreSQL that fails', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const { open, closeAll, faults } = openInTrouble();
  /** Ends the connections whose last statement looks like this; gives how many. */
  const terminate = async (url: string, like: string): Promise<number> =>
    // Not within a transaction of the test, which would see the connections as they were.
    (
      await server.run(
        `${url}?application_name=terminator`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '${like}'`,
      )
    ).length;

  it('with a wrong password, user, database or port: one line that says what to look at', async () => {
    const url = await createStoreDatabase(server);
    const change = (set: (to: URL) => void): string => {
      const to = new URL(url);
      set(to);
      return to.href;
    };
    const wrong = [
      change((to) => {
        to.password = `${password}-but-wrong`;
      }),
      change((to) => {
        to.username = 'nobody';
      }),
      change((to) => {
        to.pathname = '/none';
      }),
      change((to) => {
        to.port = '1';
      }),
    ];
    for (const bad of wrong)
      expect(await faultOf(open(bad))).toMatchObject({ code: 'UNREACHABLE', isPassing: true });
  });

  it('whose user may not create anything: UNWRITABLE', async () => {
    const url = await server.createDatabase();
    await server.run(url, `CREATE ROLE reader LOGIN PASSWORD '${password}'`);
    const to = new URL(url);
    to.username = 'reader';
    expect(await faultOf(open(to.href))).toMatchObject({ code: 'UNWRITABLE', isPassing: false });
  });

  it('that goes away in use and comes back: said, survived, and all goes on', async () => {
    const url = await createStoreDatabase(server);
    const store = await open(url);
    const { jobs, uploads, verifications, webhooks, wire } = store;
    const news: (JobNews | null)[] = [];
    wire.listen((one) => news.push(one));
    const job = await create(jobs, manyRows(600));
    const chunk = await takeNow(store);
    const outcome = settledOf(chunk, 0, 100);
    await server.halt();
    const now = new Date();
    for (const work of [
      () => jobs.readJob(job.id),
      () => jobs.takeChunk(now, now),
      () => jobs.settleRows(chunk, outcome, now),
      () => jobs.createJob(newJob(), manyRows(10)),
      () => jobs.keepChunks([chunk], now),
      () => jobs.releaseChunks(now),
      () => jobs.readStorage(),
      () => webhooks.takeDelivery(now, now),
      () => uploads.readUpload('x'),
      () => uploads.appendToUpload('x', 0, (async function* () {})()),
      () => verifications.recall('a@x.example' as never),
    ])
      expect(await faultOf(work())).toMatchObject({ code: 'UNREACHABLE', isPassing: true });
    wire.tell({ kind: 'changed', jobId: job.id });
    await server.resume();
    expect(await jobs.settleRows(chunk, outcome, now)).toBe('settled');
    expect((await readJob(jobs, job.id)).counters.settled).toBe(100);
    // Something may have been missed.
    await expect.poll(() => news, { timeout: 10_000 }).toContain(null);
    const other = await open(url);
    other.wire.tell({ kind: 'changed', jobId: job.id });
    await expect.poll(() => news, { timeout: 5_000 }).toContainEqual({ kind: 'changed', jobId: job.id });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every((fault) => fault instanceof StoreError)).toBe(true);
  }, 40_000);

  it('that kills a connection within a transaction: nothing of it stays, and the next one does it', async () => {
    const url = await createStoreDatabase(server);
    const store = await open(url);
    const { jobs } = store;
    const list = async function* () {
      yield* manyRows(2_500);
      expect(await terminate(url, '%INTO stage%')).toBe(1);
      yield* rowsOf(Array.from({ length: 2_000 }, (_, n) => `v${n}@x.example`)).map((one) => ({
        ...one,
        row: one.row + 2_500,
      }));
    };
    expect(await faultOf(jobs.createJob(newJob(), list()))).toMatchObject({ code: 'UNREACHABLE' });
    expect((await jobs.listJobs(everyJob)).items).toEqual([]);
    expect(await server.run(url, 'SELECT count(*)::int AS n FROM rcpt.list_row')).toEqual([{ n: 0 }]);

    const job = await create(jobs, manyRows(100));
    const chunk = await takeNow(store);
    const outcome = settledOf(chunk, 0, 40);
    await server.run(url, 'BEGIN; SELECT 1 FROM rcpt.job FOR UPDATE');
    const settling = faultOf(jobs.settleRows(chunk, outcome, new Date()));
    await expect.poll(() => terminate(url, '%WITH given AS%')).toBe(1);
    expect(await settling).toMatchObject({ code: 'UNREACHABLE', isPassing: true });
    await server.run(url, 'ROLLBACK');
    expect(await jobs.settleRows(chunk, outcome, new Date())).toBe('settled');
    expect((await readAll(jobs, job.id)).map(({ position }) => position)).toEqual(
      Array.from({ length: 40 }, (_, n) => n + 1),
    );
  });

  it('that is cut off within COMMIT: what was written is not written again', async () => {
    const url = await createStoreDatabase(server);
    const relay = await openRelay(url);
    try {
      const store = await open(relay.url);
      const { jobs } = store;
      const job = await create(jobs, manyRows(100));
      const chunk = await takeNow(store);
      const outcome = settledOf(chunk, 0, 40);
      const cut = relay.cutAfterCommit();
      const [fault] = await Promise.all([faultOf(jobs.settleRows(chunk, outcome, new Date())), cut]);
      expect(fault).toMatchObject({ code: 'UNREACHABLE', isPassing: true });
      expect((await readJob(jobs, job.id)).counters.settled).toBe(40);
      expect(await jobs.settleRows(chunk, outcome, new Date())).toBe('settled');
      expect((await readJob(jobs, job.id)).counters.settled).toBe(40);
      // The last write of all: the chunk is gone, and so is its lease.
      const last = settledOf(chunk, 40, 100);
      const cutAgain = relay.cutAfterCommit();
      await Promise.all([faultOf(jobs.settleChunk(chunk, last, new Date())), cutAgain]);
      expect(await jobs.settleChunk(chunk, last, new Date())).toBe('refused');
      expect(await readJob(jobs, job.id)).toMatchObject({ state: 'COMPLETED', counters: { settled: 100 } });
      expect((await readAll(jobs, job.id)).map(({ position }) => position)).toEqual(
        Array.from({ length: 100 }, (_, n) => n + 1),
      );
    } finally {
      await closeAll();
      await relay.close();
    }
  });

  it('that cuts the connection which listens: it listens again, and says that something may be missed', async () => {
    const url = await createStoreDatabase(server);
    const { wire } = await open(url);
    const other = await open(url, { source: '192.0.2.2' });
    const news: (JobNews | null)[] = [];
    wire.listen((one) => news.push(one));
    expect(await terminate(url, 'LISTEN %')).toBe(2);
    await expect.poll(() => news, { timeout: 5_000 }).toEqual([null]);
    const moved = { kind: 'moved', jobId: 'j' } as const;
    await expect
      .poll(
        () => {
          other.wire.tell(moved);
          return news;
        },
        { timeout: 5_000 },
      )
      .toContainEqual(moved);
    await expect.poll(() => faults.length).toBeGreaterThanOrEqual(2);
  });

  it('that cuts the connection which holds uploads: the writer goes on, unless another one begins', async () => {
    const url = await createStoreDatabase(server);
    const { uploads } = await open(url);
    const other = await open(url, { source: '192.0.2.2' });
    const createdAt = new Date();
    const expiresAt = new Date(createdAt.getTime() + 60_000);
    const id = crypto.randomUUID();
    await uploads.createUpload({ id, owner: null, fileName: null, sizeBytes: null, createdAt, expiresAt });
    const piece = Buffer.alloc(512 * 1_024, 1);
    const rest = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const writing = uploads.appendToUpload(
      id,
      0,
      (async function* () {
        yield piece;
        begun.resolve();
        await rest.promise;
        yield piece;
      })(),
    );
    await begun.promise;
    expect(await other.uploads.appendToUpload(id, piece.length, (async function* () {})())).toBe('busy');
    await other.uploads.truncateUpload(id);
    expect(await other.uploads.readUpload(id)).toMatchObject({ receivedBytes: piece.length });
    expect(await terminate(url, '%pg_try_advisory_lock(%')).toBe(1);
    const octets = async function* () {
      yield Buffer.from('abc');
    };
    await expect.poll(() => other.uploads.appendToUpload(id, piece.length, octets())).toBe('appended');
    rest.resolve();
    expect(await writing).toBe('misplaced');
    expect(await uploads.readUpload(id)).toMatchObject({ receivedBytes: piece.length + 3 });
  });
});
