import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import { openDataDir, openSqliteStore, StoreError } from '../../src/store/index.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { createSqliteJobStore } from '../../src/store/sqlite/jobs.ts';
import { createTemporaryStorage } from '../../src/store/sqlite/storage.ts';
import { describeDurableJobStore, describeJobStore } from './contract.ts';
import { create, everyJob, later, manyRows, newJob, readJob, result, take } from './list.ts';
import type { OpenStore } from './open.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const newPath = (): string => {
  made += 1;
  return join(root, `${made}.sqlite`);
};
const open = async (path: string): Promise<OpenStore> => {
  const opened = openSqliteStore({ path });
  return {
    store: opened.jobs,
    webhooks: opened.webhooks,
    fillDisk: async () => opened.limitPages(1),
    makeRoom: async () => opened.limitPages(null),
    reopen:
      path === ''
        ? null
        : async () => {
            opened.close();
            return open(path);
          },
    close: async () => opened.close(),
  };
};

describeJobStore('a SQLite file', () => open(newPath()));
describeDurableJobStore('a SQLite file', () => open(newPath()));
describeJobStore('a temporary SQLite database', () => open(''));

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // One line for an operator.
    expect(error.message).toMatch(/^[^\n]{20,300}$/);
    return error.code;
  }
  throw new Error('nothing was thrown');
};

describe('a file that cannot be the store', () => {
  it('is no database: NOT_A_DATABASE, and stays as it is', () => {
    for (const content of ['hello', 'x'.repeat(5_000)]) {
      const path = newPath();
      writeFileSync(path, content);
      expect(codeOf(() => openSqliteStore({ path }))).toBe('NOT_A_DATABASE');
      expect(readFileSync(path, 'utf8')).toBe(content);
    }
  });

  it("is another program's: FOREIGN_DATABASE, and stays as it is", () => {
    const path = newPath();
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE job (theirs TEXT)');
    other.close();
    const before = readFileSync(path);
    expect(codeOf(() => openSqliteStore({ path }))).toBe('FOREIGN_DATABASE');
    expect(readFileSync(path)).toEqual(before);
  });

  it("is a newer rcpt's: NEWER_VERSION", () => {
    const path = newPath();
    openSqliteStore({ path }).close();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 1000');
    newer.close();
    expect(codeOf(() => openSqliteStore({ path }))).toBe('NEWER_VERSION');
  });

  it('is torn: DAMAGED', () => {
    const path = newPath();
    openSqliteStore({ path }).close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, 4_096);
    writeFileSync(path, bytes);
    expect(codeOf(() => openSqliteStore({ path }))).toBe('DAMAGED');
  });

  it('cannot be made: UNWRITABLE', () => {
    const file = newPath();
    writeFileSync(file, '');
    expect(codeOf(() => openSqliteStore({ path: join(root, 'missing', 'x.sqlite') }))).toBe('UNWRITABLE');
    expect(codeOf(() => openSqliteStore({ path: root }))).toBe('UNWRITABLE');
    expect(codeOf(() => openDataDir(file))).toBe('UNWRITABLE');
    expect(codeOf(() => openDataDir(join(file, 'below')))).toBe('UNWRITABLE');
  });

  it('is closed: CLOSED, and closing twice is once', async () => {
    const store = openSqliteStore({ path: '' });
    store.close();
    store.close();
    await expect(store.jobs.readJob('x')).rejects.toMatchObject({ code: 'CLOSED', isPassing: false });
    await expect(store.jobs.createJob(newJob(), [])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('the data directory', () => {
  it('is made for this user alone, and can be opened again after it was closed', () => {
    const dir = join(root, 'deep', 'data');
    openDataDir(dir).close();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    openDataDir(dir).close();
  });

  it('is refused to a second process while the first lives, and free once that was killed', async () => {
    const dir = join(root, 'shared');
    mkdirSync(dir);
    const script = `
      const { openDataDir } = await import(${JSON.stringify(new URL('../../src/store/index.ts', import.meta.url).href)});
      openDataDir(${JSON.stringify(dir)});
      console.log('open');
      setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(codeOf(() => openDataDir(dir))).toBe('LOCKED');
    child.kill('SIGKILL');
    await once(child, 'exit');
    openDataDir(dir).close();
  });

  it('is refused to a second opener in the same process', () => {
    const dir = join(root, 'twice');
    const first = openDataDir(dir);
    expect(codeOf(() => openDataDir(dir))).toBe('LOCKED');
    first.close();
    openDataDir(dir).close();
  });
});

describe('a full disk', () => {
  /** A store whose file may grow no further than it is now plus some pages. */
  const openSmall = async (prepare: (store: JobStore) => Promise<void>, pages: number) => {
    const path = newPath();
    const db = openDatabase(path);
    const store = createSqliteJobStore(db, path, createTemporaryStorage(db));
    await prepare(store);
    const limit = (most: number) => db.exec(`PRAGMA max_page_count = ${most}`);
    limit(Number(db.prepare('PRAGMA page_count').get()?.page_count) + pages);
    return { store, limit, db };
  };

  it('takes no part of a list', async () => {
    const { store, limit, db } = await openSmall(async () => {}, 20);
    await expect(store.createJob(newJob(), manyRows(20_000))).rejects.toMatchObject({
      code: 'DISK_FULL',
      isPassing: true,
    });
    limit(1_000_000);
    expect(await store.listJobs({ ...everyJob, limit: 5 })).toEqual({ items: [], hasNextPage: false });
    await store.eraseExpired(later(0));
    for (const table of ['job', 'list_row', 'chunk'])
      expect(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()).toEqual({ n: 0 });
    await create(store, manyRows(1_000));
    db.close();
  });

  it('erases later what it could not take back at once', async () => {
    const { store, db } = await openSmall(async () => {}, 1_000);
    db.exec(`CREATE TEMP TRIGGER full BEFORE UPDATE OF state ON main.job WHEN NEW.state = 'ERASING'
      BEGIN SELECT RAISE(ABORT, 'no room'); END`);
    async function* broken() {
      yield* manyRows(600);
      throw new Error('the upload broke');
    }
    await expect(store.createJob(newJob(), broken())).rejects.toThrow('the upload broke');
    const rows = () => db.prepare('SELECT count(*) AS n FROM list_row').get()?.n;
    expect(rows()).toBe(500);
    db.exec('DROP TRIGGER full');
    await store.eraseExpired(later(0));
    expect(rows()).toBe(0);
    db.close();
  });

  it('settles nothing by half, and goes on when there is room again', async () => {
    const { store, limit, db } = await openSmall(
      async (fresh) => void (await create(fresh, manyRows(2_000))),
      0,
    );
    const chunk = await take(store);
    const settled = chunk.rows.map((row) =>
      result(row, { reply: { code: 250, enhancedCode: null, text: 'x'.repeat(300) } }),
    );
    await expect(store.settleChunk(chunk, { settled, waiting: [] }, later(1))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });
    expect((await readJob(store, chunk.jobId)).counters.settled).toBe(0);
    limit(1_000_000);
    expect(await store.settleChunk(chunk, { settled, waiting: [] }, later(1))).toBe('settled');
    expect((await readJob(store, chunk.jobId)).counters.settled).toBe(chunk.rows.length);
    db.close();
  });
});
