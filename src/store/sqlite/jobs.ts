/** The store of jobs on SQLite: its parts put together, and what is read of jobs as a whole. */
import type { DatabaseSync } from 'node:sqlite';
import type { CreateOutcome, Job, JobPage, JobStore, NewJob, Page } from '../../jobs/index.ts';
import { guardAt, inTransaction } from './database.ts';
import { createAnnouncer } from './deliveries.ts';
import { createEraser } from './erase.ts';
import { createLoader, type KeptRow, keepRows } from './intake.ts';
import { createListReader, type KeptListedRow, type ListRange, readListedRows } from './list.ts';
import { createQueue, recoverQueue } from './queue.ts';
import { createResultReader } from './results.ts';
import { jobColumns, lowerAscii, pageOf, readJobRow, visible } from './rows.ts';
import { createSettler } from './settle.ts';
import type { ReadStorage } from './storage.ts';

const nothing = { items: [], hasNextPage: false };

export type SqliteJobStore = JobStore & {
  /** `createJob` of a list that comes in batches of rows as they are kept. */
  loadJob(job: NewJob, batches: AsyncIterable<readonly KeptRow[]>): Promise<CreateOutcome>;
  /** `readRows` as they are kept. */
  readKeptRows(jobId: string, range: ListRange): Promise<Page<KeptListedRow>>;
};

export const createSqliteJobStore = (
  db: DatabaseSync,
  place: string,
  readStorage: ReadStorage,
): SqliteJobStore => {
  const announce = createAnnouncer(db);
  const loader = createLoader(db, announce);
  const settle = createSettler(db, announce);
  const queue = createQueue(db, announce);
  const eraser = createEraser(db);
  const results = createResultReader(db);
  const list = createListReader(db);
  let erasing: Promise<number> | null = null;
  /** Half-read lists that could not be erased when their source failed, most likely on a full disk. */
  const abandoned = new Set<number>();

  const readJob = db.prepare(`SELECT ${jobColumns} FROM job WHERE id = ? AND ${visible}`);
  const readByKey = db.prepare(`SELECT ${jobColumns} FROM job WHERE idempotency_key = ? AND ${visible}`);
  const prepareNewest = (whose: string) =>
    db.prepare(
      `SELECT ${jobColumns} FROM job WHERE ${whose} AND number < :after AND ${visible}
         AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
         AND (:search IS NULL OR instr(lower(name), :search) > 0)
       ORDER BY number DESC LIMIT :limit`,
    );
  const readNewest = prepareNewest('true');
  const readNewestOf = prepareNewest('owner = :owner');
  const readNumber = db.prepare(`SELECT number FROM job WHERE id = ? AND ${visible}`);
  const readNumberOf = db.prepare(`SELECT number FROM job WHERE id = ? AND owner = ? AND ${visible}`);
  const readExpired = db.prepare(
    `SELECT number FROM job WHERE (expires_at <= ? OR state = 'ERASING') AND state <> 'LOADING'`,
  );

  const guard = guardAt(place);
  /** @param owner null: whoever's */
  const numberOf = (id: string, owner: string | null = null): number | null => {
    const found = (owner === null ? readNumber.get(id) : readNumberOf.get(id, owner))?.number;
    return typeof found === 'number' ? found : null;
  };
  const jobById = (id: string): Job | null => {
    const row = readJob.get(id);
    return row === undefined ? null : readJobRow(row);
  };
  /** Does something to a job, if there is one, and gives it as it is then. */
  const change = (id: string, work: (number: number) => void): Promise<Job | null> =>
    guard(() => {
      const number = numberOf(id);
      if (number === null) return null;
      work(number);
      return jobById(id);
    });
  /** What is known of a job, or `unknown` when there is none. */
  const ask = <Answer>(
    id: string,
    unknown: Answer,
    work: (number: number) => Answer | Promise<Answer>,
  ): Promise<Answer> =>
    guard(() => {
      const number = numberOf(id);
      return number === null ? unknown : work(number);
    });

  const listJobs = ({ limit, afterId, owner, states, search }: JobPage): Page<Job> => {
    const after = afterId === null ? Number.MAX_SAFE_INTEGER : numberOf(afterId, owner);
    if (after === null) return nothing;
    const asked = {
      after,
      states: states === null ? null : JSON.stringify(states),
      search: search === null ? null : lowerAscii(search),
      limit: limit + 1,
    };
    const rows = owner === null ? readNewest.all(asked) : readNewestOf.all({ ...asked, owner });
    return pageOf(rows, limit, readJobRow);
  };

  const eraseAll = async (now: Date): Promise<number> => {
    const numbers = readExpired.all(now.getTime()).map(({ number }) => Number(number));
    for (const number of [...numbers, ...abandoned]) {
      list.forget(number);
      await eraser.erase(number);
      abandoned.delete(number);
    }
    if (numbers.length > 0) await eraser.shrink();
    return numbers.length;
  };

  const loadJob: SqliteJobStore['loadJob'] = (job, batches) =>
    guard(async () => {
      const number = loader.begin(job);
      try {
        if ((await loader.load(number, job, batches)) === 'keyTaken') {
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
    });

  const readKeptRows: SqliteJobStore['readKeptRows'] = (jobId, range) =>
    ask<Page<KeptListedRow>>(jobId, nothing, (number) => list.read(number, range));

  return {
    createJob: (job, rows) => loadJob(job, keepRows(rows)),
    loadJob,
    findByIdempotencyKey: (key) =>
      guard(() => {
        const row = readByKey.get(key);
        return row === undefined ? null : { job: readJobRow(row), inputHash: String(row.input_hash ?? '') };
      }),
    readJob: (id) => guard(() => jobById(id)),
    listJobs: (page) => guard(() => listJobs(page)),
    takeChunk: (now, leaseUntil, exceptJobs = []) => guard(() => queue.take(now, leaseUntil, exceptJobs)),
    returnChunk: (chunk) => guard(() => queue.giveBack(chunk)),
    settleRows: (chunk, outcome, now) => guard(() => settle(chunk, outcome, now, false)),
    settleChunk: (chunk, outcome, now) => guard(() => settle(chunk, outcome, now, true)),
    // One process: whoever holds a lease is here to ask.
    keepChunks: async () => [],
    releaseChunks: (now) => guard(() => queue.release(now)),
    nextChunkAt: () => guard(() => queue.nextAt()),
    readResults: (jobId, page) => ask(jobId, nothing, (number) => results.read(number, page)),
    countResults: (jobId, filter) => ask(jobId, 0, (number) => results.count(number, filter)),
    readRows: async (jobId, range) => readListedRows(await readKeptRows(jobId, range)),
    readKeptRows,
    readBreakdown: (jobId, domains) =>
      ask(jobId, { byReason: [], byProvider: [], byDomain: [] }, (number) =>
        results.breakdown(number, domains),
      ),
    pauseJob: (id) => change(id, (number) => queue.pause(number)),
    resumeJob: (id, now) => change(id, (number) => queue.resume(number, now)),
    cancelJob: (id, now) => change(id, (number) => queue.cancel(number, now)),
    hideJob: (id) =>
      ask(id, false, (number) => {
        inTransaction(db, () => eraser.drop(number));
        return true;
      }),
    eraseExpired: (now) =>
      guard(async () => {
        // One at a time: a second caller waits for the first one's answer.
        erasing ??= eraseAll(now).finally(() => {
          erasing = null;
        });
        return erasing;
      }),
    readStorage: () => guard(readStorage),
  };
};

/** After a crash: leases of a process that is gone end, and a list that was half read is erased with the next sweep. */
export const recoverJobs = (db: DatabaseSync): void =>
  inTransaction(db, () => {
    recoverQueue(db);
    db.exec(`UPDATE job SET state = 'ERASING' WHERE state = 'LOADING'`);
  });
