/** A PostgreSQL database that an older rcpt left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/store/index.ts';
import { openDatabase } from '../../src/store/postgres/database.ts';
import { migrate, migrations } from '../../src/store/postgres/migrations.ts';
import { anybody } from '../../src/store/postgres/tickets.ts';
import { takeNow } from '../postgres/faults.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { create, everyJob, manyRows, readAll, readJob, settleAll } from './list.ts';

const fail = (error: unknown): never => {
  throw error;
};

/** A paused job of 3 rows with 1 settled, and an upload. */
const firstRows = `
  SET search_path = rcpt;
  INSERT INTO job (id, name, state, created_at, started_at, expires_at, idempotency_key, input_hash, columns, total, settled, deliverable)
    VALUES ('paused', 'old', 'PAUSED', now(), now(), now() + interval '30 days', 'k', 'h', '["mail"]', 3, 1, 1);
  INSERT INTO list_row (job, row, original, address, domain)
    SELECT number, row, NULL, 'u' || row || '@x.example', 'x.example' FROM job, generate_series(1, 3) AS g(row);
  INSERT INTO result (job, checked_at, position, row, score, status, reason)
    SELECT number, now(), 1, 1, 95, 'DELIVERABLE', 'MAILBOX_EXISTS' FROM job;
  INSERT INTO chunk (job, ordinal, not_before, rows, queue) SELECT number, 1, now(), '{2,3}', '${anybody}' FROM job;
  INSERT INTO tally SELECT number, 'reason', 'MAILBOX_EXISTS', 1, 1 FROM job;
  INSERT INTO upload (id, owner, state, size, received, created_at, expires_at, sha256)
    VALUES ('u', 'key-1', 'USED', 5, 5, now(), now() + interval '1 day', 'hash');
  INSERT INTO secret VALUES ('links', decode(repeat('ab', 32), 'hex'))`;

describe.skipIf(whyNoPostgres !== null)('a PostgreSQL database of the first version', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());

  it('is brought to this one with all its rows, and its paused job goes on', async () => {
    const url = await server.createDatabase();
    const first = openDatabase({ url, connections: 1, onError: fail });
    await migrate(first, migrations.slice(0, 1));
    await first.close();
    await server.run(url, firstRows);
    const options = { source: '192.0.2.1', connections: 2, leaseMs: 60_000, onError: fail };
    const store = await openPostgresStore({ url, ...options });
    const { jobs, uploads, secret } = store;
    const job = await readJob(jobs, 'paused');
    expect(job).toMatchObject({
      owner: null,
      name: 'old',
      state: 'PAUSED',
      counters: { total: 3, settled: 1 },
    });
    expect(await jobs.listJobs(everyJob)).toEqual({ items: [job], hasNextPage: false });
    expect((await jobs.listJobs({ ...everyJob, owner: 'key-1' })).items).toEqual([]);
    expect(await jobs.findByIdempotencyKey('k')).toMatchObject({ inputHash: 'h' });
    expect(await uploads.readUpload('u')).toMatchObject({ owner: 'key-1', state: 'USED', sha256: 'hash' });
    expect(Buffer.from(secret).toString('hex')).toBe('ab'.repeat(32));
    await jobs.resumeJob('paused', new Date());
    const chunk = await takeNow(store);
    expect(chunk).toMatchObject({ jobId: 'paused', owner: null });
    await jobs.returnChunk(chunk);
    await settleAll(jobs, new Date());
    expect(await readJob(jobs, 'paused')).toMatchObject({ state: 'COMPLETED', counters: { settled: 3 } });
    expect((await readAll(jobs, 'paused')).map(({ row }) => row).toSorted()).toEqual([1, 2, 3]);
    const owned = await create(jobs, manyRows(2), { owner: 'key-1' });
    expect((await jobs.listJobs({ ...everyJob, owner: 'key-1' })).items).toEqual([owned]);
    await store.close();
  });
});
