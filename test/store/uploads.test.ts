import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUploads, type Upload, type UploadStore, type Uploads } from '../../src/jobs/index.ts';
import {
  openDataDir,
  openSqliteStore,
  openThreadedDataDir,
  type SqliteStore,
} from '../../src/store/index.ts';
import { describeUploadStore, type OpenUploads } from './uploads-contract.ts';

const maxBytes = 1_000;
const lifeMs = 3_600_000;
let dir = '';
let at = 0;
let store: SqliteStore;
let uploads: Uploads;
let files: UploadStore;
const faults: unknown[] = [];

const openAll = (): void => {
  store = openDataDir(dir);
  if (store.uploads === null) throw new Error('a data directory has uploads');
  files = store.uploads;
  uploads = createUploads({
    store: files,
    now: () => new Date(at),
    maxBytes,
    lifeMs,
    onError: (error) => faults.push(error),
  });
};
const closeAll = async (): Promise<void> => {
  await uploads.close();
  store.close();
};
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rcpt-uploads-'));
  at = Date.parse('2026-01-02T03:04:05Z');
  faults.length = 0;
  openAll();
});
afterEach(async () => {
  await closeAll();
  rmSync(dir, { recursive: true, force: true });
  expect(faults).toEqual([]);
});

const inDir = (): string[] => readdirSync(join(dir, 'uploads'));
async function* octets(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}
const create = async (over: Partial<Parameters<Uploads['create']>[0]> = {}): Promise<Upload> => {
  const outcome = await uploads.create({ fileName: null, sizeBytes: null, owner: null, ...over });
  if (outcome.kind !== 'created') throw new Error(outcome.kind);
  return outcome.upload;
};
const whole = { start: 0, total: null, isLast: true };
const contentOf = async (id: string): Promise<string> => {
  const all: Uint8Array[] = [];
  for await (const piece of files.openUpload(id)) all.push(piece);
  return Buffer.concat(all).toString();
};

const opener = (isThreaded: boolean) => {
  const open = async (path = mkdtempSync(join(tmpdir(), 'rcpt-uploads-'))): Promise<OpenUploads> => {
    const opened = isThreaded ? await openThreadedDataDir(path) : openDataDir(path);
    return {
      files: opened.uploads,
      readKept: async () => readdirSync(join(path, 'uploads')),
      async reopen() {
        await opened.close();
        return open(path);
      },
      async close() {
        await opened.close();
        rmSync(path, { recursive: true, force: true });
      },
    };
  };
  return () => open();
};
describeUploadStore('an upload to a data directory', opener(false));
describeUploadStore('an upload to a data directory of a thread', opener(true));

describe('an upload', () => {
  it('is a row, and a file that nobody else on the machine reads', async () => {
    const upload = await create({ fileName: '../../etc/pass\nwd', owner: 'key-1', sizeBytes: 10 });
    expect(upload).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}$/),
      owner: 'key-1',
      fileName: 'passwd',
      state: 'OPEN',
      sizeBytes: 10,
      receivedBytes: 0,
      createdAt: new Date(at),
      expiresAt: new Date(at + lifeMs),
      sha256: null,
    });
    await uploads.write(upload.id, { start: 0, total: 10, isLast: false }, octets('01234'));
    expect(inDir()).toEqual([upload.id]);
    expect(statSync(join(dir, 'uploads')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'uploads', upload.id)).mode & 0o777).toBe(0o600);
  });

  it('has one writer at a time, which takes a piece when the one before is on the disk', async () => {
    const { id } = await create();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const sizes: number[] = [];
    async function* slow() {
      yield Buffer.from('abc');
      sizes.push(statSync(join(dir, 'uploads', id)).size);
      begun();
      await held;
      yield Buffer.from('def');
      sizes.push(statSync(join(dir, 'uploads', id)).size);
    }
    const writing = uploads.write(id, whole, slow());
    await started;
    expect(await uploads.write(id, whole, octets('x'))).toEqual({ kind: 'busy' });
    expect(await files.appendToUpload(id, 3, octets('x'))).toBe('busy');
    release();
    expect(await writing).toMatchObject({ kind: 'written' });
    expect(sizes).toEqual([3, 6]);
    expect(await contentOf(id)).toBe('abcdef');
  });

  it('is never written through a link', async () => {
    const { id } = await create();
    const target = join(dir, 'target');
    writeFileSync(target, '');
    symlinkSync(target, join(dir, 'uploads', id));
    await expect(uploads.write(id, whole, octets('x'))).rejects.toThrow();
    expect(readFileSync(target, 'utf8')).toBe('');
  });
});

describe('time', () => {
  it('erases at the start what expired, and files that nothing is known of', async () => {
    const kept = await create();
    await uploads.write(kept.id, whole, octets('abc'));
    const used = await create();
    await uploads.write(used.id, whole, octets('abc'));
    await files.useUpload(used.id, null);
    await closeAll();
    for (const name of ['stray', crypto.randomUUID(), used.id])
      writeFileSync(join(dir, 'uploads', name), 'x');
    openAll();
    // The sweep of the start is awaited by close.
    await uploads.close();
    expect(inDir()).toEqual([kept.id]);
    writeFileSync(join(dir, 'uploads', 'stray'), 'x');
    expect(await files.eraseExpiredUploads(new Date(at))).toBe(1);
    expect(inDir()).toEqual([kept.id]);
  });
});

describe('the sweep', () => {
  it('comes by its own timer, and no more after close', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await closeAll();
      openAll();
      const { id } = await create();
      await uploads.write(id, whole, octets('abc'));
      at += lifeMs;
      vi.advanceTimersByTime(60_000);
      await uploads.close();
      expect(inDir()).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a store without a directory', () => {
  it('has no uploads', () => {
    const temporary = openSqliteStore({ path: '' });
    expect(temporary.uploads).toBeNull();
    temporary.close();
  });
});
