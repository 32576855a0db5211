/** The table of remembered verdicts, by normalized address; the newest wins. Writes of a moment are one transaction. */
import type { DatabaseSync } from 'node:sqlite';
import { readSqliteError } from '../fault.ts';
import { inTransaction } from './database.ts';

/** Verdicts waiting to be written; past it they are written at once. Bounds memory, and how long one write takes. */
const mostPending = 200;
/** A transaction costs as much as twenty verdicts in it, so that a list's are gathered for a moment. */
const gatherMs = 50;
/** Verdicts kept, about 0.5 KB each: keeps a gateway that verifies millions from filling the disk with receipts. */
const mostKept = 1_000_000;
/**
 * How often expired verdicts are looked for and all are counted, and how many are erased with one write: twice what
 * it brings, so that the table shrinks while a list fills it.
 */
const purgeEveryMs = 60_000;
const purgeBatch = 2 * mostPending;

/** One verdict as the table has it; times in epoch milliseconds. */
export type KeptVerdict = readonly [address: string, checkedAt: number, expiresAt: number, body: string];

export type VerdictTable = {
  /** The body of what is remembered and lives at `at`, null where there is none: one for each address. */
  recall(addresses: readonly string[], at: number): readonly (string | null)[];
  /** Resolves when they are written. */
  remember(verdicts: readonly KeptVerdict[], at: number): Promise<void>;
  /** Writes what waits. */
  flush(): void;
};

type Gathered = PromiseWithResolvers<void> & { readonly verdicts: Map<string, KeptVerdict> };

export const createVerdictTable = (db: DatabaseSync, place: string): VerdictTable => {
  const read = db.prepare('SELECT body FROM verification WHERE address = ? AND expires_at > ?');
  const write = db.prepare(
    `INSERT INTO verification (address, checked_at, expires_at, body) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET checked_at = excluded.checked_at, expires_at = excluded.expires_at, body = excluded.body
     WHERE excluded.checked_at >= checked_at`,
  );
  const purge = db.prepare(
    `DELETE FROM verification WHERE rowid IN
       (SELECT rowid FROM verification WHERE expires_at <= ? ORDER BY expires_at LIMIT ${purgeBatch})`,
  );
  const dropSoonest = db.prepare(
    'DELETE FROM verification WHERE rowid IN (SELECT rowid FROM verification ORDER BY expires_at LIMIT ?)',
  );
  const countAll = db.prepare('SELECT count(*) AS n FROM verification');

  let gathered: Gathered | null = null;
  let gathering: NodeJS.Timeout | null = null;
  /** The time as it was told last. */
  let toldAt = 0;
  let purgedAt = Number.NEGATIVE_INFINITY;
  /** Left over from the last look, for the writes that follow. */
  let isExpiredLeft = false;
  let excess = 0;

  const purgeSome = () => {
    if (toldAt - purgedAt >= purgeEveryMs) {
      purgedAt = toldAt;
      isExpiredLeft = true;
      excess = Number(countAll.get()?.n) - mostKept;
    }
    if (isExpiredLeft) isExpiredLeft = Number(purge.run(toldAt).changes) === purgeBatch;
    else if (excess > 0) excess -= Number(dropSoonest.run(Math.min(excess, purgeBatch)).changes);
  };

  const flush = () => {
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    if (gathered === null) return;
    const { verdicts, resolve, reject } = gathered;
    gathered = null;
    try {
      inTransaction(db, () => {
        for (const verdict of verdicts.values()) write.run(...verdict);
        purgeSome();
      });
      resolve();
    } catch (error) {
      reject(readSqliteError(error, place));
    }
  };

  const recallOne = (address: string, at: number): string | null => {
    const waiting = gathered?.verdicts.get(address);
    if (waiting !== undefined && waiting[2] > at) return waiting[3];
    const row = read.get(address, at);
    return row === undefined ? null : String(row.body);
  };

  return {
    recall(addresses, at) {
      try {
        return addresses.map((address) => recallOne(address, at));
      } catch (error) {
        throw readSqliteError(error, place);
      }
    },
    remember(verdicts, at) {
      toldAt = at;
      const written: Promise<void>[] = [];
      for (const verdict of verdicts) {
        gathered ??= { ...Promise.withResolvers<void>(), verdicts: new Map() };
        const { promise, verdicts: waiting } = gathered;
        if (written.at(-1) !== promise) written.push(promise);
        const before = waiting.get(verdict[0]);
        if (before === undefined || before[1] <= verdict[1]) waiting.set(verdict[0], verdict);
        if (waiting.size >= mostPending) flush();
        else gathering ??= setTimeout(flush, gatherMs);
      }
      return Promise.all(written).then(() => undefined);
    },
    flush,
  };
};
