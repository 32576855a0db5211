/** The store of jobs on PostgreSQL: its parts put together, and what is read of jobs as a whole. */
import type { Job, JobPage, JobStore, Page } from '../../jobs/index.ts';
import { createControl } from './control.ts';
import type { Database, Query } from './database.ts';
import { createEraser } from './erase.ts';
import { createGate } from './gate.ts';
import { createLoader } from './intake.ts';
import { createListReader } from './list.ts';
import { holdJob } from './locks.ts';
import { createQueue } from './queue.ts';
import { createResultReader } from './results.ts';
import { jobColumns, pageOf, readJobRow, visible } from './rows.ts';
import { createSettler } from './settle.ts';
import { encodeText } from './text.ts';
import type { Tickets } from './tickets.ts';

const nothing = { items: [], hasNextPage: false };
/** unique_violation */
const uniqueViolated = '23505';
const keyIndex = 'job_by_key';

export type JobStoreOptions = {
  readonly database: Database;
  readonly tickets: Tickets;
  readonly source: string;
  readonly leaseMs: number;
  readonly readStorage: JobStore['readStorage'];
};

export const createPostgresJobStore = ({
  database,
  tickets,
  source,
  leaseMs,
  readStorage,
}: JobStoreOptions): JobStore => {
  const load = createLoader(tickets);
  // Each holds a connection for as long as its list comes; the others' work must go on meanwhile.
  const inTurn = createGate(Math.max(1, Math.floor(database.poolCounts().max / 2)));
  const queue = createQueue({ database, tickets, source, leaseMs });
  const control = createControl(tickets);
  const settle = createSettler({ database, tickets, source, readSources: queue.readSources });
  const eraser = createEraser(database, tickets);
  const results = createResultReader(database);
  const list = createListReader(database);

  /** @param owner null: whoever's */
  const numberOf = async (query: Query, id: string, owner: string | null = null): Promise<number | null> => {
    const [row] = await query(
      `SELECT number FROM job WHERE id = $1 AND ($2::text IS NULL OR owner = $2) AND ${visible}`,
      [id, owner],
    );
    return row === undefined ? null : Number(row.number);
  };
  const jobById = async (query: Query, id: string): Promise<Job | null> => {
    const [row] = await query(`SELECT ${jobColumns} FROM job WHERE id = $1 AND ${visible}`, [id]);
    return row === undefined ? null : readJobRow(row);
  };
  /** Does something to a job that nobody else is at, if there is one, and gives it as it is then. */
  const change = (id: string, work: (query: Query, number: number) => Promise<void>): Promise<Job | null> =>
    database.transaction(async ({ query }) => {
      const number = await numberOf(query, id);
      if (number === null) return null;
      await query(`SELECT ${holdJob('$1::bigint')}`, [number]);
      await work(query, number);
      return jobById(query, id);
    });
  /** What is known of a job, or `unknown` when there is none. */
  const ask = async <Answer>(
    id: string,
    unknown: Answer,
    work: (number: number) => Promise<Answer>,
  ): Promise<Answer> => {
    const number = await numberOf(database.query, id);
    return number === null ? unknown : work(number);
  };

  const listJobs = async ({ limit, afterId, owner, states, search }: JobPage): Promise<Page<Job>> => {
    const whose = owner === null ? null : encodeText(owner);
    const after = afterId === null ? Number.MAX_SAFE_INTEGER : await numberOf(database.query, afterId, whose);
    if (after === null) return nothing;
    // Said so that only the index of owners is in this order: by the jobs' own, others' would be read and left out.
    const place = whose === null ? 'number < $1' : '(owner, number) < ($5, $1) AND owner >= $5';
    const rows = await database.query(
      `SELECT ${jobColumns} FROM job WHERE ${place} AND ${visible}
         AND ($2::text[] IS NULL OR state = ANY($2))
         AND ($3::text IS NULL OR strpos(lower(name COLLATE "C"), lower($3 COLLATE "C")) > 0)
       ORDER BY ${whose === null ? '' : 'owner DESC,'} number DESC LIMIT $4`,
      [
        after,
        states,
        search === null ? null : encodeText(search),
        limit + 1,
        ...(whose === null ? [] : [whose]),
      ],
    );
    return pageOf(rows, limit, readJobRow);
  };

  return {
    async createJob(job, rows) {
      try {
        // Once: the rows can be read no second time.
        await inTurn(() => database.transaction((transaction) => load(transaction, job, rows), 1));
      } catch (error) {
        const { code, constraint } = (error ?? {}) as {
          readonly code?: unknown;
          readonly constraint?: unknown;
        };
        if (code === uniqueViolated && constraint === keyIndex) return { kind: 'keyTaken' };
        throw error;
      }
      const created = await jobById(database.query, job.id);
      if (created === null) throw new Error(`job ${job.id} is gone after it was created`);
      return { kind: 'created', job: created };
    },
    async findByIdempotencyKey(key) {
      const [row] = await database.query(
        `SELECT ${jobColumns} FROM job WHERE idempotency_key = $1 AND ${visible}`,
        [key],
      );
      return row === undefined ? null : { job: readJobRow(row), inputHash: String(row.input_hash ?? '') };
    },
    readJob: (id) => jobById(database.query, id),
    listJobs,
    takeChunk: (now, _leaseUntil, exceptJobs = []) => queue.take(now, exceptJobs),
    returnChunk: (chunk) => queue.giveBack(chunk),
    settleRows: (chunk, outcome, now) => settle(chunk, outcome, now, false),
    settleChunk: (chunk, outcome, now) => settle(chunk, outcome, now, true),
    keepChunks: (chunks, now) => queue.keep(chunks, now),
    releaseChunks: () => queue.release(),
    nextChunkAt: () => queue.nextAt(),
    readResults: (jobId, page) => ask(jobId, nothing, (number) => results.read(number, page)),
    countResults: (jobId, filter) => ask(jobId, 0, (number) => results.count(number, filter)),
    readRows: (jobId, page) => ask(jobId, nothing, (number) => list.read(number, page)),
    readBreakdown: (jobId, domains) =>
      ask(jobId, { byReason: [], byProvider: [], byDomain: [] }, (number) =>
        results.breakdown(number, domains),
      ),
    pauseJob: (id) => change(id, control.pause),
    resumeJob: (id) => change(id, control.resume),
    cancelJob: (id) => change(id, control.cancel),
    hideJob: (id) =>
      database.transaction(async ({ query }) => {
        const number = await numberOf(query, id);
        if (number === null) return false;
        await eraser.hide(query, number);
        return true;
      }),
    eraseExpired: () => eraser.eraseExpired(list.forget),
    readStorage,
  };
};
