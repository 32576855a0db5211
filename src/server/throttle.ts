/**
 * What callers pay from: a bucket of points for each secret key, and for each client of a publishable one. An operation
 * is charged before it runs with what it costs at most; what it did not need goes back with the next one's charge.
 *
 * Whoever was refused is refused unread for a second, or until its points are there if that is sooner: a flood then
 * costs a look at its headers, and a cheaper operation of the same key waits a second at most.
 */
import { LRUCache } from 'lru-cache';
import { type Bill, refillMs } from '../graphql/index.ts';
import type { BucketStore } from '../keys/index.ts';
import type { Account } from './account.ts';
import { printFault, type RequestFaultCode } from './fault.ts';

type Bucket = NonNullable<Bill['bucket']>;

/** Longest time that a caller is refused unread. */
const longestSitOutMs = 1_000;
/** Callers that are remembered for what they get back or wait for. The runaway: clients that come from ever new addresses. */
const mostCallers = 10_000;

export type Refusal = {
  readonly bill: Bill & { readonly bucket: Bucket };
  readonly retryAfterSeconds: number;
};

export type Throttle = {
  /**
   * Takes the points. `tooDear`: the bucket never holds so many. Rejects with what the store of the buckets rejects with.
   */
  charge(
    account: Account,
    requested: number,
  ): Promise<
    | { readonly kind: 'charged'; readonly bill: Bill }
    | ({ readonly kind: 'throttled' } & Refusal)
    | { readonly kind: 'tooDear'; readonly bill: Bill; readonly limit: number }
  >;
  /** Of what it was charged, the caller did not need so much. Gives its bucket as it then is. */
  giveBack(account: Account, bill: Bill, points: number): Bill['bucket'];
  /** Why it is not even listened to now; null when it is. */
  findRefusal(account: Account): Refusal | null;
};

export const createThrottle = (
  buckets: BucketStore,
  now: () => number = () => performance.now(),
): Throttle => {
  const unused = new LRUCache<string, number>({ max: mostCallers });
  const sitOuts = new LRUCache<string, { readonly untilMs: number; readonly refusal: Refusal }>({
    max: mostCallers,
  });
  return {
    async charge({ key, bucket }, requested) {
      if (key === null || bucket === null) return { kind: 'charged', bill: { requested, bucket: null } };
      const capacity = key.pointsPerMinute;
      const refillPerSecond = capacity / 60;
      const billOf = (left: number) => ({ requested, bucket: { capacity, refillPerSecond, left } });
      const back = unused.get(bucket) ?? 0;
      unused.delete(bucket);
      const isTooDear = requested > capacity;
      const draught = { points: isTooDear ? 0 : requested, unused: back, capacity, refillPerSecond };
      const { isTaken, left } = await buckets.draw(bucket, draught);
      const bill = billOf(left);
      if (isTooDear) return { kind: 'tooDear', bill, limit: capacity };
      if (isTaken) return { kind: 'charged', bill };
      const waitMs = ((requested - left) / refillPerSecond) * 1_000;
      // Sums of fractions are a hair too much.
      const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000 - 1e-6));
      const refusal = { bill, retryAfterSeconds };
      sitOuts.set(bucket, { untilMs: now() + Math.min(waitMs, longestSitOutMs), refusal });
      return { kind: 'throttled', ...refusal };
    },
    giveBack({ bucket: name }, { bucket }, points) {
      if (name === null || bucket === null || points <= 0) return bucket;
      unused.set(name, (unused.get(name) ?? 0) + points);
      return { ...bucket, left: Math.min(bucket.capacity, bucket.left + points) };
    },
    findRefusal({ bucket }) {
      const sitOut = bucket === null ? undefined : sitOuts.get(bucket);
      return sitOut !== undefined && now() < sitOut.untilMs ? sitOut.refusal : null;
    },
  };
};

/**
 * What clients and proxies read of it (draft-ietf-httpapi-ratelimit-headers-07, and the three fields of its earlier
 * versions that most of them know).
 */
export const printRateLimitHeaders = (bucket: Bucket): Readonly<Record<string, string>> => {
  const left = String(Math.floor(bucket.left));
  const reset = String(Math.ceil(refillMs(bucket) / 1_000));
  return {
    'ratelimit-limit': String(bucket.capacity),
    'ratelimit-remaining': left,
    'ratelimit-reset': reset,
    'ratelimit-policy': `${bucket.capacity};w=60`,
  };
};

export const throttled = 'THROTTLED' satisfies RequestFaultCode;

export const wordRefusal = ({ bill, retryAfterSeconds }: Refusal): string =>
  `The operation costs ${bill.requested} points and ${Math.floor(bill.bucket.left)} are left: ask again in ${retryAfterSeconds} s.`;

/** The answer to whoever is refused unread. */
export const printRefusal = (
  refusal: Refusal,
  requestId: string,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } => ({
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'retry-after': String(refusal.retryAfterSeconds),
    'x-request-id': requestId,
    ...printRateLimitHeaders(refusal.bill.bucket),
  },
  body: printFault(throttled, wordRefusal(refusal), {
    retryAfterSeconds: refusal.retryAfterSeconds,
    requestId,
  }),
});
