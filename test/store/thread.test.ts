/** The store in a thread of its own: the same promises, and what can happen to a thread. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { IntakeRow } from '../../src/jobs/index.ts';
import { openDataDir, openThreadedDataDir, StoreError } from '../../src/store/index.ts';
import { openThread } from '../../src/store/sqlite/thread/caller.ts';
import { describeDurableJobStore, describeJobStore } from './contract.ts';
import { create, everyJob, later, manyRows, newJob, readJob, result, take } from './list.ts';
import type { OpenStore } from './open.ts';
import { describeWebhookStore } from './webhook-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-thread-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const newDir = (): string => {
  made += 1;
  return join(root, String(made));
};

const open = async (dir: string): Promise<OpenStore> => {
  const opened = await openThreadedDataDir(dir);
  return {
    store: opened.jobs,
    webhooks: opened.webhooks,
    fillDisk: () => opened.limitPages(1),
    makeRoom: () => opened.limitPages(null),
    reopen: async () => {
      await opened.close();
      return open(dir);
    },
    close: () => opened.close(),
  };
};

describeJobStore('a SQLite file in a thread', () => open(newDir()));
describeDurableJobStore('a SQLite file in a thread', () => open(newDir()));
describeWebhookStore('webhooks in a SQLite file in a thread', () => open(newDir()));

const countRows = (dir: string): number => {
  const db = new DatabaseSync(join(dir, 'rcpt.sqlite'), { readOnly: true });
  const rows = Number(db.prepare('SELECT count(*) AS n FROM list_row').get()?.n);
  db.close();
  return rows;
};

describe('a list on its way into the thread', () => {
  it('is read no further than four batches ahead', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    // Somebody else holds the file, so that nothing is written: the thread gives up, and says LOCKED, after 100 ms.
    const other = new DatabaseSync(join(dir, 'rcpt.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    let read = 0;
    function* rows(): Generator<IntakeRow> {
      for (const row of manyRows(100_000)) {
        read += 1;
        yield row;
      }
    }
    await expect(store.jobs.createJob(newJob(), rows())).rejects.toMatchObject({
      code: 'LOCKED',
      isPassing: true,
    });
    expect(read).toBeLessThanOrEqual(6 * 500);
    other.close();
    await store.close();
  });

  it('that fails half-way leaves nothing, and rejects with its own error', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    const trouble = new Error('the upload broke');
    async function* broken() {
      yield* manyRows(3_000);
      throw trouble;
    }
    await expect(store.jobs.createJob(newJob(), broken())).rejects.toBe(trouble);
    expect(countRows(dir)).toBe(0);
    expect(await store.jobs.listJobs({ ...everyJob, limit: 5 })).toEqual({ items: [], hasNextPage: false });
    await store.close();
  });

  it('whose shape cannot be told leaves nothing', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    const trouble = new Error('no shape');
    const readShape = () => {
      throw trouble;
    };
    await expect(store.jobs.createJob({ ...newJob(), readShape }, manyRows(600))).rejects.toBe(trouble);
    expect(countRows(dir)).toBe(0);
    await store.close();
  });

  it('is closed where a full disk ends it, and its source with it', async () => {
    const store = await openThreadedDataDir(newDir());
    await store.limitPages(1);
    let isClosed = false;
    async function* endless() {
      try {
        for (const row of manyRows(100_000)) {
          yield row;
          if (row.row % 500 === 0) await pass(1);
        }
      } finally {
        isClosed = true;
      }
    }
    await expect(store.jobs.createJob(newJob(), endless())).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(isClosed).toBe(true);
    await store.close();
  });

  it('whose rows fill a batch each is cut by its length as well', async () => {
    const store = await openThreadedDataDir(newDir());
    const rows = [...manyRows(40)].map((row) => ({ ...row, cells: [row.address, 'x'.repeat(60_000)] }));
    const job = await create(store.jobs, rows);
    const { items } = await store.jobs.readRows(job.id, { afterRow: 0, limit: 100 });
    expect(items.map(({ cells }) => cells?.[1])).toEqual(rows.map(({ cells }) => cells[1]));
    await store.close();
  });
});

describe('a thread', () => {
  it('says what is wrong with its file as the store does, and lets go of the directory', async () => {
    const dir = newDir();
    openDataDir(dir).close();
    const path = join(dir, 'rcpt.sqlite');
    rmSync(`${path}-wal`, { force: true });
    writeFileSync(path, 'x'.repeat(5_000));
    await expect(openThreadedDataDir(dir)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'NOT_A_DATABASE',
      isPassing: false,
    });
    expect(readFileSync(path, 'utf8')).toBe('x'.repeat(5_000));
    rmSync(path);
    await (await openThreadedDataDir(dir)).close();
  });

  it('is refused where another one is, and there where its directory cannot be', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    await expect(openThreadedDataDir(dir)).rejects.toMatchObject({ code: 'LOCKED' });
    await store.close();
    writeFileSync(join(dir, 'file'), '');
    await expect(openThreadedDataDir(join(dir, 'file'))).rejects.toMatchObject({ code: 'UNWRITABLE' });
  });

  it('keeps its words for a bug', async () => {
    const store = await openThreadedDataDir(newDir());
    await create(store.jobs, manyRows(10));
    const chunk = await take(store.jobs);
    const twice = [1, 1].map((row) => result({ row, address: 'a@x.example' }));
    const settling = store.jobs.settleChunk(chunk, { settled: twice, waiting: [] }, later(1));
    await expect(settling).rejects.toThrow(/^row 1 is not one of chunk/);
    await expect(settling).rejects.not.toBeInstanceOf(StoreError);
    expect((await readJob(store.jobs, chunk.jobId)).counters.settled).toBe(0);
    await store.close();
  });

  it('that is closed writes what it was told, and says CLOSED afterwards; twice is once', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    const creating = create(store.jobs, manyRows(400));
    await create(store.jobs, manyRows(10));
    await Promise.all([store.close(), store.close()]);
    await creating;
    await expect(store.jobs.readJob('x')).rejects.toMatchObject({ code: 'CLOSED', isPassing: false });
    await expect(store.jobs.createJob(newJob(), manyRows(3))).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.webhooks.nextDeliveryAt()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.uploads.readUpload('x')).rejects.toMatchObject({ code: 'CLOSED' });
    const again = await openThreadedDataDir(dir);
    expect((await again.jobs.listJobs({ ...everyJob, limit: 5 })).items.length).toBe(2);
    await again.close();
  });

  it('that is closed while a list comes leaves nothing of it', async () => {
    const dir = newDir();
    const store = await openThreadedDataDir(dir);
    async function* endless() {
      for (const row of manyRows(100_000)) {
        yield row;
        if (row.row % 500 === 0) await pass(1);
      }
    }
    const creating = store.jobs.createJob(newJob(), endless());
    creating.catch(() => undefined);
    await expect.poll(() => countRows(dir)).toBeGreaterThan(0);
    await store.close();
    await expect(creating).rejects.toMatchObject({ code: 'CLOSED' });
    const again = await openThreadedDataDir(dir);
    await again.jobs.eraseExpired(later(0));
    await again.close();
    expect(countRows(dir)).toBe(0);
  });

  it('that ends by a bug fails what waits and what comes, tells so once, and can be closed', async () => {
    const dir = newDir();
    openDataDir(dir).close();
    const ends: Error[] = [];
    const path = join(dir, 'rcpt.sqlite');
    const caller = await openThread({ path, place: path, onEnd: (error) => ends.push(error) });
    // What nobody sends: the thread throws where nobody catches.
    caller.say(null as never);
    const { outcome } = caller.begin((id) => ({
      kind: 'call',
      id,
      port: 'jobs',
      method: 'readJob',
      args: ['x'],
    }));
    const lost = { name: 'StoreError', code: 'FAILED', isPassing: false };
    await expect(outcome).rejects.toMatchObject(lost);
    await expect(outcome).rejects.toThrow(/^[^\n]{20,300}$/);
    const later = caller.begin((id) => ({ kind: 'call', id, port: 'jobs', method: 'nextChunkAt', args: [] }));
    await expect(later.outcome).rejects.toMatchObject(lost);
    expect(ends).toEqual([expect.objectContaining({ ...lost, cause: expect.any(TypeError) })]);
    await caller.close();
    await caller.close();
    const again = openDataDir(dir);
    expect(await again.jobs.readJob('x')).toBeNull();
    again.close();
  });

  it('that wants more memory than it has ends, and the process lives', async () => {
    const ends: Error[] = [];
    const dir = newDir();
    const store = await openThreadedDataDir(dir, { onEnd: (error) => ends.push(error) });
    const tooMany = Array.from({ length: 2_000_000 }, (_, n) => `nobody knows a job with this name ${n}`);
    await expect(store.jobs.takeChunk(later(0), later(1), tooMany)).rejects.toMatchObject({ code: 'FAILED' });
    expect(ends).toMatchObject([{ code: 'FAILED', cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' } }]);
    await store.close();
    await (await openThreadedDataDir(dir)).close();
  });
});
