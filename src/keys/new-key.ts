import { randomUUID } from 'node:crypto';
import { drawKeyText, hashKeyText, prefixOf } from './token.ts';
import type { ApiKey, KeptKey, Scope } from './types.ts';

/** What its maker decides. */
export type KeyWish = Pick<ApiKey, 'name' | 'origins' | 'isPersistedOnly' | 'expiresAt'> & {
  readonly scopes: readonly Scope[];
  /** Null: the default of its kind. */
  readonly pointsPerMinute: number | null;
};

/**
 * Points of cost a minute when nothing is said. A secret key: five pages of a hundred addresses, or 240 times everything
 * about one address. A client of a publishable key: a person who corrects an address ten times a minute.
 */
export const usualPointsPerMinute = { SECRET: 12_000, PUBLISHABLE: 500 } as const;

export const longestName = 100;
/** The runaway: every answer to a page looks through them. */
export const mostOrigins = 20;

/** What is wrong with a wish, in one sentence. */
export class KeyWishError extends Error {
  override readonly name = 'KeyWishError';
}

/**
 * A new key and its text, which is nowhere kept. One that is bound to origins is publishable.
 * @throws KeyWishError
 */
export const drawKey = (wish: KeyWish, now: Date): { readonly key: KeptKey; readonly text: string } => {
  const { scopes, origins, expiresAt } = wish;
  const kind = origins.length > 0 ? 'PUBLISHABLE' : 'SECRET';
  const name = wish.name.trim();
  if (name.length === 0 || name.length > longestName || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name))
    throw new KeyWishError(`a name has 1 to ${longestName} characters, and none that cannot be seen`);
  if (scopes.length === 0) throw new KeyWishError('a key needs at least one scope');
  if (kind === 'PUBLISHABLE' && scopes.some((scope) => scope !== 'verify'))
    throw new KeyWishError('a key that is bound to origins is public, and may have the scope verify alone');
  if (origins.length > mostOrigins)
    throw new KeyWishError(`a key is bound to at most ${mostOrigins} origins`);
  if (kind === 'SECRET' && wish.isPersistedOnly)
    throw new KeyWishError('only keys that are bound to origins can be held to persisted operations');
  if (expiresAt !== null && expiresAt <= now) throw new KeyWishError('it would have expired already');
  const text = drawKeyText(kind);
  return {
    text,
    key: {
      id: randomUUID(),
      name,
      kind,
      prefix: prefixOf(text),
      hash: hashKeyText(text),
      scopes: [...new Set(scopes)],
      origins: [...new Set(origins)],
      pointsPerMinute: wish.pointsPerMinute ?? usualPointsPerMinute[kind],
      isPersistedOnly: wish.isPersistedOnly,
      createdAt: now,
      expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    },
  };
};
