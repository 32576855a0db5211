/**
 * Buckets that all gateways share. A draw is one statement, and the bucket's row its lock: who comes at the same time
 * waits for it and sees what it left. The table may be lost in a crash (UNLOGGED): then buckets are full.
 *
 * A name may hold a client's IP address, which is personal data: what is kept is a hash of it. That keeps it out of
 * dumps and logs, and hides it from nobody who tries all addresses there are; the row lives no longer than it takes the
 * bucket to fill.
 */
import { createHash } from 'node:crypto';
import type { BucketStore } from '../../keys/index.ts';
import type { Database } from './database.ts';

/** Of SHA-256: two clients share a bucket once in 2^64 of them. */
const hashBytes = 16;
const hashName = (name: string): Buffer => createHash('sha256').update(name).digest().subarray(0, hashBytes);

/** How often a process erases buckets that are full again, for all, and how many with one statement. */
const erasesEveryMs = 60_000;
const mostErased = 5_000;

/** Parameters of the statement. */
const [points, unused, capacity, perSecond] = ['$2::float8', '$3::float8', '$4::float8', '$5::float8'];
/** Seconds: ten years are as good as never, and within the dates that there are. */
const longestFill = '315e6';

/** In SQL: a bucket with so much in it, drawn from. The clock is read when the row is held. */
const draw = (filled: string): string => `
  SELECT level, taken, now,
    CASE WHEN ${perSecond} > 0
      THEN now + least((${capacity} - level) / ${perSecond}, ${longestFill}) * interval '1 second'
      ELSE 'infinity' END
  FROM (SELECT clock_timestamp() AS now) AS told,
    LATERAL (SELECT ${filled} AS filled) AS found,
    LATERAL (SELECT filled >= ${points} AS taken) AS tried,
    LATERAL (SELECT CASE WHEN taken THEN filled - ${points} ELSE filled END AS level) AS drawn`;

/** A clock that was set back fills nothing for that moment. */
const refilled = `
  least(${capacity}, kept.level + ${unused}
    + greatest(extract(epoch FROM told.now - kept.filled_at)::float8, 0) * ${perSecond})`;

const drawStatement = `
  INSERT INTO bucket AS kept (name, level, taken, filled_at, full_at)
  SELECT $1::bytea, first.* FROM (${draw(capacity)}) AS first
  ON CONFLICT (name) DO UPDATE SET (level, taken, filled_at, full_at) = (${draw(refilled)})
  RETURNING level, taken`;

const eraseStatement = `
  DELETE FROM bucket WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM bucket WHERE full_at <= clock_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING 1 AS erased`;

export type PostgresBuckets = BucketStore & {
  /** Ends the erasing. */
  close(): Promise<void>;
};

export type PostgresBucketsOptions = {
  readonly database: Pick<Database, 'query'>;
  /** Told when full buckets cannot be erased; no draw waits for that. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

export const createPostgresBuckets = ({
  database,
  onError,
  now = () => performance.now(),
}: PostgresBucketsOptions): PostgresBuckets => {
  let erasedAt = Number.NEGATIVE_INFINITY;
  let erasing: Promise<void> = Promise.resolve();
  let isClosed = false;

  const erase = async (): Promise<void> => {
    let erased: readonly unknown[];
    do erased = await database.query(eraseStatement, [mostErased]);
    while (erased.length === mostErased && !isClosed);
  };
  const eraseNowAndThen = (): void => {
    if (now() - erasedAt < erasesEveryMs) return;
    erasedAt = now();
    erasing = erasing.then(erase).catch(onError);
  };

  return {
    async draw(name, { points, unused, capacity, refillPerSecond }) {
      const [row] = await database.query(drawStatement, [
        hashName(name),
        points,
        unused,
        capacity,
        refillPerSecond,
      ]);
      eraseNowAndThen();
      return { isTaken: row?.taken === true, left: Number(row?.level) };
    },
    async close() {
      isClosed = true;
      await erasing;
    },
  };
};
