/** Keys on a SQLite file that several processes have open. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import type { KeyStore } from '../../src/keys/index.ts';
import { openDataDir, openSqliteKeys, StoreError } from '../../src/store/index.ts';
import { drawAnyKey } from './any-key.ts';
import { describeKeyStore, type OpenKeys } from './keys-contract.ts';
import { later } from './list.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-keys-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const newDir = (): string => {
  made += 1;
  return join(root, `${made}`);
};
const child = join(import.meta.dirname, 'keys.child.ts');

const open = async (dir: string): Promise<OpenKeys> => {
  const [one, two] = [openSqliteKeys(dir), openSqliteKeys(dir)];
  const close = async () => {
    one.close();
    two.close();
  };
  return {
    keys: one.keys,
    others: two.keys,
    close,
    async reopen() {
      await close();
      return open(dir);
    },
  };
};
describeKeyStore('keys in a SQLite file', () => open(newDir()));

const idsOf = async (keys: KeyStore): Promise<readonly string[]> =>
  (await keys.readKeys()).map(({ id }) => id);

describe('the file of the keys', () => {
  it('is for this user alone, its log too, and so is its directory', async () => {
    const dir = join(newDir(), 'deep');
    const { keys, close } = openSqliteKeys(dir);
    await keys.createKey(drawAnyKey().key);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir).toSorted()).toEqual(['keys.sqlite', 'keys.sqlite-shm', 'keys.sqlite-wal']);
    for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600);
    close();
  });

  it('is opened while the data directory is locked, and the other way round', async () => {
    const dir = newDir();
    const first = openSqliteKeys(dir);
    const serving = openDataDir(dir);
    const second = openSqliteKeys(dir);
    await second.keys.createKey(drawAnyKey().key);
    expect(await first.keys.readKeys()).toHaveLength(1);
    for (const { close } of [first, serving, second]) close();
  });

  it('says LOCKED when another process writes for longer than may be waited, and can be read meanwhile', async () => {
    const dir = newDir();
    const { keys, close } = openSqliteKeys(dir, { waitMs: 20 });
    const { key } = drawAnyKey();
    await keys.createKey(key);
    const writer = new DatabaseSync(join(dir, 'keys.sqlite'));
    writer.exec('BEGIN IMMEDIATE');
    for (const work of [
      () => keys.createKey(drawAnyKey().key),
      () => keys.revokeKey(key.id, later(1)),
      () => keys.noteUses([{ id: key.id, at: later(1) }]),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'LOCKED', isPassing: true });
    expect(await keys.readKeys()).toEqual([key]);
    writer.exec('ROLLBACK');
    writer.close();
    expect(await keys.revokeKey(key.id, later(1))).toBe(true);
    close();
  });

  it('that is closed says CLOSED, and closing twice is once', async () => {
    const { keys, close } = openSqliteKeys(newDir());
    close();
    close();
    for (const work of [
      () => keys.readVersion(),
      () => keys.readKeys(),
      () => keys.createKey(drawAnyKey().key),
      () => keys.revokeKey('x', later(1)),
      () => keys.noteUses([]),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'CLOSED', isPassing: false });
  });
});

describe('processes that have the file open', () => {
  it('come to a directory that is not there all at once: all their keys are kept, and seen as they come', async () => {
    const dir = newDir();
    const lives = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [child, dir, '15'], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const { keys, close } = openSqliteKeys(dir);
    let version = -1;
    let known: readonly string[] = [];
    /** As a gateway looks: at the keys only when there is a new version. */
    const look = async (): Promise<readonly string[]> => {
      const newest = await keys.readVersion();
      expect(newest).toBeGreaterThanOrEqual(version);
      if (newest > version) known = await idsOf(keys);
      version = newest;
      return known;
    };
    const said = await Promise.all(
      lives.map(async (life) => {
        const ended = once(life, 'exit');
        const ids: string[] = [];
        for await (const id of createInterface(life.stdout)) {
          ids.push(id);
          expect(await look()).toContain(id);
        }
        expect(await ended).toEqual([0, null]);
        return ids;
      }),
    );
    expect(new Set(await idsOf(keys))).toEqual(new Set(said.flat()));
    expect(said.flat()).toHaveLength(60);
    expect((await keys.readKeys()).filter(({ revokedAt }) => revokedAt !== null)).toHaveLength(4 * 7);
    close();
  });

  it('keep what they said when they are killed', async () => {
    const dir = newDir();
    const life = spawn(process.execPath, [child, dir, '100000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ids: string[] = [];
    for await (const id of createInterface(life.stdout)) {
      ids.push(id);
      if (ids.length === 20) life.kill('SIGKILL');
    }
    const { keys, close } = openSqliteKeys(dir);
    expect((await idsOf(keys)).slice(0, ids.length)).toEqual(ids);
    await keys.createKey(drawAnyKey().key);
    close();
  });
});

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // One line for an operator, which names the file.
    expect(error.message).toMatch(/^[^\n]*keys\.sqlite[^\n]{20,300}$/);
    return error.code;
  }
  throw new Error('nothing was thrown');
};

describe('a file that cannot be that of the keys', () => {
  const write = (content: string | Uint8Array): string => {
    const dir = newDir();
    mkdirSync(dir);
    writeFileSync(join(dir, 'keys.sqlite'), content);
    return dir;
  };
  const readFile = (dir: string): Buffer => readFileSync(join(dir, 'keys.sqlite'));
  /** A file with a key in it, as it lies on the disk. */
  const readWhole = async (): Promise<Buffer> => {
    const dir = newDir();
    const { keys, close } = openSqliteKeys(dir);
    await keys.createKey(drawAnyKey().key);
    close();
    return readFile(dir);
  };

  it('is no database: NOT_A_DATABASE, and stays as it is', () => {
    const dir = write('hello'.repeat(1_000));
    expect(codeOf(() => openSqliteKeys(dir))).toBe('NOT_A_DATABASE');
    expect(readFile(dir).toString()).toBe('hello'.repeat(1_000));
  });

  it("is another program's, be it our own store: FOREIGN_DATABASE, and stays as it is", () => {
    const other = newDir();
    openDataDir(other).close();
    const content = readFileSync(join(other, 'rcpt.sqlite'));
    const dir = write(content);
    expect(codeOf(() => openSqliteKeys(dir))).toBe('FOREIGN_DATABASE');
    expect(readFile(dir)).toEqual(content);
  });

  it("is a newer rcpt's: NEWER_VERSION, and stays as it is", async () => {
    const dir = write(await readWhole());
    const newer = new DatabaseSync(join(dir, 'keys.sqlite'));
    newer.exec('PRAGMA user_version = 1000');
    newer.close();
    const content = readFile(dir);
    expect(codeOf(() => openSqliteKeys(dir))).toBe('NEWER_VERSION');
    expect(readFile(dir)).toEqual(content);
  });

  it('is torn: DAMAGED, when it is opened or when it is read', async () => {
    const content = await readWhole();
    expect(codeOf(() => openSqliteKeys(write(Buffer.from(content).fill(0xa5, 100, 4_096))))).toBe('DAMAGED');
    const { keys, close } = openSqliteKeys(write(Buffer.from(content).fill(0xa5, 4_096)));
    await expect(keys.readKeys()).rejects.toMatchObject({ code: 'DAMAGED', isPassing: false });
    await expect(keys.createKey(drawAnyKey().key)).rejects.toMatchObject({ code: 'DAMAGED' });
    close();
  });

  it('cannot be made: UNWRITABLE', () => {
    const dir = newDir();
    mkdirSync(join(dir, 'keys.sqlite'), { recursive: true });
    expect(codeOf(() => openSqliteKeys(dir))).toBe('UNWRITABLE');
    const file = newDir();
    writeFileSync(file, '');
    expect(codeOf(() => openSqliteKeys(file))).toBe('UNWRITABLE');
    expect(codeOf(() => openSqliteKeys(join(file, 'below')))).toBe('UNWRITABLE');
  });
});

describe('a full disk', () => {
  it('takes no key and revokes none, says DISK_FULL, and keys can be read', async (context) => {
    const dir = newDir();
    mkdirSync(dir);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir], {
      encoding: 'utf8',
    });
    if (mounted.status !== 0) {
      process.stderr.write(`SKIPPED: no small file system: ${mounted.stderr || mounted.error?.message}\n`);
      context.skip();
    }
    try {
      const one = openSqliteKeys(dir);
      const { key } = drawAnyKey();
      await one.keys.createKey(key);
      const ballast = join(dir, 'ballast');
      expect(() => writeFileSync(ballast, Buffer.alloc(1_000_000))).toThrow('ENOSPC');
      const fill = async (): Promise<unknown> => {
        for (let n = 0; n < 100; n += 1) {
          const fault = await one.keys.createKey(drawAnyKey().key).catch((error: unknown) => error);
          if (fault !== undefined) return fault;
        }
        return null;
      };
      expect(await fill()).toMatchObject({ code: 'DISK_FULL', isPassing: true });
      const kept = await one.keys.readKeys();
      const version = await one.keys.readVersion();
      await expect(one.keys.revokeKey(key.id, later(1))).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect([await one.keys.readKeys(), await one.keys.readVersion()]).toEqual([kept, version]);
      rmSync(ballast);
      expect(await one.keys.revokeKey(key.id, later(1))).toBe(true);
      expect((await one.keys.readKeys())[0]?.revokedAt).toEqual(later(1));
      one.close();
    } finally {
      execFileSync('umount', [dir]);
    }
  });
});
