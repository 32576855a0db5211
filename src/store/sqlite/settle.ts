/** What settling writes: results with their duplicates, waiting rows, counters and the end of chunk and job. */
import type { DatabaseSync } from 'node:sqlite';
import { chunkRows } from '../../jobs/chunks.ts';
import type { Chunk, ChunkOutcome, RowResult } from '../../jobs/index.ts';
import type { Status } from '../../verdict/index.ts';
import { inTransaction } from './database.ts';
import type { Announce } from './deliveries.ts';
import { createTally, prepareTally } from './tally.ts';

/**
 * Waiting rows of one job start together when their times fall into one second: else each row that is asked to come
 * back would become a chunk of its own.
 */
const waitGrainMs = 1_000;

/** A job is told of each tenth of its rows. */
const parts = 10;

type Counts = { settled: number; waiting: number; bytes: number; byStatus: Record<Status, number> };

type WaitingPlace = {
  readonly job: number;
  readonly ordinal: number;
  readonly tries: number;
  readonly readiness: number;
};

/** Octets of text that a result keeps. */
const bytesOf = ({ provider, exchange, reply }: RowResult): number =>
  Buffer.byteLength(`${provider ?? ''}${exchange ?? ''}${reply?.enhancedCode ?? ''}${reply?.text ?? ''}`);

export const createSettler = (db: DatabaseSync, announce: Announce) => {
  const readChunk = db.prepare(
    `SELECT chunk.rows, chunk.tries, chunk.ordinal, job.number, job.state, job.total, job.settled, job.duplicates
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.id = ? AND chunk.lease = ?`,
  );
  const readDomains = db.prepare(
    'SELECT l.domain FROM json_each(?) AS j CROSS JOIN list_row AS l ON l.job = ? AND l.row = j.value ORDER BY j.key',
  );
  const readDuplicates = db.prepare(
    'SELECT row, domain FROM list_row INDEXED BY list_row_by_original WHERE job = ? AND original = ? ORDER BY row',
  );
  const countDuplicates = db.prepare(
    'SELECT count(*) AS n FROM list_row INDEXED BY list_row_by_original WHERE job = ? AND original = ?',
  );
  const insertResult = db.prepare(
    `INSERT INTO result (job, position, row, status, reason, score, provider, exchange,
       reply_code, reply_enhanced, reply_text, checked_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addTally = prepareTally(db);
  const findWaiting = db.prepare(
    `SELECT id, rows FROM chunk
     WHERE job = ? AND tries = ? AND not_before = ? AND lease IS NULL AND row_count < ${chunkRows} LIMIT 1`,
  );
  const insertWaiting = db.prepare(
    `INSERT INTO chunk (job, ordinal, readiness, not_before, tries, rows, row_count) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const setRows = db.prepare('UPDATE chunk SET rows = ?, row_count = ? WHERE id = ?');
  const setProgress = db.prepare('UPDATE chunk SET attempt = 0 WHERE id = ?');
  const returnChunk = db.prepare(
    'UPDATE chunk SET lease = NULL, lease_until = NULL, crashes = 0 WHERE id = ?',
  );
  const deleteChunk = db.prepare('DELETE FROM chunk WHERE id = ?');
  const count = db.prepare(
    `UPDATE job SET settled = settled + ?, waiting = waiting + ?, deliverable = deliverable + ?,
       undeliverable = undeliverable + ?, risky = risky + ?, unknown = unknown + ?,
       stored_bytes = stored_bytes + ? WHERE number = ?`,
  );
  const endJob = db.prepare(`UPDATE job SET state = 'COMPLETED', ended_at = ? WHERE number = ?`);

  const putWaiting = (
    { job, ordinal, tries, readiness }: WaitingPlace,
    notBefore: number,
    rows: readonly number[],
  ): void => {
    let rest = rows;
    while (rest.length > 0) {
      const open = findWaiting.get(job, tries, notBefore);
      const held = open === undefined ? [] : (JSON.parse(String(open.rows)) as readonly number[]);
      const all = [...held, ...rest.slice(0, chunkRows - held.length)];
      if (open === undefined)
        insertWaiting.run(job, ordinal, readiness, notBefore, tries, JSON.stringify(all), all.length);
      else setRows.run(JSON.stringify(all), all.length, Number(open.id));
      rest = rest.slice(all.length - held.length);
    }
  };

  /** What follows from the count: the end of the job, or news of another part of it. */
  const end = (job: number, before: number, after: number, total: number, now: Date): void => {
    if (after === total) {
      endJob.run(now.getTime(), job);
      announce(job, 'bulk_job.completed', now);
    } else if (Math.floor((before * parts) / total) < Math.floor((after * parts) / total))
      announce(job, 'bulk_job.progressed', now);
  };

  const settle = (chunk: Chunk, outcome: ChunkOutcome, now: Date, isLast: boolean): 'settled' | 'refused' => {
    const held = readChunk.get(chunk.id, chunk.lease);
    if (held === undefined) return 'refused';
    const job = Number(held.number);
    const tries = Number(held.tries);
    const hasDuplicates = Number(held.duplicates) > 0;
    const left = new Set(JSON.parse(String(held.rows)) as readonly number[]);
    const counts: Counts = {
      settled: 0,
      waiting: 0,
      bytes: 0,
      byStatus: { DELIVERABLE: 0, UNDELIVERABLE: 0, RISKY: 0, UNKNOWN: 0 },
    };
    const tally = createTally();
    const leave = (row: number) => {
      if (!left.delete(row))
        throw new Error(`row ${row} is not one of chunk ${chunk.id}'s that are to be settled`);
    };
    const write = (row: number, domain: string, result: RowResult, bytes: number) => {
      const { status, reason, score, provider, exchange, reply, checkedAt } = result;
      counts.settled += 1;
      counts.byStatus[status] += 1;
      counts.bytes += bytes;
      insertResult.run(
        job,
        Number(held.settled) + counts.settled,
        row,
        status,
        reason,
        score,
        provider,
        exchange,
        reply?.code ?? null,
        reply?.enhancedCode ?? null,
        reply?.text ?? null,
        checkedAt.getTime(),
      );
      tally.add(reason, provider, domain, status);
    };

    const settledRows = outcome.settled.map(({ row }) => row);
    for (const row of settledRows) leave(row);
    const domains = readDomains.all(JSON.stringify(settledRows), job);
    for (const [index, result] of outcome.settled.entries()) {
      const bytes = bytesOf(result);
      write(result.row, String(domains[index]?.domain), result, bytes);
      if (tries > 0) counts.waiting -= 1;
      if (!hasDuplicates) continue;
      for (const { row, domain } of readDuplicates.all(job, result.row)) {
        write(Number(row), String(domain), result, bytes);
        if (tries > 0) counts.waiting -= 1;
      }
    }

    const waiting = new Map<number, number[]>();
    for (const { row, retryAt } of outcome.waiting) {
      leave(row);
      const notBefore = Math.ceil(retryAt.getTime() / waitGrainMs) * waitGrainMs;
      const rows = waiting.get(notBefore);
      if (rows === undefined) waiting.set(notBefore, [row]);
      else rows.push(row);
      if (tries === 0) counts.waiting += 1 + (hasDuplicates ? Number(countDuplicates.get(job, row)?.n) : 0);
    }
    const place = {
      job,
      ordinal: Number(held.ordinal),
      tries: tries + 1,
      readiness: held.state === 'PAUSED' ? 3 : 1,
    };
    for (const [notBefore, rows] of waiting) putWaiting(place, notBefore, rows);

    if (left.size === 0) deleteChunk.run(chunk.id);
    else {
      if (outcome.settled.length + outcome.waiting.length > 0) {
        setRows.run(JSON.stringify([...left]), left.size, chunk.id);
        setProgress.run(chunk.id);
      }
      if (isLast) returnChunk.run(chunk.id);
    }
    if (counts.settled !== 0 || counts.waiting !== 0) {
      const { DELIVERABLE, UNDELIVERABLE, RISKY, UNKNOWN } = counts.byStatus;
      const { settled, waiting: waits, bytes } = counts;
      count.run(settled, waits, DELIVERABLE, UNDELIVERABLE, RISKY, UNKNOWN, bytes, job);
    }
    if (counts.settled > 0) {
      tally.write(job, addTally);
      end(job, Number(held.settled), Number(held.settled) + counts.settled, Number(held.total), now);
    }
    return 'settled';
  };

  return (chunk: Chunk, outcome: ChunkOutcome, now: Date, isLast: boolean): 'settled' | 'refused' =>
    inTransaction(db, () => settle(chunk, outcome, now, isLast));
};
