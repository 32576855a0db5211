/** Chunks as a queue: taken under a lease, released, held while their job is paused, dropped when it is cancelled. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Chunk } from '../../jobs/index.ts';
import { inTransaction } from './database.ts';
import type { Announce } from './deliveries.ts';
import { text } from './rows.ts';

/** Nobody gave these back: whoever held them died, or hangs. */
const release =
  'UPDATE chunk SET lease = NULL, lease_until = NULL, crashes = crashes + 1 WHERE lease IS NOT NULL';

export const createQueue = (db: DatabaseSync, announce: Announce) => {
  const wakeDue = db.prepare(
    'UPDATE chunk SET readiness = 2 WHERE lease IS NULL AND readiness = 1 AND not_before <= ?',
  );
  const readEarliest = db.prepare(
    'SELECT min(not_before) AS at FROM chunk WHERE lease IS NULL AND readiness = ?',
  );
  const readNumber = db.prepare('SELECT number FROM job WHERE id = ?');
  const readFirst = db.prepare(
    `SELECT id FROM chunk INDEXED BY chunk_by_ordinal WHERE lease IS NULL AND readiness = 2
       AND job NOT IN (SELECT value FROM json_each(?)) ORDER BY ordinal, id LIMIT 1`,
  );
  const readChunk = db.prepare(
    `SELECT chunk.id, chunk.job, job.id AS job_id, job.owner, job.max_age, ordinal, attempt, crashes, tries, rows
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.id = ?`,
  );
  const lease = db.prepare('UPDATE chunk SET lease = ?, lease_until = ?, attempt = attempt + 1 WHERE id = ?');
  const start = db.prepare(
    `UPDATE job SET state = 'RUNNING', started_at = coalesce(started_at, ?) WHERE number = ? AND state = 'QUEUED'`,
  );
  const readRows = db.prepare(
    `SELECT l.row, l.address FROM json_each(?) AS j CROSS JOIN list_row AS l ON l.job = ? AND l.row = j.value ORDER BY j.key`,
  );
  const giveBack = db.prepare(
    'UPDATE chunk SET lease = NULL, lease_until = NULL, attempt = max(attempt - 1, 0) WHERE id = ? AND lease = ?',
  );
  const releaseEnded = db.prepare(`${release} AND lease_until < ?`);
  const pause = db.prepare(
    `UPDATE job SET state = 'PAUSED' WHERE number = ? AND state IN ('QUEUED', 'RUNNING')`,
  );
  const resume = db.prepare(
    `UPDATE job SET state = iif(started_at IS NULL, 'QUEUED', 'RUNNING') WHERE number = ? AND state = 'PAUSED'`,
  );
  // Leased ones as well, so that whatever ends the lease leaves them held.
  const hold = db.prepare('UPDATE chunk SET readiness = 3 WHERE job = ?');
  // Rows that were never asked may start at once, whatever the clock said when the list came.
  const letGo = db.prepare(
    'UPDATE chunk SET readiness = iif(lease IS NULL AND tries > 0 AND not_before > ?, 1, 2) WHERE job = ?',
  );
  const drop = db.prepare('DELETE FROM chunk WHERE job = ?');
  const cancel = db.prepare(
    `UPDATE job SET state = 'CANCELLED', ended_at = ?, waiting = 0
     WHERE number = ? AND state IN ('QUEUED', 'RUNNING', 'PAUSED')`,
  );

  return {
    take(now: Date, leaseUntil: Date, exceptJobs: readonly string[]): Chunk | null {
      const except = JSON.stringify(exceptJobs.map((id) => readNumber.get(id)?.number ?? 0));
      const earliest = readEarliest.get(1)?.at;
      const isDue = typeof earliest === 'number' && earliest <= now.getTime();
      if (!isDue && readFirst.get(except) === undefined) return null;
      return inTransaction(db, () => {
        if (isDue) wakeDue.run(now.getTime());
        const first = readFirst.get(except);
        const next = first === undefined ? undefined : readChunk.get(first.id ?? null);
        if (next === undefined) return null;
        const token = randomUUID();
        lease.run(token, leaseUntil.getTime(), next.id ?? null);
        start.run(now.getTime(), next.job ?? null);
        return {
          id: Number(next.id),
          jobId: String(next.job_id),
          owner: text(next.owner),
          ordinal: Number(next.ordinal),
          lease: token,
          attempt: Number(next.attempt) + 1,
          crashes: Number(next.crashes),
          otherSources: 0,
          maxAgeSeconds: typeof next.max_age === 'number' ? next.max_age : null,
          rows: readRows.all(next.rows ?? null, next.job ?? null).map(({ row, address }) => ({
            row: Number(row),
            address: String(address),
            tries: Number(next.tries),
          })),
        };
      });
    },
    giveBack: ({ id, lease: token }: Chunk): void => void giveBack.run(id, token),
    release: (now: Date): number => Number(releaseEnded.run(now.getTime()).changes),
    nextAt(): Date | null {
      const times = [1, 2].map((readiness) => readEarliest.get(readiness)?.at);
      const known = times.filter((at) => typeof at === 'number');
      return known.length === 0 ? null : new Date(Math.min(...known));
    },
    pause: (job: number): void =>
      inTransaction(db, () => {
        if (pause.run(job).changes === 1) hold.run(job);
      }),
    resume: (job: number, now: Date): void =>
      inTransaction(db, () => {
        if (resume.run(job).changes === 1) letGo.run(now.getTime(), job);
      }),
    cancel: (job: number, now: Date): void =>
      inTransaction(db, () => {
        if (cancel.run(now.getTime(), job).changes === 0) return;
        drop.run(job);
        announce(job, 'bulk_job.cancelled', now);
      }),
  };
};

/** After a crash: leases of a process that is gone end. */
export const recoverQueue = (db: DatabaseSync): void => db.exec(release);
