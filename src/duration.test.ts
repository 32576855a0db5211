import { expect, test } from 'vitest';
import { parseDuration, printDuration } from './duration.ts';

test.each([
  ['0s', 0],
  ['90s', 90],
  ['15m', 900],
  ['12h', 43_200],
  ['7d', 604_800],
  ['2w', 1_209_600],
  ['PT1H', 3_600],
  ['P1DT12H', 129_600],
  ['P2W', 1_209_600],
  ['PT0S', 0],
  ['PT1M30S', 90],
])('%s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each([
  ['', 'empty'],
  ['7', 'no unit'],
  ['7 d', 'a space'],
  ['-7d', 'negative'],
  ['1.5h', 'a fraction'],
  ['7D', 'upper-case unit'],
  ['P', 'ISO without parts'],
  ['PT', 'ISO time without parts'],
  ['P1DT', 'ISO with an empty time'],
  ['P1M', 'months have no fixed length'],
  ['P1Y', 'years have no fixed length'],
  ['36501d', 'longer than a hundred years'],
  ['9999999999w', 'overflow'],
  [`${'9'.repeat(1_000_000)}s`, 'a megabyte of digits'],
])('%s is refused: %s', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test.each([
  [0, '0s'],
  [90, '90s'],
  [900, '15m'],
  [5_400, '90m'],
  [604_800, '7d'],
  [3_601, '3601s'],
])('%d prints as %s and parses back', (seconds, text) => {
  expect(printDuration(seconds)).toBe(text);
  expect(parseDuration(text)).toBe(seconds);
});
