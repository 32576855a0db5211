import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { endLives, type Life, live, mostSettled, readStore } from './lives.ts';
import { createRandom } from './random.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-crash-'));
afterAll(() => {
  endLives();
  rmSync(root, { recursive: true, force: true });
});

/** Each row of each job once, positions without a gap, nothing left open. */
const expectComplete = async (dir: string, total: number): Promise<void> => {
  const [kept] = await readStore(dir);
  expect(kept?.job).toMatchObject({
    state: 'COMPLETED',
    nextRetryAt: null,
    counters: { total, settled: total, deliverable: total, waiting: 0 },
  });
  expect(kept?.rows.map(({ position }) => position)).toEqual(
    Array.from({ length: total }, (_, index) => index + 1),
  );
  expect(new Set(kept?.rows.map(({ row }) => row)).size).toBe(total);
};

describe('kill -9', () => {
  it('ten times at random moments of 50,000 rows, greylisted ones among them, loses nothing', async () => {
    const dir = join(root, 'killed');
    const random = createRandom('kill -9 at random moments');
    const rows = 50_000;
    const total = rows + rows / 20;
    const lives: Life[] = [];
    for (let n = 0; n < 10; n += 1) {
      const start = n === 0 ? [{ rows, domain: 'x.example' }] : [];
      const afterMs = 20 + random() * 400;
      lives.push(
        await live({ dir, leastMs: 5, start }, (event, kill) => {
          if (event.kind === 'ready') setTimeout(() => kill('SIGKILL'), afterMs);
        }),
      );
    }
    expect(lives.map(({ killedBy }) => killedBy)).toEqual(Array(10).fill('SIGKILL'));
    const last = await live({ dir, leastMs: 5 });
    expect(last.exitCode).toBe(0);
    // What one life has told of the next begins with, and goes on from there.
    let told = 0;
    for (const { events } of [...lives, last])
      for (const event of events) {
        if (event.kind !== 'moved') continue;
        expect(event.settled).toBeGreaterThanOrEqual(told);
        told = event.settled;
      }
    const before = Math.max(...lives.map(mostSettled));
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(total);
    expect(
      lives.some(({ events }) => events.some((event) => event.kind === 'moved' && event.waiting > 0)),
    ).toBe(true);
    await expectComplete(dir, total);
  }, 120_000);
});

describe('SIGTERM', () => {
  it('drains within ten seconds and loses nothing', async () => {
    const dir = join(root, 'drained');
    const rows = 2_000;
    const total = rows + rows / 20;
    let isTold = false;
    const first = await live({ dir, leastMs: 300, start: [{ rows, domain: 'x.example' }] }, (event, kill) => {
      if (isTold || event.kind !== 'moved' || event.settled === 0) return;
      isTold = true;
      kill('SIGTERM');
    });
    expect(first).toMatchObject({ exitCode: 0, killedBy: null });
    const closed = first.events.find((event) => event.kind === 'closed');
    expect(closed?.afterMs).toBeLessThan(10_000);
    // What was under way was waited for and is kept: nobody is asked again.
    const [kept] = await readStore(dir);
    expect(kept?.rows.length).toBeGreaterThan(mostSettled(first));
    expect(kept?.job.state).toBe('RUNNING');
    expect((await live({ dir, leastMs: 0 })).exitCode).toBe(0);
    await expectComplete(dir, total);
  }, 60_000);
});
