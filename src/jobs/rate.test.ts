import { describe, expect, it } from 'vitest';
import { progressOf } from './progress.ts';
import { createRateMeter } from './rate.ts';
import type { Job } from './types.ts';

const at = (seconds: number): Date => new Date(1_000_000 + seconds * 1_000);
const jobOf = (settled: number, over: Partial<Job> = {}, waiting = 0, total = 1_000): Job => ({
  id: 'j',
  owner: null,
  name: null,
  state: 'RUNNING',
  createdAt: at(0),
  startedAt: at(0),
  endedAt: null,
  expiresAt: at(9_999),
  counters: {
    total,
    settled,
    waiting,
    deliverable: settled,
    undeliverable: 0,
    risky: 0,
    unknown: 0,
    duplicates: 0,
  },
  nextRetryAt: null,
  list: { format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 },
  maxAgeSeconds: null,
  storedBytes: 0,
  webhook: null,
  ...over,
});

describe('the rate', () => {
  /** Samples of (second, settled), and the rate after the last. */
  const rows: readonly (readonly [string, readonly (readonly [number, number])[], number])[] = [
    ['nothing yet', [[0, 0]], 0],
    ['the first seconds count from the start', [[2, 40]], 20],
    ['the first moment counts as a second', [[0.1, 40]], 40],
    [
      'steady',
      [
        [1, 10],
        [5, 50],
        [10, 100],
        [20, 200],
      ],
      10,
    ],
    [
      'only the last ten seconds',
      [
        [1, 1_000],
        [15, 1_000],
        [20, 1_005],
        [25, 1_010],
      ],
      1,
    ],
    [
      'nothing moved',
      [
        [1, 100],
        [5, 100],
        [12, 100],
        [22, 100],
      ],
      0,
    ],
    [
      'samples closer than the grain replace each other',
      [
        [0, 0],
        [0.1, 1],
        [0.2, 2],
        [0.3, 3],
        [10, 100],
      ],
      10,
    ],
    [
      'a gap of a minute is told as the average over it',
      [
        [1, 10],
        [61, 610],
      ],
      10,
    ],
    [
      'a clock set back begins anew',
      [
        [100, 500],
        [5, 500],
        [6, 507],
      ],
      7,
    ],
  ];
  it.each(rows)('%s', (_name, samples, expected) => {
    const meter = createRateMeter();
    const rates = samples.map(([second, settled]) => meter.observe(jobOf(settled), at(second)));
    expect(rates.at(-1)).toBeCloseTo(expected, 5);
  });

  it('is 0 for a job that has ended, and unknown for one seen late for the first time', () => {
    const meter = createRateMeter();
    meter.observe(jobOf(50), at(5));
    expect(meter.observe(jobOf(100, { endedAt: at(6), state: 'COMPLETED' }), at(6))).toBe(0);
  });

  it('keeps jobs apart, and not more of them than it says', () => {
    const meter = createRateMeter();
    for (let n = 0; n < 5_000; n += 1) meter.observe(jobOf(100, { id: `j${n}`, startedAt: null }), at(1));
    // Forgotten and seen anew: no rate; remembered: one.
    expect(meter.observe(jobOf(200, { id: 'j0', startedAt: null }), at(11))).toBe(0);
    expect(meter.observe(jobOf(200, { id: 'j4999', startedAt: null }), at(11))).toBe(10);
  });
});

describe('progressOf', () => {
  const rows: readonly (readonly [string, Job, number, number | null])[] = [
    ['no rate yet', jobOf(0), 0, null],
    ['half-way', jobOf(500), 50, 10],
    ['rounded up', jobOf(999), 50, 1],
    ['waiting rows move by their own clock', jobOf(500, {}, 300), 50, 4],
    ['only waiting rows are left', jobOf(900, {}, 100), 50, null],
    ['ended', jobOf(1_000, { endedAt: at(9), state: 'COMPLETED' }), 0, 0],
    ['cancelled', jobOf(10, { endedAt: at(9), state: 'CANCELLED' }), 0, 0],
  ];
  it.each(rows)('%s', (_name, job, rate, secondsLeft) => {
    expect(progressOf(job, rate)).toEqual({
      ...job.counters,
      perSecond: rate,
      secondsLeft,
      nextRetryAt: null,
    });
  });

  it('gives the rate to one decimal', () => {
    expect(progressOf(jobOf(1), 3.149).perSecond).toBe(3.1);
  });
});
