/**
 * Verdicts that all processes share, with their receipts, by normalized address; the newest wins. What an exchange
 * would not tell one source it may tell another: an UNKNOWN is kept under the name of the source that got it, and told
 * to that one alone.
 *
 * Writes of a moment are one statement and reads of one turn of the event loop one query; what was remembered here is
 * recalled at once. Expiry is by the database's clock, and the times of a verdict that comes from a clock that is off are
 * told in ours.
 */
import type { NormalizedAddress } from '../../address/index.ts';
import type { Verification, VerificationMemory } from '../../verify/index.ts';
import { printReceipt, readReceipt } from '../receipt.ts';
import { clock, type Database, type Row } from './database.ts';

/** Verdicts waiting to be written; past it they are written at once. Bounds memory, and how long one write takes. */
const mostPending = 200;
/** A statement costs as much as twenty verdicts in it, so that a list's are gathered for a moment. */
const gatherMs = 50;
/** Addresses a query asks for at most: its answer is some megabytes then. */
const mostAsked = 500;
/** Verdicts kept, about 0.5 KB each: keeps workers that verify millions from filling the disk with receipts. */
const mostKept = 1_000_000;
/**
 * How often expired verdicts are looked for and all are counted, and how many are erased with one statement; each
 * process does it for all.
 */
const purgeEveryMs = 60_000;
const purgeBatch = 1_000;
/** Clocks that differ by less are as good as equal. */
const leastSkewMs = 5_000;

const writeStatement = `
  INSERT INTO verification (address, source, checked_at, expires_at, body)
  SELECT address, source, ${clock} + checked * interval '1 millisecond', ${clock} + expires * interval '1 millisecond', body
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::text[]) AS g(address, source, checked, expires, body)
  -- All in one order: two processes that write the same ones do not wait for each other.
  ORDER BY address, source
  ON CONFLICT (address, source) DO UPDATE
    SET checked_at = excluded.checked_at, expires_at = excluded.expires_at, body = excluded.body
    WHERE excluded.checked_at >= verification.checked_at`;

const readStatement = `
  SELECT DISTINCT ON (address) address, checked_at, body, ${clock} AS now FROM verification
  WHERE address = ANY($1::text[]) AND source IN ('', $2) AND expires_at > ${clock}
  ORDER BY address, checked_at DESC`;

const purgeStatement = (which: string): string => `
  DELETE FROM verification WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM verification ${which} ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING 1 AS erased`;
const eraseExpired = purgeStatement(`WHERE expires_at <= ${clock}`);
const eraseSoonest = purgeStatement('');

type Pending = {
  readonly verification: Verification;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};
type Asked = {
  readonly answer: Promise<Verification | null>;
  readonly resolve: (verification: Verification | null) => void;
  readonly reject: (error: unknown) => void;
};

export type VerificationsOptions = {
  readonly database: Pick<Database, 'query'>;
  /** The address that exchanges see of this process. */
  readonly source: string;
  readonly now: () => Date;
  /** Told when expired verdicts cannot be erased; nothing else waits for that. */
  readonly onError: (error: unknown) => void;
  /** Default: a million. */
  readonly mostKept?: number;
};

export type PostgresVerifications = VerificationMemory & {
  /** Writes what was remembered, and ends. */
  close(): Promise<void>;
};

export const createPostgresVerifications = (options: VerificationsOptions): PostgresVerifications => {
  const { database, source, now, onError } = options;
  let pending = new Map<NormalizedAddress, Pending>();
  /** On their way to the database. */
  const writing = new Set<ReadonlyMap<NormalizedAddress, Pending>>();
  let gathering: NodeJS.Timeout | null = null;
  let asked = new Map<NormalizedAddress, Asked>();
  let purgedAt = Number.NEGATIVE_INFINITY;
  let purging: Promise<void> | null = null;
  const underWay = new Set<Promise<void>>();
  const keepTrack = (work: Promise<void>): void => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };

  const purge = async (): Promise<void> => {
    let erased: readonly Row[];
    do erased = await database.query(eraseExpired, [purgeBatch]);
    while (erased.length === purgeBatch);
    const [counted] = await database.query('SELECT count(*) AS n FROM verification');
    for (let excess = Number(counted?.n) - (options.mostKept ?? mostKept); excess > 0; ) {
      erased = await database.query(eraseSoonest, [Math.min(excess, purgeBatch)]);
      // Somebody else is at them.
      if (erased.length === 0) return;
      excess -= erased.length;
    }
  };
  const purgeNowAndThen = (): void => {
    const at = now().getTime();
    if (purging !== null || at - purgedAt < purgeEveryMs) return;
    purgedAt = at;
    purging = purge()
      .catch(onError)
      .finally(() => {
        purging = null;
      });
    keepTrack(purging);
  };

  const write = async (batch: ReadonlyMap<NormalizedAddress, Pending>): Promise<void> => {
    const at = now().getTime();
    const rows = [...batch].map(([address, { verification }]) => ({ address, ...verification }));
    try {
      await database.query(writeStatement, [
        rows.map(({ address }) => address),
        rows.map(({ status }) => (status === 'UNKNOWN' ? source : '')),
        rows.map(({ checkedAt }) => checkedAt.getTime() - at),
        rows.map(({ expiresAt }) => expiresAt.getTime() - at),
        [...batch.values()].map(({ verification }) => printReceipt(verification)),
      ]);
      for (const { resolve } of batch.values()) resolve();
      purgeNowAndThen();
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    } finally {
      writing.delete(batch);
    }
  };
  const flush = (): void => {
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    if (pending.size === 0) return;
    const batch = pending;
    pending = new Map();
    writing.add(batch);
    keepTrack(write(batch));
  };

  const readRow = (row: Row): Verification | null => {
    const verification = readReceipt(String(row.body));
    if (verification === null) return null;
    const age = (row.now as Date).getTime() - (row.checked_at as Date).getTime();
    const offMs = now().getTime() - age - verification.checkedAt.getTime();
    if (Math.abs(offMs) < leastSkewMs) return verification;
    const shift = (date: Date): Date => new Date(date.getTime() + offMs);
    const { checkedAt, expiresAt, retryAt } = verification;
    return {
      ...verification,
      checkedAt: shift(checkedAt),
      expiresAt: shift(expiresAt),
      retryAt: retryAt && shift(retryAt),
    };
  };
  const ask = async (batch: ReadonlyMap<NormalizedAddress, Asked>): Promise<void> => {
    try {
      const rows = await database.query(readStatement, [[...batch.keys()], source]);
      const found = new Map(rows.map((row) => [String(row.address), readRow(row)]));
      for (const [address, { resolve }] of batch) resolve(found.get(address) ?? null);
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };
  const askAll = (): void => {
    if (asked.size === 0) return;
    const batch = asked;
    asked = new Map();
    keepTrack(ask(batch));
  };

  /** The newest of those that are not written yet. */
  const findUnwritten = (address: NormalizedAddress): Verification | null => {
    const found = [pending, ...writing].flatMap((batch) => batch.get(address)?.verification ?? []);
    return found.reduce<Verification | null>(
      (newest, one) => (newest === null || one.checkedAt > newest.checkedAt ? one : newest),
      null,
    );
  };

  return {
    async recall(address) {
      const unwritten = findUnwritten(address);
      if (unwritten !== null && unwritten.expiresAt > now()) return unwritten;
      const known = asked.get(address);
      if (known !== undefined) return known.answer;
      const { promise, resolve, reject } = Promise.withResolvers<Verification | null>();
      if (asked.size === 0) setImmediate(askAll);
      asked.set(address, { answer: promise, resolve, reject });
      if (asked.size >= mostAsked) askAll();
      return promise;
    },
    async remember(address, verification) {
      const before = pending.get(address);
      if (before !== undefined) {
        if (before.verification.checkedAt > verification.checkedAt) return before.done;
        pending.set(address, { ...before, verification });
        return before.done;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      pending.set(address, { verification, done: promise, resolve, reject });
      if (pending.size >= mostPending) flush();
      else gathering ??= setTimeout(flush, gatherMs);
      return promise;
    },
    async close() {
      askAll();
      flush();
      await Promise.all(underWay);
    },
  };
};
