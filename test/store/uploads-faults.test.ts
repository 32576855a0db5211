/** Uploads of real processes: killed half-way, and on a disk that is full. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { createUploads } from '../../src/jobs/index.ts';
import { openDataDir } from '../../src/store/index.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-uploads-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const child = join(import.meta.dirname, 'uploads.child.ts');

const runFill = (dir: string, shellPrefix: string) =>
  JSON.parse(
    execFileSync('sh', ['-c', `${shellPrefix} exec "$0" "$1" fill "$2"`, process.execPath, child, dir], {
      encoding: 'utf8',
      timeout: 15_000,
    }),
  );

const expectNothingLeft = (told: ReturnType<typeof runFill>): void => {
  expect(told).toMatchObject({
    outcome: { kind: 'storeTrouble' },
    faults: ['DISK_FULL'],
    left: [],
    upload: { state: 'OPEN', receivedBytes: 0 },
    again: { kind: 'written', upload: { state: 'COMPLETE', receivedBytes: 131_072 } },
  });
};

describe('a full disk', () => {
  it('keeps nothing of the upload, which can be begun again: a file system of 4 MB', () => {
    const dir = join(root, 'small');
    mkdirSync(dir);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir], { encoding: 'utf8' });
    if (mounted.status !== 0) {
      // Not everybody may mount; the limit below is a real refusal of the kernel's as well.
      process.stderr.write(`no small file system: ${mounted.stderr || mounted.error?.message}\n`);
      expectNothingLeft(runFill(join(root, 'limited-instead'), 'ulimit -f 4096;'));
      return;
    }
    try {
      expectNothingLeft(runFill(dir, ''));
    } finally {
      execFileSync('umount', [dir]);
    }
  });

  it('keeps nothing of the upload, which can be begun again: files of 2 MB at most', () => {
    expectNothingLeft(runFill(join(root, 'limited'), 'ulimit -f 4096;'));
  });
});

describe('kill -9', () => {
  it('leaves what the disk has, and the upload goes on from there', async () => {
    const dir = join(root, 'killed');
    const killed = spawn(process.execPath, [child, 'stream', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(killed.stdout)[Symbol.asyncIterator]();
    const id = String((await lines.next()).value);
    let handed = 0;
    while (handed < 20) handed = Number((await lines.next()).value);
    killed.kill('SIGKILL');
    await once(killed, 'exit');

    const store = openDataDir(dir);
    if (store.uploads === null) throw new Error('a data directory has uploads');
    const failed = (error: unknown) => {
      throw error;
    };
    const options = { now: () => new Date(), maxBytes: 2 ** 30, lifeMs: 3_600_000, onError: failed };
    const uploads = createUploads({ store: store.uploads, ...options });
    try {
      const found = await uploads.read(id);
      // All that was written before the next piece was asked for.
      expect(found).toMatchObject({ state: 'OPEN' });
      const { receivedBytes } = found ?? { receivedBytes: 0 };
      expect(receivedBytes).toBeGreaterThanOrEqual((handed - 1) * 65_536);
      const rest = async function* () {
        yield Buffer.from('the rest');
      };
      const at = { total: receivedBytes + 8, isLast: true };
      expect(await uploads.write(id, { start: receivedBytes + 1, ...at }, rest())).toMatchObject({
        kind: 'misplaced',
      });
      expect(await uploads.write(id, { start: receivedBytes, ...at }, rest())).toMatchObject({
        kind: 'written',
        upload: { state: 'COMPLETE', receivedBytes: receivedBytes + 8 },
      });
      let length = 0;
      for await (const octets of store.uploads.openUpload(id)) length += octets.length;
      expect(length).toBe(receivedBytes + 8);
    } finally {
      await uploads.close();
      store.close();
    }
  });
});
