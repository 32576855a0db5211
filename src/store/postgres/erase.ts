/**
 * Erasing a job of any size in short transactions. What is half erased is seen by nobody and finished later, by whichever
 * process looks next. PostgreSQL does not overwrite: what is deleted is gone for every query at once, from the pages
 * with the next vacuum, and from the log when that is recycled (docs/cluster.md).
 */
import { clock, type Database, type Query } from './database.ts';
import { holdJob } from './locks.ts';
import { dropChunks } from './places.ts';
import type { Tickets } from './tickets.ts';

/** Rows a statement erases: some hundredths of a second, so that nobody waits for its locks. */
const batchRows = 5_000;
export const createEraser = (database: Database, tickets: Tickets) => {
  /** Nobody sees it from now on, works on it or is told of it. */
  const hide = async (query: Query, job: number): Promise<void> => {
    await query(`SELECT ${holdJob('$1::bigint')}`, [job]);
    await query(`UPDATE job SET state = 'ERASING' WHERE number = $1`, [job]);
    await dropChunks(query, tickets, job);
    await query('DELETE FROM delivery WHERE job = $1', [job]);
  };

  /** Until there are none: another process that is at the same job may have held those that this one looked for. */
  const eraseRows = async (job: number, table: string, key: string): Promise<void> => {
    while (true) {
      const [{ isLeft } = {}] = await database.query(
        `SELECT EXISTS (SELECT FROM ${table} WHERE job = $1) AS "isLeft"`,
        [job],
      );
      if (isLeft !== true) return;
      await database.query(
        `DELETE FROM ${table} WHERE job = $1 AND ${key} IN (
           SELECT ${key} FROM ${table} WHERE job = $1 ORDER BY ${key} LIMIT ${batchRows})`,
        [job],
      );
    }
  };

  /** All that belongs to the job, in batches; the job itself goes last, so that a crash half-way is found again. */
  const erase = async (job: number): Promise<void> => {
    await database.transaction(({ query }) => hide(query, job));
    await eraseRows(job, 'result', 'position');
    await eraseRows(job, 'list_row', 'row');
    await database.query('DELETE FROM tally WHERE job = $1', [job]);
    await database.query('DELETE FROM job WHERE number = $1', [job]);
  };

  return {
    hide,
    async eraseExpired(forget: (job: number) => void): Promise<number> {
      const expired = await database.query(
        `SELECT number FROM job WHERE expires_at <= ${clock} OR state = 'ERASING'`,
      );
      for (const { number } of expired) {
        forget(Number(number));
        await erase(Number(number));
      }
      return expired.length;
    },
  };
};
