import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countEdits } from './distance.ts';

const rows: readonly (readonly [from: string, to: string, edits: number, why?: string])[] = [
  ['gmail', 'gmail', 0],
  ['gmial', 'gmail', 1, 'a swap'],
  ['gmal', 'gmail', 1, 'one missing'],
  ['gmaill', 'gmail', 1, 'one too many'],
  ['gmaik', 'gmail', 1, 'one replaced'],
  ['mgial', 'gmail', 2, 'two swaps'],
  ['gml', 'gmail', 2],
  ['', 'ab', 2],
  ['ab', '', 2],
  ['ca', 'abc', 3, 'a swapped pair is not edited again'],
  [`${'a'.repeat(300)}b`, `b${'a'.repeat(300)}`, 2, 'longer than any name'],
  ['gmial', 'gmail', 1, 'nothing is left of the long one'],
];

test.each(rows.map(([from, to, edits]) => [from, to, edits] as const))(
  '%j to %j is %i',
  (from, to, edits) => {
    expect(countEdits(from, to, 5)).toBe(edits);
  },
);

test('past the most that is asked for it only says so', () => {
  expect(countEdits('gmail', 'outlook', 2)).toBe(3);
  expect(countEdits('abcdefgh', 'hgfedcba', 2)).toBe(3);
  // Near up to the last letters.
  expect(countEdits('gmailabc', 'gmailxyz', 2)).toBe(3);
  expect(countEdits('gmail', 'gmxyz', 2)).toBe(3);
});

test('it is the same both ways, zero only for equals, and one for any single edit', () => {
  const word = fc.string({ minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(word, word, fc.nat(), (one, other, at) => {
      expect(countEdits(one, other, 8)).toBe(countEdits(other, one, 8));
      expect(countEdits(one, other, 8) === 0).toBe(one === other);
      const i = at % one.length;
      expect(countEdits(one, one.slice(0, i) + one.slice(i + 1), 8)).toBe(1);
      expect(countEdits(one, `${one.slice(0, i)}\u0000${one.slice(i)}`, 8)).toBe(1);
    }),
  );
});
