/**
 * What settling writes: results with their duplicates, counters and the end of chunk and job. Rows that must be asked again
 * are `waiting-rows.ts`.
 */
import { randomUUID } from 'node:crypto';
import type { Chunk, ChunkOutcome } from '../../jobs/index.ts';
import { StoreError } from '../fault.ts';
import { clock, type Database, type Query, type Row, type Transaction } from './database.ts';
import { announce } from './deliveries.ts';
import { shareJob } from './locks.ts';
import { returnPlace } from './places.ts';
import { encodeText } from './text.ts';
import type { Tickets } from './tickets.ts';
import { createTogether } from './together.ts';
import { createWaitingRows, type Held } from './waiting-rows.ts';

/** A job is told of each tenth of its rows. */
const parts = 10;

/**
 * Everything that a batch of results writes, as one statement: one way to the server and back, with the job's row
 * locked for no longer than it takes. Positions follow the count of what settled before, under that lock, so that they
 * have no gap and are seen in their order.
 *
 * Each row is looked up for itself (OFFSET 0 lets the planner do nothing else): of a list that came just now it knows
 * nothing, and a join read all of it for each batch, 50 ms for 30,000 rows.
 */
const settleStatement = `
  WITH given AS (
    SELECT * FROM unnest($2::int[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::smallint[],
      $9::text[], $10::text[], $11::timestamptz[]) WITH ORDINALITY
      AS g(row, status, reason, score, provider, exchange, code, enhanced, reply, checked_at, n)
  ), written AS (
    SELECT l.row AS at, l.domain, g.* FROM given AS g
      CROSS JOIN LATERAL (SELECT row, domain FROM list_row WHERE job = $1 AND row = g.row OFFSET 0) AS l
    UNION ALL
    SELECT l.row AS at, l.domain, g.* FROM given AS g
      CROSS JOIN LATERAL (SELECT row, domain FROM list_row WHERE job = $1 AND original = g.row OFFSET 0) AS l
    WHERE $12::boolean
  ), counted AS (
    SELECT count(*)::int AS settled,
      count(*) FILTER (WHERE status = 'DELIVERABLE')::int AS deliverable,
      count(*) FILTER (WHERE status = 'UNDELIVERABLE')::int AS undeliverable,
      count(*) FILTER (WHERE status = 'RISKY')::int AS risky,
      count(*) FILTER (WHERE status = 'UNKNOWN')::int AS unknown,
      coalesce(sum(coalesce(octet_length(provider), 0) + coalesce(octet_length(exchange), 0)
        + coalesce(octet_length(enhanced), 0) + coalesce(octet_length(reply), 0)), 0)::bigint AS bytes
    FROM written
  ), moved AS (
    UPDATE job SET settled = job.settled + c.settled, deliverable = job.deliverable + c.deliverable,
      undeliverable = job.undeliverable + c.undeliverable, risky = job.risky + c.risky,
      unknown = job.unknown + c.unknown, stored_bytes = stored_bytes + c.bytes,
      waiting = waiting + $13 - CASE WHEN $14 THEN c.settled ELSE 0 END
    FROM counted AS c WHERE number = $1 AND state IN ('QUEUED', 'RUNNING', 'PAUSED')
    RETURNING job.settled - c.settled AS before, job.settled AS after, job.total, job.state
  ), inserted AS (
    INSERT INTO result (job, position, row, status, reason, score, provider, exchange, reply_code, reply_enhanced,
      reply_text, checked_at)
    SELECT $1, m.before + row_number() OVER (ORDER BY w.n, w.at), w.at, status, reason, score, provider, exchange, code,
      enhanced, reply, checked_at
    FROM written AS w, moved AS m
  ), tallied AS (
    INSERT INTO tally (job, kind, key, count, deliverable)
    SELECT $1, t.kind, t.key, count(*), count(*) FILTER (WHERE status = 'DELIVERABLE')
    FROM written CROSS JOIN moved
      CROSS JOIN LATERAL (VALUES ('reason', reason), ('provider', provider), ('domain', nullif(domain, ''))) AS t(kind, key)
    WHERE t.key IS NOT NULL GROUP BY t.kind, t.key
    ON CONFLICT (job, kind, key) DO UPDATE
      SET count = tally.count + excluded.count, deliverable = tally.deliverable + excluded.deliverable
  )
  SELECT before, after, total, state FROM moved`;

/**
 * The job's lock first, in the same way to the server. Of the chunk, which is locked then, we see the newest; of the job
 * only what never changes.
 */
const holdStatement = `
  SELECT c.job, c.rows, c.tries, c.ordinal, c.avoid, c.queue, c.ticket, c.take, c.last_write, j.id AS job_id,
    j.duplicates, ${clock} AS now
  FROM chunk AS c JOIN job AS j ON j.number = c.job CROSS JOIN LATERAL (SELECT ${shareJob('c.job')}) AS shared
  WHERE c.id = $1 AND c.lease = $2 AND c.lease_until > ${clock} FOR UPDATE OF c`;

const readHeld = (chunk: number, row: Row): Held => ({
  chunk,
  job: Number(row.job),
  jobId: String(row.job_id),
  tries: Number(row.tries),
  ordinal: Number(row.ordinal),
  avoid: row.avoid as readonly string[],
  hasDuplicates: Number(row.duplicates) > 0,
  place: { id: String(row.ticket), queue: String(row.queue), take: Number(row.take) },
  now: row.now as Date,
});

/** Chunks that settle in one transaction: some thousand rows, a tenth of a second for whoever waits for the job's row. */
const mostTogether = 8;

type Settling = {
  readonly chunk: Chunk;
  readonly outcome: ChunkOutcome;
  readonly now: Date;
  readonly isLast: boolean;
  readonly alive: readonly string[];
};

export type SettlerOptions = {
  readonly database: Database;
  readonly tickets: Tickets;
  readonly source: string;
  readonly readSources: () => Promise<readonly string[]>;
};

export const createSettler = ({ database, tickets, source, readSources }: SettlerOptions) => {
  const writeWaiting = createWaitingRows(tickets, source);
  /** By outcome: what asks again because its answer was lost says the same, and is written once. */
  const writes = new WeakMap<ChunkOutcome, string>();
  const writeOf = (outcome: ChunkOutcome): string => {
    const known = writes.get(outcome) ?? randomUUID();
    writes.set(outcome, known);
    return known;
  };

  /** What follows from the count: the end of the job, or news of another part of it. */
  const end = async (query: Query, job: number, { before, after, total }: Row): Promise<void> => {
    const part = (settled: unknown): number => Math.floor((Number(settled) * parts) / Number(total));
    if (after === total) {
      await query(`UPDATE job SET state = 'COMPLETED', ended_at = ${clock} WHERE number = $1`, [job]);
      await announce(query, job, 'bulk_job.completed');
    } else if (part(before) < part(after)) await announce(query, job, 'bulk_job.progressed');
  };

  const writeResults = async (
    { query, prepared }: Transaction,
    held: Held,
    { settled, waiting }: ChunkOutcome,
  ): Promise<'PAUSED' | 'open' | 'ended'> => {
    let moreWaiting = 0;
    if (held.tries === 0 && waiting.length > 0) {
      const rows = waiting.map(({ row }) => row);
      const [shared] = held.hasDuplicates
        ? await query('SELECT count(*) AS n FROM list_row WHERE job = $1 AND original = ANY($2::int[])', [
            held.job,
            rows,
          ])
        : [];
      moreWaiting = rows.length + Number(shared?.n ?? 0);
    }
    const [moved] = await prepared('settle', settleStatement, [
      held.job,
      settled.map(({ row }) => row),
      settled.map(({ status }) => status),
      settled.map(({ reason }) => reason),
      settled.map(({ score }) => score),
      settled.map(({ provider }) => provider),
      settled.map(({ exchange }) => exchange),
      settled.map(({ reply }) => reply?.code ?? null),
      settled.map(({ reply }) => reply?.enhancedCode ?? null),
      settled.map(({ reply }) => (reply === null ? null : encodeText(reply.text))),
      settled.map(({ checkedAt }) => checkedAt),
      held.hasDuplicates,
      moreWaiting,
      held.tries > 0,
    ]);
    if (moved === undefined) return 'ended';
    if (settled.length > 0) await end(query, held.job, moved);
    return moved.state === 'PAUSED' ? 'PAUSED' : 'open';
  };

  const settle = async (
    transaction: Transaction,
    chunk: Chunk,
    outcome: ChunkOutcome,
    now: Date,
    { isLast, alive }: { readonly isLast: boolean; readonly alive: readonly string[] },
  ): Promise<'settled' | 'refused'> => {
    const { query, prepared } = transaction;
    const [row] = await prepared('hold', holdStatement, [chunk.id, chunk.lease]);
    if (row === undefined) return 'refused';
    const write = writeOf(outcome);
    if (row.last_write === write) return 'settled';
    const held = readHeld(chunk.id, row);
    const left = new Set(row.rows as readonly number[]);
    for (const { row: number } of [...outcome.settled, ...outcome.waiting])
      if (!left.delete(number))
        throw new Error(`row ${number} is not one of chunk ${chunk.id}'s that are to be settled`);
    const count = outcome.settled.length + outcome.waiting.length;
    if (count > 0) {
      const state = await writeResults(transaction, held, outcome);
      if (state === 'ended') return 'refused';
      await writeWaiting(query, held, outcome.waiting, now, { alive, isPaused: state === 'PAUSED' });
    }
    if (left.size === 0) {
      await query('DELETE FROM chunk WHERE id = $1', [chunk.id]);
      await tickets.complete(query, held.place);
      return 'settled';
    }
    if (count > 0)
      await prepared('shrink', 'UPDATE chunk SET rows = $1, attempt = 0, last_write = $2 WHERE id = $3', [
        [...left],
        write,
        chunk.id,
      ]);
    if (isLast) {
      await query('UPDATE chunk SET lease = NULL, lease_until = NULL, crashes = 0 WHERE id = $1', [chunk.id]);
      await returnPlace(query, tickets, chunk.id);
    }
    return 'settled';
  };

  /**
   * Chunks of one job that have something to write while another's commit is under way write it together: the job's row
   * can be locked by one transaction at a time, and the disk is waited for once.
   */
  const settleTogether = createTogether<Settling, 'settled' | 'refused'>(
    (batch) =>
      database.transaction(async (transaction) => {
        // All chunks before the job, as everybody locks them: one of them may be another's by now, who waits for the job.
        if (batch.length > 1)
          await transaction.query('SELECT FROM chunk WHERE id = ANY($1) ORDER BY id FOR UPDATE', [
            batch.map(({ chunk }) => chunk.id),
          ]);
        const answers: ('settled' | 'refused')[] = [];
        for (const { chunk, outcome, now, ...how } of batch)
          answers.push(await settle(transaction, chunk, outcome, now, how));
        return answers;
      }),
    mostTogether,
    // With a database that is away each of them would wait for it, one after another.
    (error) => error instanceof StoreError && error.isPassing,
  );

  return async (
    chunk: Chunk,
    outcome: ChunkOutcome,
    now: Date,
    isLast: boolean,
  ): Promise<'settled' | 'refused'> => {
    // Before the transaction: it must not wait for another connection while it holds one.
    const alive = outcome.waiting.some(({ where }) => where === 'elsewhere') ? await readSources() : [];
    return settleTogether(chunk.jobId, { chunk, outcome, now, isLast, alive });
  };
};
