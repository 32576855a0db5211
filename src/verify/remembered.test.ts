import { describe, expect, test } from 'vitest';
import type { NormalizedAddress } from '../address/index.ts';
import type { Priority } from '../smtp/index.ts';
import { judge } from '../verdict/index.ts';
import { createRemembered } from './remembered.ts';
import type { Verification } from './types.ts';

const startedAt = Date.parse('2030-01-01T00:00:00Z');
const address = 'ada@firm.test' as NormalizedAddress;

/** Of `checkedAt`, which lives for an hour. */
const verified = (checkedAt: number): Verification => ({
  ...judge({ kind: 'syntax', fault: { code: 'EMPTY', message: 'empty', position: 0 } }),
  evidence: { kind: 'syntax', fault: { code: 'EMPTY', message: 'empty', position: 0 } },
  lifeSeconds: 3_600,
  checkedAt: new Date(checkedAt),
  expiresAt: new Date(checkedAt + 3_600_000),
  retryAt: null,
  fromCache: false,
});

const start = () => {
  const clock = { ms: startedAt };
  const kept = new Map<NormalizedAddress, Verification>();
  const errors: unknown[] = [];
  let reads = 0;
  let isBroken = false;
  const remembered = createRemembered({
    memory: {
      recall: async (asked) => {
        reads += 1;
        if (isBroken) throw new Error('disk on fire');
        return kept.get(asked) ?? null;
      },
      remember: async (asked, verification) => {
        if (isBroken) throw new Error('disk on fire');
        kept.set(asked, verification);
      },
    },
    now: () => clock.ms,
    isBelieved: () => true,
    onError: (error) => errors.push(error),
  });
  const recall = (maxAgeSeconds?: number, priority: Priority = 'bulk') =>
    remembered.recall(address, maxAgeSeconds === undefined ? { priority } : { priority, maxAgeSeconds });
  const breakIt = () => {
    isBroken = true;
  };
  return { clock, kept, errors, remembered, recall, breakIt, countReads: () => reads };
};

describe.each(['bulk', 'interactive'] as const)('how old a verdict may be, for %s', (priority) => {
  test.each([
    ['no maxAge, within its life', undefined, 3_599.999, true],
    ['no maxAge, its life over', undefined, 3_600, false],
    ['younger than maxAge', 60, 59.999, true],
    ['as old as maxAge', 60, 60, false],
    ['older than maxAge, within its life', 60, 3_000, false],
    ['a long maxAge does not lengthen its life', 86_400, 3_600, false],
    ['0 wants none', 0, 0, false],
    ['from the future, no maxAge', undefined, -600, true],
    ['from the future', 60, -600, false],
  ] as const)('%s', async (_, maxAgeSeconds, ageSeconds, isTold) => {
    for (const place of ['process', 'memory'] as const) {
      const { clock, kept, remembered, recall } = start();
      if (place === 'process') remembered.remember(address, verified(startedAt), priority);
      else kept.set(address, verified(startedAt));
      clock.ms += ageSeconds * 1_000;
      expect([place, (await recall(maxAgeSeconds, priority)) !== null]).toEqual([place, isTold]);
    }
  });
});

test('too old in the process: another process may have left a younger one in the memory', async () => {
  const { clock, kept, remembered, recall } = start();
  remembered.remember(address, verified(startedAt), 'interactive');
  clock.ms += 600_000;
  kept.set(address, verified(clock.ms - 1_000));
  expect((await recall(60))?.checkedAt).toEqual(new Date(clock.ms - 1_000));
});

test('an older one in the memory never replaces what is in the process', async () => {
  const { clock, kept, remembered, recall } = start();
  clock.ms += 60_000;
  remembered.remember(address, verified(clock.ms), 'bulk');
  kept.set(address, verified(startedAt));
  clock.ms += 30_000;
  expect(await recall(10)).toBeNull();
  expect((await recall(60))?.checkedAt).toEqual(new Date(startedAt + 60_000));
});

test('who insists on asking costs no reading', async () => {
  const { recall, countReads } = start();
  expect(await recall(0)).toBeNull();
  expect(countReads()).toBe(0);
});

test('a list of millions does not push out what persons asked about, and stays small itself', async () => {
  const { kept, remembered, recall, countReads } = start();
  remembered.remember(address, verified(startedAt), 'interactive');
  const row = (n: number) => `user${n}@list.test` as NormalizedAddress;
  for (let n = 0; n < 20_000; n += 1) remembered.remember(row(n), verified(startedAt), 'bulk');
  kept.clear();
  expect(await recall()).not.toBeNull();
  expect(await remembered.recall(row(19_999), { priority: 'bulk' })).not.toBeNull();
  expect(countReads()).toBe(0);
  expect(await remembered.recall(row(0), { priority: 'bulk' })).toBeNull();
});

test.each([
  ['interactive', 'bulk'],
  ['bulk', 'interactive'],
] as const)('asked by %s and then by %s, the newest is told', async (first, then) => {
  const { clock, kept, remembered, recall } = start();
  remembered.remember(address, verified(startedAt), first);
  clock.ms += 60_000;
  remembered.remember(address, verified(clock.ms), then);
  kept.clear();
  expect((await recall())?.checkedAt).toEqual(new Date(clock.ms));
});

test('what has no life is not remembered, and a memory that fails is reported', async () => {
  const { errors, remembered, recall, breakIt } = start();
  remembered.remember(address, { ...verified(startedAt), lifeSeconds: 0 }, 'bulk');
  expect(await recall()).toBeNull();
  breakIt();
  expect(await recall()).toBeNull();
  remembered.remember(address, verified(startedAt), 'bulk');
  expect(await recall()).not.toBeNull();
  expect(errors).toHaveLength(2);
});
