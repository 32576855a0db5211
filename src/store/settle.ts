/** What settling writes: results with their duplicates, waiting rows, counters and the end of chunk and job. */
import type { DatabaseSync } from 'node:sqlite';
import { type Chunk, type ChunkOutcome, chunkRows, type RowResult } from '../jobs/index.ts';
import type { Status } from '../verdict/index.ts';
import { inTransaction } from './sqlite.ts';

/**
 * Waiting rows of one job start together when their times fall into one second: else each row that is asked to come
 * back would become a chunk of its own.
 */
const waitGrainMs = 1_000;

type Counts = { settled: number; waiting: number; byStatus: Record<Status, number> };
type Tally = {
  readonly kind: 'reason' | 'provider' | 'domain';
  readonly key: string;
  count: number;
  deliverable: number;
};

export const createSettler = (db: DatabaseSync) => {
  const readChunk = db.prepare(
    `SELECT chunk.rows, chunk.tries, chunk.ordinal, job.number, job.settled, job.duplicates
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.id = ? AND chunk.lease = ?`,
  );
  const readDomain = db.prepare('SELECT domain FROM list_row WHERE job = ? AND row = ?');
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
  const addTally = db.prepare(
    `INSERT INTO tally (job, kind, key, count, deliverable) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count, deliverable = deliverable + excluded.deliverable`,
  );
  const findWaiting = db.prepare(
    `SELECT id, rows FROM chunk
     WHERE job = ? AND tries = ? AND not_before = ? AND lease IS NULL AND row_count < ${chunkRows} LIMIT 1`,
  );
  const insertWaiting = db.prepare(
    `INSERT INTO chunk (job, ordinal, readiness, not_before, tries, rows, row_count) VALUES (?, ?, 1, ?, ?, ?, ?)`,
  );
  const setRows = db.prepare('UPDATE chunk SET rows = ?, row_count = ? WHERE id = ?');
  const setProgress = db.prepare('UPDATE chunk SET attempt = 0 WHERE id = ?');
  const returnChunk = db.prepare(
    'UPDATE chunk SET lease = NULL, lease_until = NULL, readiness = 2 WHERE id = ?',
  );
  const deleteChunk = db.prepare('DELETE FROM chunk WHERE id = ?');
  const count = db.prepare(
    `UPDATE job SET settled = settled + ?, waiting = waiting + ?, deliverable = deliverable + ?,
       undeliverable = undeliverable + ?, risky = risky + ?, unknown = unknown + ? WHERE number = ?`,
  );
  const endJob = db.prepare(
    `UPDATE job SET state = 'COMPLETED', ended_at = ? WHERE number = ? AND settled = total`,
  );

  const putWaiting = (
    job: number,
    ordinal: number,
    tries: number,
    notBefore: number,
    rows: readonly number[],
  ): void => {
    let rest = rows;
    while (rest.length > 0) {
      const open = findWaiting.get(job, tries, notBefore);
      const held = open === undefined ? [] : (JSON.parse(String(open.rows)) as readonly number[]);
      const all = [...held, ...rest.slice(0, chunkRows - held.length)];
      if (open === undefined)
        insertWaiting.run(job, ordinal, notBefore, tries, JSON.stringify(all), all.length);
      else setRows.run(JSON.stringify(all), all.length, Number(open.id));
      rest = rest.slice(all.length - held.length);
    }
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
      byStatus: { DELIVERABLE: 0, UNDELIVERABLE: 0, RISKY: 0, UNKNOWN: 0 },
    };
    const tallies = new Map<string, Tally>();
    const tally = (kind: Tally['kind'], key: string, status: Status) => {
      const name = `${kind} ${key}`;
      const entry = tallies.get(name) ?? { kind, key, count: 0, deliverable: 0 };
      entry.count += 1;
      entry.deliverable += status === 'DELIVERABLE' ? 1 : 0;
      tallies.set(name, entry);
    };
    const leave = (row: number) => {
      if (!left.delete(row))
        throw new Error(`row ${row} is not one of chunk ${chunk.id}'s that are to be settled`);
    };
    const write = (row: number, domain: string, result: RowResult) => {
      const { status, reason, score, provider, exchange, reply, checkedAt } = result;
      counts.settled += 1;
      counts.byStatus[status] += 1;
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
      tally('reason', reason, status);
      if (provider !== null) tally('provider', provider, status);
      if (domain !== '') tally('domain', domain, status);
    };

    for (const result of outcome.settled) {
      leave(result.row);
      write(result.row, String(readDomain.get(job, result.row)?.domain ?? ''), result);
      if (tries > 0) counts.waiting -= 1;
      if (!hasDuplicates) continue;
      for (const { row, domain } of readDuplicates.all(job, result.row)) {
        write(Number(row), String(domain), result);
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
    for (const [notBefore, rows] of waiting)
      putWaiting(job, Number(held.ordinal), tries + 1, notBefore, rows);

    if (left.size === 0) deleteChunk.run(chunk.id);
    else {
      if (outcome.settled.length + outcome.waiting.length > 0) {
        setRows.run(JSON.stringify([...left]), left.size, chunk.id);
        setProgress.run(chunk.id);
      }
      if (isLast) returnChunk.run(chunk.id);
    }
    for (const { kind, key, count: n, deliverable } of tallies.values())
      addTally.run(job, kind, key, n, deliverable);
    const { DELIVERABLE, UNDELIVERABLE, RISKY, UNKNOWN } = counts.byStatus;
    count.run(counts.settled, counts.waiting, DELIVERABLE, UNDELIVERABLE, RISKY, UNKNOWN, job);
    if (counts.settled > 0) endJob.run(now.getTime(), job);
    return 'settled';
  };

  return (chunk: Chunk, outcome: ChunkOutcome, now: Date, isLast: boolean): 'settled' | 'refused' =>
    inTransaction(db, () => settle(chunk, outcome, now, isLast));
};
