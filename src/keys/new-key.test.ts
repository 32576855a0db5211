import { describe, expect, test } from 'vitest';
import { drawKey, type KeyWish, KeyWishError } from './new-key.ts';
import { hashKeyText } from './token.ts';

const now = new Date('2030-01-01T00:00:00Z');
const wish: KeyWish = {
  name: 'back office',
  scopes: ['verify'],
  origins: [],
  pointsPerMinute: null,
  expiresAt: null,
  isPersistedOnly: false,
};

describe('a new key', () => {
  test('is secret, and only its hash is kept', () => {
    const { key, text } = drawKey(wish, now);
    expect(key).toMatchObject({
      name: 'back office',
      kind: 'SECRET',
      scopes: ['verify'],
      pointsPerMinute: 12_000,
      createdAt: now,
      revokedAt: null,
      lastUsedAt: null,
      hash: hashKeyText(text),
    });
    expect(text.startsWith(key.prefix)).toBe(true);
    expect(JSON.stringify(key)).not.toContain(text.slice(14));
  });

  test('bound to origins is publishable, and its clients have less', () => {
    const { key, text } = drawKey({ ...wish, origins: ['https://a.test', 'https://a.test'] }, now);
    expect(key).toMatchObject({ kind: 'PUBLISHABLE', origins: ['https://a.test'], pointsPerMinute: 500 });
    expect(text).toMatch(/^rcpt_pk_/);
  });

  test('has what was wished', () => {
    const expiresAt = new Date('2030-02-01T00:00:00Z');
    const { key } = drawKey(
      { ...wish, name: ' a ', scopes: ['bulk', 'verify', 'bulk'], pointsPerMinute: 7, expiresAt },
      now,
    );
    expect(key).toMatchObject({ name: 'a', scopes: ['bulk', 'verify'], pointsPerMinute: 7, expiresAt });
  });

  const origins = ['https://a.test'];
  test.each([
    ['no name', { name: ' ' }, /1 to 100 characters/],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, /1 to 100 characters/],
    ['a name with a line break', { name: 'a\nb' }, /cannot be seen/],
    ['a name that turns the text around', { name: 'a\u202eb' }, /cannot be seen/],
    ['no scope', { scopes: [] }, /at least one scope/],
    ['lists for a public key', { origins, scopes: ['verify', 'bulk'] }, /verify alone/],
    ['everything for a public key', { origins, scopes: ['admin'] }, /verify alone/],
    ['21 origins', { origins: Array.from({ length: 21 }, (_, n) => `https://a${n}.test`) }, /at most 20/],
    ['a secret key held to documents', { isPersistedOnly: true }, /bound to origins/],
    ['an end in the past', { expiresAt: now }, /expired already/],
  ] as const)('%s is refused', (_name, part, message) => {
    const draw = () => drawKey({ ...wish, ...part }, now);
    expect(draw).toThrow(KeyWishError);
    expect(draw).toThrow(message);
  });
});
