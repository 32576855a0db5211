import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { endLives, type Life, type LifePlan, live, readStore } from './lives.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-poison-'));
afterAll(() => {
  endLives();
  rmSync(root, { recursive: true, force: true });
});

/** A supervisor: starts it again for as long as it dies. */
const liveUntilEnded = async (plan: LifePlan, mostLives: number): Promise<readonly Life[]> => {
  const lives: Life[] = [];
  while (lives.length < mostLives) {
    lives.push(await live({ ...plan, start: lives.length === 0 ? (plan.start ?? []) : [] }));
    if (lives.at(-1)?.exitCode === 0) return lives;
  }
  throw new Error(`it did not end within ${mostLives} lives`);
};

/** Addresses that have a reason, by their rows in the list. */
const countReasons = (rows: readonly { readonly reason: string }[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { reason } of rows) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
};

describe('a row that ends the process each time it is asked', () => {
  const cases: readonly {
    readonly name: string;
    readonly poison: NonNullable<LifePlan['poison']>;
    /** Five deaths for one row; each other one in its chunk costs two more, each chunk at most three. */
    readonly mostLives: number;
  }[] = [
    { name: 'at once', poison: [{ address: 'u701@bad.example', afterMs: 0 }], mostLives: 8 },
    { name: 'after its neighbours', poison: [{ address: 'u701@bad.example', afterMs: 400 }], mostLives: 8 },
    {
      name: 'as another does beside it and in another chunk',
      poison: [
        { address: 'u701@bad.example', afterMs: 0 },
        { address: 'u702@bad.example', afterMs: 30 },
        { address: 'u1401@bad.example', afterMs: 0 },
      ],
      mostLives: 20,
    },
  ];
  it.each(cases)(
    '$name: settles as INTERNAL, its neighbours as they are, and all jobs end',
    async ({ name, poison, mostLives }) => {
      const dir = join(root, name.replaceAll(' ', '-'));
      const start = [
        { rows: 1_500, domain: 'bad.example' },
        { rows: 700, domain: 'good.example' },
      ];
      const lives = await liveUntilEnded({ dir, leastMs: 1, start, poison }, mostLives);
      process.stdout.write(`poison ${name}: ${lives.length} lives\n`);
      const [good, bad] = await readStore(dir);
      expect(good?.job).toMatchObject({ name: 'good.example', state: 'COMPLETED' });
      expect(countReasons(good?.rows ?? [])).toEqual({ MAILBOX_EXISTS: 735 });
      expect(bad?.job).toMatchObject({ name: 'bad.example', state: 'COMPLETED' });
      expect(countReasons(bad?.rows ?? [])).toEqual({
        INTERNAL: poison.length,
        MAILBOX_EXISTS: 1_575 - poison.length,
      });
      expect(lives.at(-1)?.events).toContainEqual({
        kind: 'error',
        code: expect.stringContaining('ended the process each time it was asked'),
      });
    },
    60_000,
  );
});
