import { describe, expect, test } from 'vitest';
import { drawKeyText, hashKeyText, isKeyText, prefixOf } from './token.ts';

/** Of `rcpt_sk_` and 34 zeros, worked out with another program. */
const known = '00qpIN';

describe('the text of a key', () => {
  test.each([
    ['SECRET', /^rcpt_sk_[0-9A-Za-z]{40}$/],
    ['PUBLISHABLE', /^rcpt_pk_[0-9A-Za-z]{40}$/],
  ] as const)('%s', (kind, form) => {
    const texts = Array.from({ length: 100 }, () => drawKeyText(kind));
    for (const text of texts) {
      expect(text).toMatch(form);
      expect(isKeyText(text)).toBe(true);
    }
    expect(new Set(texts).size).toBe(100);
  });

  test('every letter of its random part comes', () => {
    const drawn = Array.from({ length: 200 }, () => drawKeyText('SECRET').slice(8, 42)).join('');
    expect(new Set(drawn).size).toBe(62);
  });

  test('its checksum is CRC-32 in base 62, as scanners compute it', () => {
    expect(isKeyText(`rcpt_sk_${'0'.repeat(34)}${known}`)).toBe(true);
  });

  const good = drawKeyText('SECRET');
  const other = good.at(20) === 'a' ? 'b' : 'a';
  test.each([
    ['nothing', ''],
    ['a letter changed', `${good.slice(0, 20)}${other}${good.slice(21)}`],
    ['two letters swapped', `${good.slice(0, 8)}ba${good.slice(10, 42)}${good.slice(42)}`],
    ['cut off', good.slice(0, -1)],
    ['too long', `${good}0`],
    ['another kind', good.replace('sk', 'pk')],
    ['no kind of ours', good.replace('sk', 'xk')],
    ['spaces around', ` ${good} `],
    ['a line break at its end', `${good}\n`],
  ])('%s is none', (_name, text) => {
    expect(isKeyText(text)).toBe(false);
  });

  test('its beginning tells it from others and gives nothing away', () => {
    expect(good.startsWith(prefixOf(good))).toBe(true);
    expect(prefixOf(good)).toHaveLength(14);
  });

  test('its hash is SHA-256 in hexadecimal', () => {
    // printf abc | sha256sum
    expect(hashKeyText('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
