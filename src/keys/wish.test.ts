import { describe, expect, it } from 'vitest';
import { drawKey, type KeyWish, KeyWishError } from './index.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const secret: KeyWish = {
  name: 'shop',
  scopes: ['verify', 'bulk'],
  origins: [],
  isPersistedOnly: false,
  expiresAt: null,
  pointsPerMinute: null,
};
const publishable: KeyWish = { ...secret, scopes: ['verify'], origins: ['https://a.example'] };

describe('what is no key', () => {
  it.each<[what: string, wish: KeyWish, why: string]>([
    ['without a name', { ...secret, name: ' \t' }, '1 to 100 characters'],
    ['with a long name', { ...secret, name: 'x'.repeat(101) }, '1 to 100 characters'],
    ['with a name that turns a line around', { ...secret, name: 'a\u{202e}b' }, 'none that cannot be seen'],
    ['for nothing', { ...secret, scopes: [] }, 'at least one scope'],
    ['that is public and may see lists', { ...publishable, scopes: ['verify', 'bulk'] }, 'verify alone'],
    [
      'of many pages',
      { ...publishable, origins: Array.from({ length: 21 }, (_, n) => `https://${n}`) },
      '20 origins',
    ],
    ['that is secret and persisted only', { ...secret, isPersistedOnly: true }, 'bound to origins'],
    ['that has expired', { ...secret, expiresAt: now }, 'expired already'],
  ])('%s', (_what, wish, why) => {
    expect(() => drawKey(wish, now)).toThrow(KeyWishError);
    expect(() => drawKey(wish, now)).toThrow(why);
  });
});
