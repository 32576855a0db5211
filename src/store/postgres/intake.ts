/**
 * A list of any length into the store in one transaction, without holding it in memory: nobody sees the job before the
 * last row, and whatever goes wrong leaves nothing. Rows go into a temporary table; the database finds the first row of
 * each mailbox and sorts by domain, where a list of a million would otherwise lie in this process.
 */
import { randomUUID } from 'node:crypto';
import { type ChunkPlan, createChunkCutter, planOrdinals } from '../../jobs/chunks.ts';
import type { IntakeRow, NewJob } from '../../jobs/index.ts';
import { clock, type Query, type Row, type Transaction } from './database.ts';
import { announce } from './deliveries.ts';
import { encodeText } from './text.ts';
import { anybody, type NewTicket, type Tickets } from './tickets.ts';

/** Rows a statement carries: what is gained by more is lost again by holding it all in memory twice. */
const batchRows = 2_000;
/** Rows read back at a time to be cut. */
const placesAtOnce = 20_000;
/** Chunks written with one statement: half a million row numbers. */
const batchChunks = 1_000;

type Counted = { readonly total: number; readonly duplicates: number; readonly bytes: number };

export const createLoader = (tickets: Pick<Tickets, 'put'>) => {
  const insertJob = async (query: Query, job: NewJob): Promise<number> => {
    const [row] = await query(
      `INSERT INTO job (id, owner, name, state, created_at, expires_at, idempotency_key, input_hash, max_age,
         webhook_url, webhook_secret, webhook_tells_progress)
       VALUES ($1, $2, $3, 'QUEUED', ${clock}, ${clock} + $4 * interval '1 millisecond', $5, $6, $7, $8, $9, $10)
       RETURNING number`,
      [
        job.id,
        job.owner === null ? null : encodeText(job.owner),
        job.name === null ? null : encodeText(job.name),
        job.expiresAt.getTime() - job.createdAt.getTime(),
        job.idempotencyKey,
        job.inputHash,
        job.maxAgeSeconds,
        job.webhook?.url ?? null,
        job.webhook?.secret ?? null,
        job.webhook?.tellsProgress === true,
      ],
    );
    return Number(row?.number);
  };

  /** Reads the source to its end. */
  const stage = async (
    { query, prepared }: Transaction,
    source: AsyncIterable<IntakeRow> | Iterable<IntakeRow>,
  ): Promise<void> => {
    await query(
      `CREATE TEMP TABLE stage (row int NOT NULL, address text NOT NULL, canonical text, domain text NOT NULL, cells text)
       ON COMMIT DROP`,
    );
    const write = (rows: readonly IntakeRow[]) =>
      prepared(
        'stage',
        'INSERT INTO stage SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[])',
        [
          rows.map(({ row }) => row),
          rows.map(({ address }) => encodeText(address)),
          rows.map(({ canonical }) => canonical),
          rows.map(({ domain }) => domain),
          rows.map(({ cells }) => (cells === null ? null : JSON.stringify(cells))),
        ],
      );
    let batch: IntakeRow[] = [];
    for await (const row of source) {
      batch.push(row);
      if (batch.length < batchRows) continue;
      await write(batch);
      batch = [];
    }
    if (batch.length > 0) await write(batch);
  };

  /** The list itself, each row with the first of its mailbox. */
  const insertRows = async (query: Query, job: number): Promise<Counted> => {
    await query('ANALYZE stage');
    const [counted] = await query(
      `WITH claimed AS (
         SELECT row, address, domain, cells,
           CASE WHEN canonical IS NOT NULL THEN nullif(min(row) OVER (PARTITION BY canonical), row) END AS original
         FROM stage
       ), inserted AS (
         INSERT INTO list_row (job, row, original, address, domain, cells)
         SELECT $1, row, original, address, domain, cells FROM claimed ORDER BY row RETURNING 1
       )
       SELECT count(*) AS total, count(original) AS duplicates,
         coalesce(sum(octet_length(address) + coalesce(octet_length(cells), 0)), 0)::bigint AS bytes
       FROM claimed`,
      [job],
    );
    return {
      total: Number(counted?.total),
      duplicates: Number(counted?.duplicates),
      bytes: Number(counted?.bytes),
    };
  };

  const planChunks = async (query: Query, job: number): Promise<readonly ChunkPlan[]> => {
    const cutter = createChunkCutter();
    const plans: ChunkPlan[] = [];
    const keep = (plan: ChunkPlan | null) => {
      if (plan !== null) plans.push(plan);
    };
    await query(
      `DECLARE places NO SCROLL CURSOR FOR
       SELECT domain, row FROM list_row WHERE job = ${job} AND original IS NULL ORDER BY domain COLLATE "C", row`,
    );
    let places: readonly Row[];
    do {
      places = await query(`FETCH ${placesAtOnce} FROM places`);
      for (const { domain, row } of places) keep(cutter.add(String(domain), Number(row)));
    } while (places.length === placesAtOnce);
    await query('CLOSE places');
    keep(cutter.end());
    return plans;
  };

  const insertChunks = async (query: Query, job: number, jobId: string): Promise<void> => {
    const plans = await planChunks(query, job);
    const ordinals = planOrdinals(plans.map(({ domain }) => domain));
    for (let from = 0; from < plans.length; from += batchChunks) {
      const chunks = plans.slice(from, from + batchChunks).map(({ rows }, index) => ({
        id: randomUUID(),
        ordinal: ordinals[from + index] ?? 1,
        rows: `{${rows.join(',')}}`,
      }));
      const inserted = await query(
        `INSERT INTO chunk (job, ordinal, not_before, rows, queue, ticket)
         SELECT $1, g.ordinal, ${clock}, g.rows::int[], $2, g.ticket
         FROM unnest($3::int[], $4::text[], $5::uuid[]) AS g(ordinal, rows, ticket) RETURNING id, ordinal, ticket`,
        [
          job,
          anybody,
          chunks.map(({ ordinal }) => ordinal),
          chunks.map(({ rows }) => rows),
          chunks.map(({ id }) => id),
        ],
      );
      const sent: NewTicket[] = inserted
        .map(({ id, ordinal, ticket }) => ({
          id: String(ticket),
          chunk: Number(id),
          jobId,
          ordinal: Number(ordinal),
          notBefore: null,
        }))
        .toSorted((a, b) => a.ordinal - b.ordinal);
      await tickets.put(query, anybody, sent);
    }
  };

  /** All of it within the caller's transaction. */
  return async (
    transaction: Transaction,
    job: NewJob,
    source: AsyncIterable<IntakeRow> | Iterable<IntakeRow>,
  ): Promise<void> => {
    const { query } = transaction;
    const number = await insertJob(query, job);
    await stage(transaction, source);
    const { total, duplicates, bytes } = await insertRows(query, number);
    await insertChunks(query, number, job.id);
    const shape = job.readShape();
    await query(
      `UPDATE job SET state = CASE WHEN $2::int = 0 THEN 'COMPLETED' ELSE 'QUEUED' END,
         ended_at = CASE WHEN $2 = 0 THEN created_at END, total = $2, duplicates = $3, stored_bytes = $4,
         list_format = $5, file_name = $6, columns = $7, address_column = $8
       WHERE number = $1`,
      [
        number,
        total,
        duplicates,
        bytes,
        shape.format,
        shape.fileName === null ? null : encodeText(shape.fileName),
        JSON.stringify(shape.columns),
        shape.addressColumn,
      ],
    );
    if (total === 0) await announce(query, number, 'bulk_job.completed');
  };
};
