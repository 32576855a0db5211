/** Places of chunks in the queue: each chunk that may be taken has a ticket, and no other chunk has one for long. */
import { randomUUID } from 'node:crypto';
import { bossSchema, type Query, type Row } from './database.ts';
import type { Tickets } from './tickets.ts';

export type PlacedChunk = {
  readonly id: number;
  readonly job: string;
  readonly ordinal: number;
  readonly notBefore: Date;
};

export const readPlaced = (row: Row): PlacedChunk => ({
  id: Number(row.id),
  job: String(row.job_id),
  ordinal: Number(row.ordinal),
  notBefore: row.not_before as Date,
});

/** Gives chunks a new place in a queue, each at its time. */
export const placeChunks = async (
  query: Query,
  tickets: Pick<Tickets, 'put'>,
  queue: string,
  chunks: readonly PlacedChunk[],
): Promise<void> => {
  if (chunks.length === 0) return;
  const placed = chunks.map((chunk) => ({ ...chunk, ticket: randomUUID() }));
  await query(
    `UPDATE chunk SET queue = $1, ticket = g.ticket
     FROM unnest($2::bigint[], $3::uuid[]) AS g(id, ticket) WHERE chunk.id = g.id`,
    [queue, placed.map(({ id }) => id), placed.map(({ ticket }) => ticket)],
  );
  await tickets.put(
    query,
    queue,
    placed.map(({ id, job, ordinal, notBefore, ticket }) => ({
      id: ticket,
      chunk: id,
      jobId: job,
      ordinal,
      notBefore,
    })),
  );
};

/** Each in the queue where it was. */
export const placeAgain = async (
  query: Query,
  tickets: Pick<Tickets, 'put'>,
  rows: readonly Row[],
): Promise<void> => {
  for (const [queue, some] of Map.groupBy(rows, (row) => String(row.queue)))
    await placeChunks(query, tickets, queue, some.map(readPlaced));
};

/** Takes the places of a job's chunks back that nobody holds, or of all of them. */
export const dropPlaces = async (
  query: Query,
  tickets: Pick<Tickets, 'drop'>,
  job: number,
  { isHeldToo }: { readonly isHeldToo: boolean },
): Promise<void> => {
  const places = await query(
    `SELECT queue, array_agg(ticket) AS ids FROM chunk
     WHERE job = $1 AND ticket IS NOT NULL AND (lease IS NULL OR $2) GROUP BY queue`,
    [job, isHeldToo],
  );
  for (const { queue, ids } of places) await tickets.drop(query, String(queue), ids as readonly string[]);
};

/** All chunks of a job, with their places. Its lock is held alone. */
export const dropChunks = async (
  query: Query,
  tickets: Pick<Tickets, 'drop'>,
  job: number,
): Promise<void> => {
  await dropPlaces(query, tickets, job, { isHeldToo: true });
  await query('DELETE FROM chunk WHERE job = $1', [job]);
};

/**
 * A chunk that its holder gives back in order takes a new place; of a paused job it takes none. The job's lock is held
 * shared, so that nobody pauses or resumes it between our look at its state and what follows from it.
 */
export const returnPlace = async (
  query: Query,
  tickets: Pick<Tickets, 'put' | 'complete'>,
  chunk: number,
): Promise<void> => {
  const [held] = await query(
    `SELECT chunk.id, chunk.queue, chunk.ticket, chunk.take, chunk.ordinal, chunk.not_before, job.id AS job_id, job.state
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.id = $1`,
    [chunk],
  );
  if (held === undefined) return;
  const queue = String(held.queue);
  if (held.ticket !== null)
    await tickets.complete(query, { id: String(held.ticket), queue, take: Number(held.take) });
  if (held.state === 'PAUSED') await query('UPDATE chunk SET ticket = NULL WHERE id = $1', [chunk]);
  else await placeChunks(query, tickets, queue, [readPlaced(held)]);
};

/** Chunks and their tickets that do not agree. */
const findAstray = `
  SELECT chunk.id, chunk.lease, chunk.ticket, coalesce(t.state::text, 'none') AS state
  FROM chunk JOIN job ON job.number = chunk.job
  LEFT JOIN ${bossSchema}.job AS t ON t.name = chunk.queue AND t.id = chunk.ticket
  WHERE job.state IN ('QUEUED', 'RUNNING', 'PAUSED') AND (chunk.lease IS NOT NULL OR job.state <> 'PAUSED')
    AND coalesce(t.state::text, 'none') <> ALL(
      CASE WHEN chunk.lease IS NULL THEN ARRAY['created', 'retry', 'active'] ELSE ARRAY['active'] END)`;

/** Those of them that nobody moved since, under a lock; who is at one of them mends it. */
const lockAstray = `
  SELECT chunk.id, chunk.queue, chunk.ordinal, chunk.not_before, job.id AS job_id, job.state, g.state AS ticket,
    chunk.lease IS NOT NULL AS "isHeld"
  FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[]) AS g(id, lease, ticket, state)
  JOIN chunk ON chunk.id = g.id AND chunk.lease IS NOT DISTINCT FROM g.lease
    AND chunk.ticket IS NOT DISTINCT FROM g.ticket
  JOIN job ON job.number = chunk.job
  ORDER BY chunk.id FOR UPDATE OF chunk SKIP LOCKED`;

/**
 * Makes chunks and tickets agree: a lease whose ticket is held no longer is over, which counts as a crash, and a chunk
 * that may be taken has a ticket, though it was lost (given up by the queue, emptied by hand). Gives the leases that
 * were over.
 */
export const mendPlaces =
  (tickets: Pick<Tickets, 'put'>) =>
  async ({ query }: { readonly query: Query }): Promise<number> => {
    const found = await query(findAstray);
    if (found.length === 0) return 0;
    // Looked at again: what was taken after our first look has a new lease, and its old ticket says nothing of that.
    const astray = await query(lockAstray, [
      found.map(({ id }) => id),
      found.map(({ lease }) => lease),
      found.map(({ ticket }) => ticket),
      found.map(({ state }) => state),
    ]);
    const held = astray.filter(({ isHeld }) => isHeld === true);
    await query(
      'UPDATE chunk SET lease = NULL, lease_until = NULL, crashes = crashes + 1 WHERE id = ANY($1::bigint[])',
      [held.map(({ id }) => id)],
    );
    const lost = astray.filter(({ ticket }) => ticket !== 'created' && ticket !== 'retry');
    await query('UPDATE chunk SET ticket = NULL WHERE id = ANY($1::bigint[])', [lost.map(({ id }) => id)]);
    await placeAgain(
      query,
      tickets,
      lost.filter(({ state }) => state !== 'PAUSED'),
    );
    return held.length;
  };
