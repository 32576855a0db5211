import { describe, expect, test } from 'vitest';
import { printProgress } from './progress-bar.ts';
import { printSafely } from './receipt.ts';

describe('what an address says never drives the terminal', () => {
  test.each([
    ['anna@accepts.test', 'anna@accepts.test'],
    ['\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
    ['a\r\nb', 'a\\u000d\\u000ab'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u009b31m', '\\u009b31m'],
    ['jörg@bücher.test', 'jörg@bücher.test'],
  ])('%j', (text, safe) => {
    expect(printSafely(text)).toBe(safe);
  });
});

describe('the progress line', () => {
  const counters = { deliverable: 1_200, undeliverable: 300, risky: 4, unknown: 5, duplicates: 0 };
  const snapshot = (changes: object) =>
    ({
      job: {},
      progress: {
        total: 5_000,
        settled: 1_509,
        waiting: 0,
        ...counters,
        perSecond: 1_234.4,
        secondsLeft: 61.2,
        nextRetryAt: null,
        ...changes,
      },
    }) as unknown as Parameters<typeof printProgress>[0];

  test.each([
    [{}, '███████░░░░░░░░░░░░░░░░░  30 %  1,509/5,000  1,234/s  62s left  ✓ 1,200  ✗ 300  ~ 4  ? 5'],
    [
      { waiting: 7, secondsLeft: null },
      '███████░░░░░░░░░░░░░░░░░  30 %  1,509/5,000  1,234/s  ✓ 1,200  ✗ 300  ~ 4  ? 5  7 waiting',
    ],
    [
      { settled: 5_000, secondsLeft: 0 },
      '████████████████████████ 100 %  5,000/5,000  1,234/s  ✓ 1,200  ✗ 300  ~ 4  ? 5',
    ],
  ])('%j', (changes, line) => {
    expect(printProgress(snapshot(changes))).toBe(line);
  });
});
