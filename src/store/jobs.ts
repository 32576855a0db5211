/** The store of jobs on SQLite: reading, taking and releasing. Loading, settling and erasing have files of their own. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Breakdown, Chunk, Job, JobStore, Page } from '../jobs/index.ts';
import type { Reason, Status } from '../verdict/index.ts';
import { createEraser } from './erase.ts';
import { readSqliteError } from './fault.ts';
import { createLoader } from './intake.ts';
import { jobColumns, type Row, readJobRow, readListedRow, readResultRow, resultColumns } from './rows.ts';
import { createSettler } from './settle.ts';
import { inTransaction } from './sqlite.ts';

const visible = `state NOT IN ('LOADING', 'ERASING')`;
const counterOf: Record<Status, keyof Job['counters']> = {
  DELIVERABLE: 'deliverable',
  UNDELIVERABLE: 'undeliverable',
  RISKY: 'risky',
  UNKNOWN: 'unknown',
};

/** The first `limit` of the rows, which were asked for with one more to see whether there is a next page. */
const pageOf = <Item>(rows: readonly Row[], limit: number, read: (row: Row) => Item): Page<Item> => ({
  items: rows.slice(0, limit).map(read),
  hasNextPage: rows.length > limit,
});

export const createSqliteJobStore = (db: DatabaseSync, place: string): JobStore => {
  const loader = createLoader(db);
  const settle = createSettler(db);
  const eraser = createEraser(db);
  let erasing: Promise<number> | null = null;
  /** Half-read lists that could not be erased when their source failed, most likely on a full disk. */
  const abandoned = new Set<number>();

  const readJob = db.prepare(`SELECT ${jobColumns} FROM job WHERE id = ? AND ${visible}`);
  const readByKey = db.prepare(`SELECT ${jobColumns} FROM job WHERE idempotency_key = ? AND ${visible}`);
  const readNewest = db.prepare(
    `SELECT ${jobColumns} FROM job WHERE number < ? AND ${visible} ORDER BY number DESC LIMIT ?`,
  );
  const readNumber = db.prepare(`SELECT number FROM job WHERE id = ? AND ${visible}`);

  const wakeDue = db.prepare(
    'UPDATE chunk SET readiness = 2 WHERE lease IS NULL AND readiness = 1 AND not_before <= ?',
  );
  const readEarliest = db.prepare(
    'SELECT min(not_before) AS at FROM chunk WHERE lease IS NULL AND readiness = ?',
  );
  const readNext = db.prepare(
    `SELECT chunk.id, chunk.job, job.id AS job_id, ordinal, attempt, tries, rows
     FROM chunk JOIN job ON job.number = chunk.job
     WHERE lease IS NULL AND readiness = 2 ORDER BY ordinal, chunk.id LIMIT 1`,
  );
  const lease = db.prepare('UPDATE chunk SET lease = ?, lease_until = ?, attempt = attempt + 1 WHERE id = ?');
  const start = db.prepare(
    `UPDATE job SET state = 'RUNNING', started_at = coalesce(started_at, ?) WHERE number = ? AND state = 'QUEUED'`,
  );
  const readChunkRows = db.prepare(
    `SELECT l.row, l.address FROM json_each(?) AS j CROSS JOIN list_row AS l ON l.job = ? AND l.row = j.value ORDER BY j.key`,
  );
  const releaseAll = db.prepare('UPDATE chunk SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL');
  const releaseEnded = db.prepare(
    'UPDATE chunk SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL AND lease_until < ?',
  );

  const readResults = db.prepare(
    `SELECT ${resultColumns} FROM result AS r JOIN list_row AS l ON l.job = r.job AND l.row = r.row
     WHERE r.job = ? AND r.position > ? ORDER BY r.position LIMIT ?`,
  );
  const readPositions = db.prepare(
    'SELECT position FROM result WHERE job = ? AND status = ? AND position > ? ORDER BY position LIMIT ?',
  );
  const readAtPositions = db.prepare(
    `SELECT ${resultColumns} FROM json_each(?) AS j CROSS JOIN result AS r ON r.job = ? AND r.position = j.value
     JOIN list_row AS l ON l.job = r.job AND l.row = r.row ORDER BY r.position`,
  );
  const readList = db.prepare(
    `SELECT ${resultColumns} FROM list_row AS l LEFT JOIN result AS r ON r.job = l.job AND r.row = l.row
     WHERE l.job = ? AND l.row > ? ORDER BY l.row LIMIT ?`,
  );
  const readTally = db.prepare(
    'SELECT key, count, deliverable FROM tally WHERE job = ? AND kind = ? ORDER BY count DESC, key LIMIT ?',
  );
  const dropChunks = db.prepare('DELETE FROM chunk WHERE job = ?');
  const cancel = db.prepare(
    `UPDATE job SET state = 'CANCELLED', ended_at = ?, waiting = 0 WHERE number = ? AND state IN ('QUEUED', 'RUNNING')`,
  );
  const readExpired = db.prepare(
    `SELECT number FROM job WHERE (expires_at <= ? OR state = 'ERASING') AND state <> 'LOADING'`,
  );

  /** What every method does with an error: the engine's become the store's own. */
  const guard = async <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw readSqliteError(error, place);
    }
  };
  const numberOf = (id: string): number | null => {
    const found = readNumber.get(id)?.number;
    return typeof found === 'number' ? found : null;
  };
  const jobById = (id: string): Job | null => {
    const row = readJob.get(id);
    return row === undefined ? null : readJobRow(row);
  };

  const takeChunk = (now: Date, leaseUntil: Date): Chunk | null => {
    const earliest = readEarliest.get(1)?.at;
    const isDue = typeof earliest === 'number' && earliest <= now.getTime();
    if (!isDue && readNext.get() === undefined) return null;
    return inTransaction(db, () => {
      if (isDue) wakeDue.run(now.getTime());
      const next = readNext.get();
      if (next === undefined) return null;
      const token = randomUUID();
      lease.run(token, leaseUntil.getTime(), next.id ?? null);
      start.run(now.getTime(), next.job ?? null);
      return {
        id: Number(next.id),
        jobId: String(next.job_id),
        ordinal: Number(next.ordinal),
        lease: token,
        attempt: Number(next.attempt) + 1,
        rows: readChunkRows.all(next.rows ?? null, next.job ?? null).map(({ row, address }) => ({
          row: Number(row),
          address: String(address),
          tries: Number(next.tries),
        })),
      };
    });
  };

  const eraseAll = async (now: Date): Promise<number> => {
    const numbers = readExpired.all(now.getTime()).map(({ number }) => Number(number));
    for (const number of [...numbers, ...abandoned]) {
      await eraser.erase(number);
      abandoned.delete(number);
    }
    if (numbers.length > 0) await eraser.shrink();
    return numbers.length;
  };

  const readBreakdown = (jobId: string, domains: number): Breakdown => {
    const number = numberOf(jobId);
    const tally = (kind: string, limit: number) =>
      number === null
        ? []
        : readTally.all(number, kind, limit).map(({ key, count, deliverable }) => ({
            key: String(key),
            count: Number(count),
            deliverable: Number(deliverable),
          }));
    // Reasons are a closed set, and the catalog's providers are some dozens: -1 is SQLite's "no limit".
    return {
      byReason: tally('reason', -1).map(({ key, count }) => ({ reason: key as Reason, count })),
      byProvider: tally('provider', -1).map(({ key, ...counts }) => ({ provider: key, ...counts })),
      byDomain: tally('domain', domains).map(({ key, ...counts }) => ({ domain: key, ...counts })),
    };
  };

  return {
    createJob: (job, rows) =>
      guard(async () => {
        const number = loader.begin(job);
        try {
          if ((await loader.load(number, job, rows)) === 'keyTaken') {
            await eraser.erase(number);
            return { kind: 'keyTaken' };
          }
        } catch (error) {
          // When even that fails the job stays invisible, and the next sweep tries again.
          abandoned.add(number);
          await eraser.erase(number).then(
            () => abandoned.delete(number),
            () => undefined,
          );
          throw error;
        }
        const created = jobById(job.id);
        if (created === null) throw new Error(`job ${job.id} is gone after it was created`);
        return { kind: 'created', job: created };
      }),
    findByIdempotencyKey: (key) =>
      guard(() => {
        const row = readByKey.get(key);
        return row === undefined ? null : { job: readJobRow(row), inputHash: String(row.input_hash ?? '') };
      }),
    readJob: (id) => guard(() => jobById(id)),
    listJobs: ({ limit, afterId }) =>
      guard(() => {
        const after = afterId === null ? Number.MAX_SAFE_INTEGER : numberOf(afterId);
        return pageOf(after === null ? [] : readNewest.all(after, limit + 1), limit, readJobRow);
      }),
    takeChunk: (now, leaseUntil) => guard(() => takeChunk(now, leaseUntil)),
    settleRows: (chunk, outcome, now) => guard(() => settle(chunk, outcome, now, false)),
    settleChunk: (chunk, outcome, now) => guard(() => settle(chunk, outcome, now, true)),
    releaseChunks: (which) =>
      guard(() => {
        const { changes } =
          which === 'all' ? releaseAll.run() : releaseEnded.run(which.leaseEndedBefore.getTime());
        return Number(changes);
      }),
    nextChunkAt: () =>
      guard(() => {
        const times = [1, 2].map((readiness) => readEarliest.get(readiness)?.at);
        const known = times.filter((at) => typeof at === 'number');
        return known.length === 0 ? null : new Date(Math.min(...known));
      }),
    readResults: (jobId, { afterPosition, limit, statuses }) =>
      guard(() => {
        const number = numberOf(jobId);
        if (number === null) return { items: [], hasNextPage: false };
        if (statuses === null)
          return pageOf(readResults.all(number, afterPosition, limit + 1), limit, readResultRow);
        // Each status from its own index range; the first limit + 1 of all of them are what a merge would give.
        const positions = [...new Set(statuses)]
          .flatMap((status) => readPositions.all(number, status, afterPosition, limit + 1))
          .map(({ position }) => Number(position))
          .sort((a, b) => a - b)
          .slice(0, limit + 1);
        return pageOf(readAtPositions.all(JSON.stringify(positions), number), limit, readResultRow);
      }),
    countResults: (jobId, statuses) =>
      guard(() => {
        const counters = jobById(jobId)?.counters;
        if (counters === undefined) return 0;
        if (statuses === null) return counters.settled;
        return [...new Set(statuses)].reduce((sum, status) => sum + counters[counterOf[status]], 0);
      }),
    readRows: (jobId, { afterRow, limit }) =>
      guard(() => {
        const number = numberOf(jobId);
        return pageOf(number === null ? [] : readList.all(number, afterRow, limit + 1), limit, readListedRow);
      }),
    readBreakdown: (jobId, domains) => guard(() => readBreakdown(jobId, domains)),
    cancelJob: (id, now) =>
      guard(() => {
        const number = numberOf(id);
        if (number === null) return null;
        inTransaction(db, () => {
          if (cancel.run(now.getTime(), number).changes === 1) dropChunks.run(number);
        });
        return jobById(id);
      }),
    eraseExpired: (now) =>
      guard(async () => {
        // One at a time: a second caller waits for the first one's answer.
        erasing ??= eraseAll(now).finally(() => {
          erasing = null;
        });
        return erasing;
      }),
  };
};

/** After a crash: leases of a process that is gone end, and a list that was half read is erased with the next sweep. */
export const recoverJobs = (db: DatabaseSync): void =>
  inTransaction(db, () => {
    db.exec('UPDATE chunk SET lease = NULL, lease_until = NULL WHERE lease IS NOT NULL');
    db.exec(`UPDATE job SET state = 'ERASING' WHERE state = 'LOADING'`);
  });
