import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataDir } from '../../src/store/index.ts';

const child = fileURLToPath(new URL('crash.child.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'rcpt-crash-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const process of running) process.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** One life of the worker: gives the counts it told, until it ended or settled `killAt` rows and was killed. */
const live = async (
  dir: string,
  args: readonly string[],
  killAt: number | null,
): Promise<readonly number[]> => {
  const worker = spawn(process.execPath, [child, dir, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(worker);
  const exited = once(worker, 'exit');
  const counts: number[] = [];
  for await (const line of createInterface({ input: worker.stdout })) {
    if (line === 'ready') continue;
    counts.push(Number(line));
    if (killAt !== null && Number(line) >= killAt) worker.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  running.delete(worker);
  expect(killAt === null ? code : signal).toBe(killAt === null ? 0 : 'SIGKILL');
  return counts;
};

describe('kill -9 in the middle of a job', () => {
  it('loses nothing: the next process completes it, each row once, positions without a gap', async () => {
    const dir = join(root, 'data');
    const rows = 6_000 + 300;
    const first = await live(dir, ['start', '6000'], 500);
    const settled = [Math.max(...first)];
    // What one life has settled the next begins with, and goes on from there.
    for (const killAt of [1_500, 3_000]) {
      const counts = await live(dir, [], killAt);
      expect(counts[0]).toBeGreaterThanOrEqual(settled.at(-1) ?? 0);
      settled.push(Math.max(...counts));
    }
    const last = await live(dir, [], null);
    expect(last[0]).toBeGreaterThanOrEqual(settled.at(-1) ?? 0);
    expect(last.at(-1)).toBe(rows);
    expect(settled.at(-1)).toBeLessThan(rows);

    const store = openDataDir(dir);
    const job = (await store.jobs.listJobs({ limit: 1, afterId: null })).items[0];
    expect(job).toMatchObject({
      state: 'COMPLETED',
      nextRetryAt: null,
      counters: { total: rows, settled: rows, deliverable: rows, waiting: 0, duplicates: 300 },
    });
    const { items } = await store.jobs.readResults(job?.id ?? '', {
      afterPosition: 0,
      limit: 10_000,
      statuses: null,
    });
    expect(items.map(({ position }) => position)).toEqual(
      Array.from({ length: rows }, (_, index) => index + 1),
    );
    expect(new Set(items.map(({ row }) => row)).size).toBe(rows);
    store.close();
  }, 60_000);
});
