/**
 * Verdicts that survive a restart, with their receipts, by normalized address; the newest wins. Writes of one turn
 * of the event loop are one transaction, and what was remembered is recalled at once.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { NormalizedAddress } from '../address/index.ts';
import type { Verification, VerificationMemory } from '../verify/index.ts';
import { readSqliteError } from './fault.ts';
import { inTransaction } from './sqlite.ts';

/** Verdicts waiting for the turn to end; past it they are written at once. Bounds memory when a turn is busy. */
const mostPending = 500;
/** Verdicts kept, about 2 KB each: keeps a gateway that verifies millions from filling the disk with receipts. */
const mostKept = 500_000;
/** Lines of a transcript that are kept: the beginning and the end tell the story. */
const keptLines = { first: 16, last: 32 };
/** How often expired verdicts are looked for, and how many are erased at a time. */
const purgeEveryMs = 60_000;
const purgeBatch = 1_000;

/** Dates as `{"$date": ms}`; the only shape that is not what it looks like. */
const printVerification = (verification: Verification): string =>
  JSON.stringify(verification, function (this: Record<string, unknown>, key, value) {
    const raw = this[key];
    return raw instanceof Date ? { $date: raw.getTime() } : value;
  });

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
  let turn: NodeJS.Immediate | null = null;
  let purgedAt = Number.NEGATIVE_INFINITY;

  const purgeSome = () => {
    const at = now().getTime();
    if (at - purgedAt < purgeEveryMs) return;
    const { changes } = purge.run(at);
    // A full batch leaves more behind: the next flush goes on.
    if (Number(changes) < purgeBatch) purgedAt = at;
    const excess = Number(countAll.get()?.n) - mostKept;
    if (excess > 0) dropSoonest.run(excess);
  };

  const flush = () => {
    if (turn !== null) clearImmediate(turn);
    turn = null;
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
      else turn ??= setImmediate(flush);
      return promise;
    },
  };
  return { memory, flush };
};
