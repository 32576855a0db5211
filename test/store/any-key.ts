/** Keys for the suites, for processes with a test runner and without. */
import { drawKey, type KeyWish } from '../../src/keys/index.ts';

/** Another one each time. */
export const drawAnyKey = (over: Partial<KeyWish> = {}) =>
  drawKey(
    {
      name: 'shop',
      scopes: ['verify', ...(over.origins === undefined ? (['bulk'] as const) : [])],
      origins: [],
      isPersistedOnly: false,
      expiresAt: null,
      pointsPerMinute: null,
      ...over,
    },
    new Date('2026-03-01T12:00:00.000Z'),
  );
