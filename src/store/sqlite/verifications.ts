/**
 * Verdicts that survive a restart, with their receipts, by normalized address; the newest wins. Writes of a moment
 * are one transaction, and what was remembered is recalled at once.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { NormalizedAddress } from '../../address/index.ts';
import type { Verification, VerificationMemory } from '../../verify/index.ts';
import { readSqliteError } from '../fault.ts';
import { inTransaction } from './database.ts';

/** Verdicts waiting to be written; past it they are written at once. Bounds memory, and how long one write takes. */
const mostPending = 200;
/** A transaction costs as much as twenty verdicts in it, so that a list's are gathered for a moment. */
const gatherMs = 50;
/** Verdicts kept, about 2 KB each: keeps a gateway that verifies millions from filling the disk with receipts. */
const mostKept = 500_000;
/** Lines of a transcript that are kept: the beginning and the end tell the story. */
const keptLines = { first: 16, last: 32 };
/**
 * How often expired verdicts are looked for and all are counted, and how many are erased with one write: twice what
 * it brings, so that the table shrinks while a list fills it.
 */
const purgeEveryMs = 60_000;
const purgeBatch = 2 * mostPending;

/**
 * Dates as `{"$date": ms}`; the only shape that is not what it looks like. A replacer of JSON.stringify would do the
 * same in five times the time (26 µs against 5 for a verdict with ten lines of transcript).
 */
const datesApart = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return { $date: value.getTime() };
  if (Array.isArray(value)) return value.map(datesApart);
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = datesApart(part);
  return copy;
};

const printVerification = (verification: Verification): string => JSON.stringify(datesApart(verification));

const readVerification = (body: string): Verification =>
  JSON.parse(body, (_key, value) =>
    typeof value === 'object' && value !== null && typeof value.$date === 'number'
      ? new Date(value.$date)
      : value,
  ) as Verification;

const boundTranscript = (verification: Verification): Verification => {
  const { evidence } = verification;
  if (evidence.kind !== 'probe') return verification;
  const { transcript } = evidence.probe;
  if (transcript.length <= keptLines.first + keptLines.last) return verification;
  const middle = transcript[keptLines.first];
  if (middle === undefined) return verification;
  const omitted = transcript.length - keptLines.first - keptLines.last;
  const kept = [
    ...transcript.slice(0, keptLines.first),
    { at: middle.at, direction: 'NOTE' as const, text: `${omitted} lines left out` },
    ...transcript.slice(-keptLines.last),
  ];
  return { ...verification, evidence: { ...evidence, probe: { ...evidence.probe, transcript: kept } } };
};

type Pending = {
  readonly verification: Verification;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

export const createSqliteVerifications = (
  db: DatabaseSync,
  place: string,
  now: () => Date,
): { readonly memory: VerificationMemory; readonly flush: () => void } => {
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

  let pending = new Map<NormalizedAddress, Pending>();
  let gathering: NodeJS.Timeout | null = null;
  let purgedAt = Number.NEGATIVE_INFINITY;
  /** Left over from the last look, for the writes that follow. */
  let isExpiredLeft = false;
  let excess = 0;

  const purgeSome = () => {
    const at = now().getTime();
    if (at - purgedAt >= purgeEveryMs) {
      purgedAt = at;
      isExpiredLeft = true;
      excess = Number(countAll.get()?.n) - mostKept;
    }
    if (isExpiredLeft) isExpiredLeft = Number(purge.run(at).changes) === purgeBatch;
    else if (excess > 0) excess -= Number(dropSoonest.run(Math.min(excess, purgeBatch)).changes);
  };

  const flush = () => {
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    if (pending.size === 0) return;
    const batch = pending;
    pending = new Map();
    try {
      inTransaction(db, () => {
        for (const [address, { verification }] of batch) {
          write.run(
            address,
            verification.checkedAt.getTime(),
            verification.expiresAt.getTime(),
            printVerification(boundTranscript(verification)),
          );
        }
        purgeSome();
      });
      for (const { resolve } of batch.values()) resolve();
    } catch (error) {
      const fault = readSqliteError(error, place);
      for (const { reject } of batch.values()) reject(fault);
    }
  };

  const memory: VerificationMemory = {
    async recall(address) {
      const waiting = pending.get(address)?.verification;
      if (waiting !== undefined && waiting.expiresAt > now()) return waiting;
      try {
        const row = read.get(address, now().getTime());
        return row === undefined ? null : readVerification(String(row.body));
      } catch (error) {
        throw readSqliteError(error, place);
      }
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
  };
  return { memory, flush };
};
