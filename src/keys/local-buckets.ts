import { LRUCache } from 'lru-cache';
import type { BucketStore } from './ports.ts';

/**
 * Buckets that are not full. The runaway: a client that comes from another address each time, and leaves a bucket
 * behind for each.
 */
const mostBuckets = 100_000;

type Bucket = { level: number; filledAt: number };

/**
 * Buckets of this process alone, which is all where nobody shares the store. Forgotten with the process: a restart
 * fills them.
 * @param now milliseconds of a clock that never goes back
 */
export const localBuckets = (now: () => number = () => performance.now()): BucketStore => {
  const buckets = new LRUCache<string, Bucket>({ max: mostBuckets });
  return {
    draw: async (name, { points, unused, capacity, refillPerSecond }) => {
      const at = now();
      const known = buckets.get(name);
      const filled =
        known === undefined
          ? capacity
          : known.level + ((at - known.filledAt) / 1_000) * refillPerSecond + unused;
      const level = Math.min(capacity, filled);
      const isTaken = level >= points;
      const left = isTaken ? level - points : level;
      if (known === undefined) buckets.set(name, { level: left, filledAt: at });
      else {
        known.level = left;
        known.filledAt = at;
      }
      return { isTaken, left };
    },
  };
};
