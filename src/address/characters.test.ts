import { describe, expect, test } from 'vitest';
import { classifyNonAscii, countOctets, positionPastOctets } from './characters.ts';

/** What the table of ranges means, in Unicode's own words. Characters that Unicode adds later may make it differ: look then. */
const classifyByProperty = (codePoint: number): string | null => {
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return 'INVALID_UNICODE';
  const character = String.fromCodePoint(codePoint);
  if (codePoint === 0xfffd || /\p{Noncharacter_Code_Point}/u.test(character)) return 'INVALID_UNICODE';
  if (/\p{Zs}/u.test(character)) return 'SPACE_NOT_ALLOWED';
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(character)) return 'CONTROL_CHARACTER';
  const isNeeded = /[\p{Join_Control}\p{Variation_Selector}]/u.test(character);
  return /\p{Default_Ignorable_Code_Point}/u.test(character) && !isNeeded ? 'CONTROL_CHARACTER' : null;
};

describe('characters', () => {
  test('the table says what the properties say, of every code point outside ASCII', () => {
    const different: string[] = [];
    for (let codePoint = 0x80; codePoint <= 0x10ffff; codePoint++) {
      if (classifyNonAscii(codePoint) !== classifyByProperty(codePoint)) {
        different.push(codePoint.toString(16));
      }
    }
    expect(different).toEqual([]);
  });

  test.each([
    ['', 0],
    ['a', 1],
    ['é', 2],
    ['用', 3],
    ['🙂', 4],
    ['aé用🙂', 10],
  ])('%j has %i octets', (text, octets) => {
    expect(countOctets(text)).toBe(octets);
    expect(countOctets(text)).toBe(Buffer.byteLength(text));
  });

  test('the position past so many octets is that of a whole character', () => {
    expect(positionPastOctets('aé用🙂z', 10)).toBe(5);
    expect(positionPastOctets('aé用🙂', 9)).toBe(3);
    expect(positionPastOctets('aé', 2)).toBe(1);
    expect(positionPastOctets('aé', 3)).toBe(2);
  });
});
