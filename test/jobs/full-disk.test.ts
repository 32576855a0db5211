import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { endLives, live, mostSettled, readStore } from './lives.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-full-'));
const dir = join(root, 'disk');
mkdirSync(dir);

/** A file system of 48 MB of our own, where that is permitted. */
const isMounted = ((): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', dir], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
afterAll(() => {
  endLives();
  if (isMounted) execFileSync('umount', [dir]);
  rmSync(root, { recursive: true, force: true });
});

const ballast = join(dir, 'ballast');
/** Writes until there is no room, in pieces that leave none for a page of the database. */
const fill = (): void => {
  const file = openSync(ballast, 'w');
  try {
    for (const size of [1 << 20, 4_096])
      try {
        for (let n = 0; n < 100_000; n += 1) writeSync(file, new Uint8Array(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
  } finally {
    closeSync(file);
  }
};

it('a disk that fills up while a job settles: it waits, says so, and goes on when there is room', async () => {
  process.stdout.write(`full disk: ${isMounted ? 'a tmpfs of 48 MB' : 'a store that may not grow'}\n`);
  const rows = 20_000;
  const total = rows + rows / 20;
  let isFull = false;
  let errors = 0;
  let settledWhenFull = 0;
  const life = await live(
    { dir: join(dir, 'data'), leastMs: 5, start: [{ rows, domain: 'x.example' }] },
    (event, kill) => {
      if (event.kind === 'moved' && event.settled > 0 && !isFull && errors === 0) {
        isFull = true;
        settledWhenFull = event.settled;
        if (isMounted) fill();
        else kill('SIGUSR2');
      }
      if (event.kind !== 'error') return;
      expect(event.code).toBe('DISK_FULL');
      errors += 1;
      if (errors !== 6) return;
      isFull = false;
      if (isMounted) rmSync(ballast);
      else kill('SIGUSR2');
    },
  );
  expect(life).toMatchObject({ exitCode: 0, killedBy: null });
  expect(errors).toBeGreaterThanOrEqual(6);
  // With back-off, and not a storm.
  expect(errors).toBeLessThan(100);
  expect(settledWhenFull).toBeLessThan(total);
  expect(mostSettled(life)).toBe(total);
  const [kept] = await readStore(join(dir, 'data'));
  expect(kept?.job).toMatchObject({ state: 'COMPLETED', counters: { settled: total, deliverable: total } });
  expect(kept?.rows.map(({ position }) => position)).toEqual(Array.from({ length: total }, (_, n) => n + 1));
  expect(new Set(kept?.rows.map(({ row }) => row)).size).toBe(total);
}, 60_000);
