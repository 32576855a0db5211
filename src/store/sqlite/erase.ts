/** Erasing a job of any size in short transactions. What is half erased is seen by nobody and finished later. */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { inTransaction } from './database.ts';

/** Rows a transaction erases: with `secure_delete` and the indexes about 10 ms of the event loop. */
const batchRows = 1_000;
/** Pages given back to the disk at a time. */
const batchPages = 500;
/** Somebody who reads beside us (a backup) keeps the log from being emptied; not for ever, and nor do we wait so. */
const mostAttempts = 20;
const attemptEveryMs = 50;

export const createEraser = (db: DatabaseSync) => {
  const hide = db.prepare(`UPDATE job SET state = 'ERASING' WHERE number = ?`);
  const deleteChunks = db.prepare('DELETE FROM chunk WHERE job = ?');
  const deleteDeliveries = db.prepare('DELETE FROM delivery WHERE job = ?');
  const deleteJob = db.prepare('DELETE FROM job WHERE number = ?');
  const tables = [
    { key: 'position', table: 'result' },
    { key: 'row', table: 'list_row' },
  ].map(({ key, table }) => ({
    bound: db.prepare(
      `SELECT ${key} AS bound FROM ${table} WHERE job = ? ORDER BY ${key} LIMIT 1 OFFSET ${batchRows - 1}`,
    ),
    some: db.prepare(`DELETE FROM ${table} WHERE job = ? AND ${key} <= ?`),
    rest: db.prepare(`DELETE FROM ${table} WHERE job = ?`),
  }));
  const someTallies = db.prepare(
    `DELETE FROM tally WHERE (job, kind, key) IN (SELECT job, kind, key FROM tally WHERE job = ? LIMIT ${batchRows})`,
  );
  const emptyLog = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
  const readFreePages = db.prepare('PRAGMA freelist_count');

  /** Nobody sees it from now on, works on it or is told of it. Within a transaction. */
  const drop = (job: number): void => {
    hide.run(job);
    deleteChunks.run(job);
    deleteDeliveries.run(job);
  };

  /** All that belongs to the job, in batches; the job itself goes last, so that a crash half-way is found again. */
  const erase = async (job: number): Promise<void> => {
    inTransaction(db, () => drop(job));
    for (const { bound, some, rest } of tables) {
      while (true) {
        const last = bound.get(job)?.bound;
        inTransaction(db, () => (last === undefined ? rest.run(job) : some.run(job, last)));
        await nextTurn();
        if (last === undefined) break;
      }
    }
    while (Number(inTransaction(db, () => someTallies.run(job)).changes) > 0) await nextTurn();
    deleteJob.run(job);
  };

  /** Gives free pages back and empties the log, where erased addresses would otherwise live on until it is reused. */
  const shrink = async (): Promise<void> => {
    let free = Number(readFreePages.get()?.freelist_count);
    while (free > 0) {
      db.exec(`PRAGMA incremental_vacuum(${batchPages})`);
      await nextTurn();
      const left = Number(readFreePages.get()?.freelist_count);
      if (left >= free) break;
      free = left;
    }
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      if (emptyLog.get()?.busy === 0) return;
      await pause(attemptEveryMs);
    }
  };

  return { drop, erase, shrink };
};
