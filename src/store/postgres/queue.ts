/** Chunks as a queue: taken under a lease, released, held while their job is paused, dropped when it is cancelled. */
import { randomUUID } from 'node:crypto';
import type { Chunk } from '../../jobs/index.ts';
import { bossSchema, clock, type Database, type Query, type Row } from './database.ts';
import { announce } from './deliveries.ts';
import { decodeText } from './text.ts';
import { anybody, queueOf, type TakenTicket, type Tickets } from './tickets.ts';

export type QueueOptions = {
  readonly database: Database;
  readonly tickets: Tickets;
  /** The address that exchanges see of this process. */
  readonly source: string;
  readonly leaseMs: number;
};

/** Who lives is asked this often at most; a worker that vanished is known by its heartbeats, not by this. */
const sourcesLifeMs = 5_000;

type PlacedChunk = {
  readonly id: number;
  readonly job: string;
  readonly ordinal: number;
  readonly notBefore: Date;
};

const readPlaced = (row: Row): PlacedChunk => ({
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

/** Takes the places of a job's chunks back that nobody holds, or of all of them. */
const dropPlaces = async (
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

/** All chunks of a job, with their places. */
export const dropChunks = async (
  query: Query,
  tickets: Pick<Tickets, 'drop'>,
  job: number,
): Promise<void> => {
  await dropPlaces(query, tickets, job, { isHeldToo: true });
  await query('DELETE FROM chunk WHERE job = $1', [job]);
};

export const createQueue = ({ database, tickets, source, leaseMs }: QueueOptions) => {
  let sources: { readonly at: number; readonly names: Promise<readonly string[]> } | null = null;
  /** How far the database's clock is ahead of ours, in milliseconds. */
  let aheadMs = 0;

  const readSources = (): Promise<readonly string[]> => {
    const at = performance.now();
    if (sources === null || at - sources.at > sourcesLifeMs) {
      const names = tickets.readSources();
      sources = { at, names };
      names.catch(() => {
        sources = null;
      });
    }
    return sources.names;
  };

  const learnClock = (row: Row | undefined, now: Date): void => {
    const at = row?.now;
    if (at instanceof Date) aheadMs = at.getTime() - now.getTime();
  };

  /** The chunk of a ticket under a lease; null when it is not to be worked on: then the ticket is done with. */
  const lease = async (query: Query, ticket: TakenTicket, now: Date): Promise<Chunk | null> => {
    const token = randomUUID();
    const [held] = await query(
      `UPDATE chunk SET lease = $1, lease_until = ${clock} + $2 * interval '1 millisecond', attempt = attempt + 1,
         take = $3
       FROM job WHERE chunk.id = $4 AND chunk.ticket = $5 AND job.number = chunk.job AND job.state IN ('QUEUED', 'RUNNING')
       RETURNING chunk.job, job.id AS job_id, job.state, job.max_age, chunk.ordinal, chunk.attempt, chunk.tries,
         chunk.rows, chunk.avoid, ${clock} AS now`,
      [token, leaseMs, ticket.take, ticket.chunk, ticket.id],
    );
    if (held === undefined) {
      await tickets.complete(query, ticket);
      // Of a job that is paused: it is placed anew when that goes on.
      await query(
        'UPDATE chunk SET ticket = NULL, lease = NULL, lease_until = NULL WHERE id = $1 AND ticket = $2',
        [ticket.chunk, ticket.id],
      );
      return null;
    }
    learnClock(held, now);
    if (held.state === 'QUEUED')
      await query(
        `UPDATE job SET state = 'RUNNING', started_at = coalesce(started_at, ${clock}) WHERE number = $1 AND state = 'QUEUED'`,
        [held.job],
      );
    const rows = await query(
      `SELECT l.row, l.address FROM unnest($1::int[]) WITH ORDINALITY AS g(row, n)
       JOIN list_row AS l ON l.job = $2 AND l.row = g.row ORDER BY g.n`,
      [held.rows, held.job],
    );
    const avoided = held.avoid as readonly string[];
    const others = (await readSources()).filter((name) => name !== source && !avoided.includes(name));
    return {
      id: ticket.chunk,
      jobId: String(held.job_id),
      ordinal: Number(held.ordinal),
      lease: token,
      attempt: Number(held.attempt),
      crashes: ticket.crashes,
      otherSources: others.length,
      maxAgeSeconds: typeof held.max_age === 'number' ? held.max_age : null,
      rows: rows.map(({ row, address }) => ({
        row: Number(row),
        address: decodeText(String(address)),
        tries: Number(held.tries),
      })),
    };
  };

  /** Chunks of sources without a worker go to everybody. */
  const rehome = async (): Promise<void> => {
    const [found] = await database.query('SELECT 1 FROM chunk WHERE queue <> $1 AND lease IS NULL LIMIT 1', [
      anybody,
    ]);
    if (found === undefined) return;
    const alive = (await tickets.readSources()).map(queueOf);
    await database.transaction(async ({ query }) => {
      const homeless = await query(
        `SELECT chunk.id, chunk.queue, chunk.ticket, chunk.ordinal, chunk.not_before, job.id AS job_id
         FROM chunk JOIN job ON job.number = chunk.job
         WHERE queue <> ALL($1) AND lease IS NULL AND ticket IS NOT NULL FOR UPDATE OF chunk SKIP LOCKED`,
        [[anybody, ...alive]],
      );
      for (const { queue, ticket } of homeless) await tickets.drop(query, String(queue), [String(ticket)]);
      await placeChunks(query, tickets, anybody, homeless.map(readPlaced));
    });
  };

  return {
    readSources,
    take: async (now: Date, exceptJobs: readonly string[]): Promise<Chunk | null> => {
      while (true) {
        const taken = await database.transaction(async ({ query }) => {
          const ticket = await tickets.take(query, exceptJobs);
          return ticket === null ? null : { chunk: await lease(query, ticket, now) };
        });
        if (taken === null) return null;
        if (taken.chunk !== null) return taken.chunk;
      }
    },
    giveBack: ({ id, lease: token }: Chunk): Promise<void> =>
      database.transaction(async ({ query }) => {
        const [held] = await query(
          `UPDATE chunk SET lease = NULL, lease_until = NULL, attempt = greatest(attempt - 1, 0)
           WHERE id = $1 AND lease = $2 RETURNING id`,
          [id, token],
        );
        if (held !== undefined) await returnPlace(query, tickets, id);
      }),
    keep: async (chunks: readonly Chunk[], now: Date): Promise<readonly Chunk[]> => {
      const held = await database.query(
        `SELECT lease, ticket, queue, take, ${clock} AS now FROM chunk WHERE lease = ANY($1::uuid[])`,
        [chunks.map((chunk) => chunk.lease)],
      );
      learnClock(held[0], now);
      const lost = await tickets.keep(
        held.map(({ ticket, queue, take }) => ({
          id: String(ticket),
          queue: String(queue),
          take: Number(take),
        })),
      );
      const kept = new Set(
        held.filter(({ ticket }) => !lost.has(String(ticket))).map((row) => String(row.lease)),
      );
      return chunks.filter((chunk) => !kept.has(chunk.lease));
    },
    release: async (): Promise<number> => {
      await tickets.supervise();
      const released = await database.transaction(mendPlaces(tickets));
      await rehome();
      return released;
    },
    nextAt: async (): Promise<Date | null> => {
      const [row] = await database.query(
        'SELECT min(not_before) AS at FROM chunk WHERE lease IS NULL AND ticket IS NOT NULL',
      );
      return row?.at instanceof Date ? new Date(row.at.getTime() - aheadMs) : null;
    },
    pause: (query: Query, job: number) => pauseJob(query, tickets, job),
    resume: (query: Query, job: number) => resumeJob(query, tickets, job),
    cancel: (query: Query, job: number) => cancelJob(query, tickets, job),
  };
};

/**
 * A chunk that its holder gives back in order takes a new place, so that what it was taken for before is forgotten;
 * of a paused job it takes none.
 */
export const returnPlace = async (
  query: Query,
  tickets: Pick<Tickets, 'put' | 'complete'>,
  chunk: number,
): Promise<void> => {
  // The job's row is locked: else it could be resumed between our look at its state and what follows from it.
  const [held] = await query(
    `SELECT chunk.id, chunk.queue, chunk.ticket, chunk.take, chunk.ordinal, chunk.not_before, job.id AS job_id, job.state
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.id = $1 FOR UPDATE`,
    [chunk],
  );
  if (held === undefined) return;
  const queue = String(held.queue);
  await tickets.complete(query, { id: String(held.ticket), queue, take: Number(held.take) });
  if (held.state === 'PAUSED') await query('UPDATE chunk SET ticket = NULL WHERE id = $1', [chunk]);
  else await placeChunks(query, tickets, queue, [readPlaced(held)]);
};

/**
 * Makes chunks and tickets agree: a lease whose ticket is held no longer is over, and a chunk that may be taken has a
 * ticket, though it was lost (a pause that met a take, a queue that was emptied by hand). Gives the leases that were over.
 */
const mendPlaces =
  (tickets: Pick<Tickets, 'put'>) =>
  async ({ query }: { readonly query: Query }): Promise<number> => {
    const astray = await query(
      `SELECT chunk.id, chunk.queue, chunk.ordinal, chunk.not_before, chunk.lease, job.id AS job_id, job.state, t.state AS ticket
       FROM chunk JOIN job ON job.number = chunk.job
       LEFT JOIN ${bossSchema}.job AS t ON t.name = chunk.queue AND t.id = chunk.ticket
       WHERE job.state IN ('QUEUED', 'RUNNING', 'PAUSED')
         AND (chunk.lease IS NOT NULL OR job.state <> 'PAUSED')
         AND coalesce(t.state::text, '') <> ALL(
           CASE WHEN chunk.lease IS NULL THEN ARRAY['created', 'retry', 'active'] ELSE ARRAY['active'] END)
       FOR UPDATE OF chunk SKIP LOCKED`,
    );
    const isLost = ({ ticket }: Row): boolean => ticket !== 'created' && ticket !== 'retry';
    const lost = astray.filter(isLost);
    await query('UPDATE chunk SET lease = NULL, lease_until = NULL WHERE id = ANY($1)', [
      astray.map(({ id }) => id),
    ]);
    await query('UPDATE chunk SET ticket = NULL WHERE id = ANY($1)', [lost.map(({ id }) => id)]);
    const byQueue = Map.groupBy(
      lost.filter(({ state }) => state !== 'PAUSED'),
      ({ queue }) => String(queue),
    );
    for (const [queue, some] of byQueue) await placeChunks(query, tickets, queue, some.map(readPlaced));
    return astray.filter(({ lease }) => lease !== null).length;
  };

const pauseJob = async (query: Query, tickets: Tickets, job: number): Promise<void> => {
  const [paused] = await query(
    `UPDATE job SET state = 'PAUSED' WHERE number = $1 AND state IN ('QUEUED', 'RUNNING') RETURNING 1 AS done`,
    [job],
  );
  if (paused === undefined) return;
  await dropPlaces(query, tickets, job, { isHeldToo: false });
  await query('UPDATE chunk SET ticket = NULL WHERE job = $1 AND lease IS NULL', [job]);
};

const resumeJob = async (query: Query, tickets: Tickets, job: number): Promise<void> => {
  const [resumed] = await query(
    `UPDATE job SET state = CASE WHEN started_at IS NULL THEN 'QUEUED' ELSE 'RUNNING' END
     WHERE number = $1 AND state = 'PAUSED' RETURNING 1 AS done`,
    [job],
  );
  if (resumed === undefined) return;
  // Rows that were never asked may start at once, whatever the clock said when the list came.
  const chunks = await query(
    `SELECT chunk.id, chunk.queue, chunk.ordinal, job.id AS job_id,
       CASE WHEN tries = 0 THEN least(not_before, ${clock}) ELSE not_before END AS not_before
     FROM chunk JOIN job ON job.number = chunk.job WHERE chunk.job = $1 AND chunk.ticket IS NULL`,
    [job],
  );
  const byQueue = Map.groupBy(chunks, ({ queue }) => String(queue));
  for (const [queue, some] of byQueue) await placeChunks(query, tickets, queue, some.map(readPlaced));
};

const cancelJob = async (query: Query, tickets: Tickets, job: number): Promise<void> => {
  const [cancelled] = await query(
    `UPDATE job SET state = 'CANCELLED', ended_at = ${clock}, waiting = 0
     WHERE number = $1 AND state IN ('QUEUED', 'RUNNING', 'PAUSED') RETURNING 1 AS done`,
    [job],
  );
  if (cancelled === undefined) return;
  await dropChunks(query, tickets, job);
  await announce(query, job, 'bulk_job.cancelled');
};
