/**
 * keys: who may ask, what for, and how much. A key is a text that is shown once and kept as its hash. Secret keys have
 * scopes; publishable ones stand in the source of web pages, are bound to their origins and may do next to nothing.
 * What a key asks for is paid out of a bucket of points that fills again by the minute.
 *
 * Owns the ports of ports.ts, which `store` implements. Keys are few (people make them, by `rcpt keys`) and all of them
 * are held in memory: a request costs no look at the store, and keys go on while the store cannot be reached. What is
 * revoked ends within a second, streams too.
 *
 * Refuses to keep a key's text, to log it, or to fall back to serving everybody once a key was made.
 */
export { type KeyFinding, type Keys, type KeysOptions, lifeOf, noKeys, openKeys } from './keys.ts';
export { localBuckets } from './local-buckets.ts';
export { drawKey, type KeyWish, KeyWishError } from './new-key.ts';
export type * from './ports.ts';
export { steadfastBuckets } from './steadfast-buckets.ts';
export { hashKeyText, isKeyText } from './token.ts';
export * from './types.ts';
