import { expect, test } from 'vitest';
import { addDistinct, clearDistinct, countDistinct, createDistinct } from './distinct.ts';

/** Well mixed bits of a number (the finalizer of MurmurHash3). */
const mix = (n: number): number => {
  let bits = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) | 0;
};
const countOf = (most: number, hashes: Iterable<number>) => {
  const distinct = createDistinct(most);
  for (const hash of hashes) addDistinct(distinct, hash);
  return distinct;
};
const range = (count: number) => Array.from({ length: count }, (_, n) => mix(n + 1));

test.each([0, 1, 2, 499, 500])('%d are counted exactly, however often each comes', (count) => {
  expect(countDistinct(countOf(500, [...range(count), ...range(count), ...range(count)]))).toBe(count);
});

test.each([501, 5_000, 200_000])('%d are estimated within a fifth, in no more memory', (count) => {
  const distinct = countOf(500, [...range(count), ...range(count)]);
  expect(distinct.kept.size).toBeLessThanOrEqual(500);
  expect(Math.abs(countDistinct(distinct) / count - 1)).toBeLessThan(0.2);
});

test('hashes that are all alike end too', () => {
  const alike = [0, 1 << 31, 1 << 30, (1 << 31) | (1 << 30)];
  expect(countOf(2, alike).kept.size).toBeLessThanOrEqual(2);
});

test('cleared, it is as new', () => {
  const distinct = countOf(10, range(1_000));
  clearDistinct(distinct);
  for (const hash of range(10)) addDistinct(distinct, hash);
  expect(countDistinct(distinct)).toBe(10);
});
