import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/index.ts';
import { applicationId, migrations } from '../../src/store/sqlite/migrations.ts';
import {
  anyResult,
  create,
  day,
  everyJob,
  later,
  manyRows,
  muchLater,
  readAll,
  readJob,
  settleAll,
  start,
  take,
} from './list.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-migration-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A file as the first version left it: a job of 6 rows with 2 settled, 1 waiting, a chunk held; and one half read. */
const writeFirstVersion = (path: string): void => {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ${migrations[0]}
    PRAGMA application_id = ${applicationId}; PRAGMA user_version = 1;
    INSERT INTO job (number, id, name, state, created_at, started_at, expires_at, idempotency_key, input_hash,
        total, settled, waiting, deliverable, risky, duplicates)
      VALUES (3, 'running', 'old', 'RUNNING', ${start.getTime()}, ${start.getTime()}, ${later(30 * day).getTime()}, 'k', 'h', 6, 2, 1, 1, 1, 1),
        (4, 'half', 'read', 'LOADING', ${start.getTime()}, NULL, ${later(30 * day).getTime()}, NULL, NULL, 0, 0, 0, 0, 0, 0);
    UPDATE sqlite_sequence SET seq = 9 WHERE name = 'job';
    INSERT INTO list_row (job, row, address, domain, original) VALUES (3, 1, 'a@x.example', 'x.example', NULL),
      (3, 2, 'b@x.example', 'x.example', NULL), (3, 3, 'a+1@x.example', 'x.example', 1), (3, 4, 'c@x.example', 'x.example', NULL),
      (3, 5, 'd@x.example', 'x.example', NULL), (3, 6, 'e@x.example', 'x.example', NULL), (4, 1, 'z@x.example', 'x.example', NULL);
    INSERT INTO result VALUES
      (3, 1, 1, 'DELIVERABLE', 'MAILBOX_EXISTS', 95, NULL, 'mx', 250, NULL, 'OK', ${start.getTime()}),
      (3, 2, 3, 'RISKY', 'CATCH_ALL', 60, NULL, 'mx', 250, NULL, 'OK', ${start.getTime()});
    INSERT INTO tally VALUES (3, 'reason', 'MAILBOX_EXISTS', 1, 1), (3, 'reason', 'CATCH_ALL', 1, 0), (3, 'domain', 'x.example', 2, 1);
    INSERT INTO chunk (job, ordinal, readiness, not_before, tries, attempt, rows, row_count, lease, lease_until) VALUES
      (3, 1, 2, 0, 0, 1, '[2,4]', 2, 'held', 1), (3, 2, 2, 0, 0, 0, '[6]', 1, NULL, NULL),
      (3, 1, 1, ${later(60_000).getTime()}, 1, 0, '[5]', 1, NULL, NULL)`);
  db.close();
};

describe('a file of the first version', () => {
  it('is brought to this one, and its running job goes on', async () => {
    const path = join(root, 'first.sqlite');
    writeFirstVersion(path);
    const store = openSqliteStore({ path });
    const { jobs } = store;
    expect(await readJob(jobs, 'running')).toMatchObject({
      name: 'old',
      owner: null,
      state: 'RUNNING',
      nextRetryAt: later(60_000),
      list: { format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 },
      maxAgeSeconds: null,
      webhook: null,
      storedBytes: 5 * 11 + 13 + 2 * 4,
      counters: { total: 6, settled: 2, waiting: 1 },
    });
    expect(await jobs.findByIdempotencyKey('k')).toMatchObject({ inputHash: 'h' });
    expect(await jobs.readJob('half')).toBeNull();
    expect(await jobs.eraseExpired(later(0))).toBe(1);
    expect(await jobs.countResults('running', { ...anyResult, statuses: ['RISKY'] })).toBe(1);
    const held = await take(jobs);
    expect(held).toMatchObject({ attempt: 2, crashes: 1, maxAgeSeconds: null, owner: null });
    expect(held.rows.map(({ row }) => row)).toEqual([2, 4]);
    expect(await jobs.pauseJob('running', later(1))).toMatchObject({ state: 'PAUSED' });
    await jobs.resumeJob('running', later(1));
    await jobs.releaseChunks(muchLater);
    await settleAll(jobs, later(60_000));
    expect(await readJob(jobs, 'running')).toMatchObject({
      state: 'COMPLETED',
      counters: { settled: 6, waiting: 0 },
    });
    expect((await readAll(jobs, 'running')).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    const { items } = await jobs.readRows('running', { afterRow: 0, limit: 10 });
    expect(items.map(({ row, cells, result }) => [row, cells, result?.duplicateOf])).toEqual(
      [1, 2, 3, 4, 5, 6].map((row) => [row, null, row === 3 ? 1 : null]),
    );
    await create(jobs, manyRows(3));
    store.close();
    // The numbers of jobs that were erased are not given again.
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare('SELECT max(number) AS n FROM job').get()).toEqual({ n: 10 });
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
  });
});

/** A file as the second version left it: a paused job of 3 rows with 1 settled, its webhook told, and an upload. */
const writeSecondVersion = (path: string): void => {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ${migrations[0]} ${migrations[1]}
    PRAGMA application_id = ${applicationId}; PRAGMA user_version = 2;
    INSERT INTO job (number, id, name, state, created_at, started_at, expires_at, idempotency_key, input_hash, list_format,
        file_name, columns, address_column, max_age, webhook_url, webhook_secret, webhook_tells_progress, stored_bytes,
        total, settled, deliverable)
      VALUES (7, 'paused', 'old', 'PAUSED', ${start.getTime()}, ${start.getTime()}, ${later(30 * day).getTime()}, 'k', 'h',
        'CSV', 'l.csv', '["id","mail"]', 1, 60, 'https://hooks.example/', 'whsec_x', 1, 99, 3, 1, 1);
    INSERT INTO list_row (job, row, address, domain, original, cells) VALUES
      (7, 1, 'a@x.example', 'x.example', NULL, '[1,"a@x.example"]'), (7, 2, 'b@x.example', 'x.example', NULL, NULL),
      (7, 3, 'c@x.example', 'x.example', NULL, NULL);
    INSERT INTO result VALUES
      (7, 1, 1, 'DELIVERABLE', 'MAILBOX_EXISTS', 95, NULL, 'mx', 250, NULL, 'OK', ${start.getTime()});
    INSERT INTO tally VALUES (7, 'reason', 'MAILBOX_EXISTS', 1, 1), (7, 'domain', 'x.example', 1, 1);
    INSERT INTO chunk (job, ordinal, readiness, not_before, rows, row_count) VALUES (7, 1, 3, 0, '[2,3]', 2);
    INSERT INTO delivery (id, job, event, state, created_at, job_state, counters)
      VALUES ('msg_1', 7, 'bulk_job.progressed', 'DELIVERED', ${start.getTime()}, 'RUNNING', '{}');
    INSERT INTO upload VALUES ('u', 'key-1', 'l.csv', 'USED', 5, ${start.getTime()}, ${later(day).getTime()}, 'hash');
    INSERT INTO secret VALUES ('links', x'${'ab'.repeat(32)}')`);
  db.close();
};

describe('a file of the second version', () => {
  it('is brought to this one with all its rows, and its paused job goes on', async () => {
    const path = join(root, 'second.sqlite');
    writeSecondVersion(path);
    const store = openSqliteStore({ path, uploadsDir: join(root, 'uploads') });
    const { jobs, webhooks, uploads } = store;
    const job = await readJob(jobs, 'paused');
    expect(job).toMatchObject({
      owner: null,
      name: 'old',
      state: 'PAUSED',
      list: { format: 'CSV', fileName: 'l.csv', columns: ['id', 'mail'], addressColumn: 1 },
      maxAgeSeconds: 60,
      webhook: { url: 'https://hooks.example/', tellsProgress: true },
      storedBytes: 99,
      counters: { total: 3, settled: 1, deliverable: 1 },
    });
    expect(await jobs.listJobs(everyJob)).toEqual({ items: [job], hasNextPage: false });
    expect((await jobs.listJobs({ ...everyJob, owner: 'key-1' })).items).toEqual([]);
    expect((await webhooks.listDeliveries('paused', { limit: 9, afterId: null })).items).toHaveLength(1);
    expect(await uploads?.readUpload('u')).toMatchObject({ owner: 'key-1', state: 'USED', sha256: 'hash' });
    expect(Buffer.from(store.secret).toString('hex')).toBe('ab'.repeat(32));
    await jobs.resumeJob('paused', later(1));
    expect(await take(jobs)).toMatchObject({ jobId: 'paused', owner: null });
    await jobs.releaseChunks(muchLater);
    await settleAll(jobs, later(1));
    expect(await readJob(jobs, 'paused')).toMatchObject({ state: 'COMPLETED', counters: { settled: 3 } });
    const { items } = await jobs.readRows('paused', { afterRow: 0, limit: 10 });
    expect(items.map(({ row, cells }) => [row, cells])).toEqual([
      [1, [1, 'a@x.example']],
      [2, null],
      [3, null],
    ]);
    const owned = await create(jobs, manyRows(2), { owner: 'key-1' });
    expect((await jobs.listJobs({ ...everyJob, owner: 'key-1' })).items).toEqual([owned]);
    store.close();
  });
});
