/** Chunks as a queue: taken under a lease, kept, given back, released. */
import { randomUUID } from 'node:crypto';
import type { Chunk } from '../../jobs/index.ts';
import { clock, type Database, type Query } from './database.ts';
import { shareJob, tryToShareJob } from './locks.ts';
import { mendPlaces, placeChunks, readPlaced, returnPlace } from './places.ts';
import { text } from './rows.ts';
import { createSkew } from './skew.ts';
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

/** Somebody pauses, resumes or cancels it: its ticket goes back as it was. */
class JobIsHeld extends Error {
  override readonly name = 'JobIsHeld';
  readonly jobId: string;

  constructor(jobId: string) {
    super('the job is being changed');
    this.jobId = jobId;
  }
}

export const createQueue = ({ database, tickets, source, leaseMs }: QueueOptions) => {
  const skew = createSkew();
  let sources: { readonly at: number; readonly names: Promise<readonly string[]> } | null = null;

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

  /** The chunk of a ticket under a lease; null when it is not to be worked on: then the ticket is done with. */
  const lease = async (
    query: Query,
    ticket: TakenTicket,
    now: Date,
    alive: readonly string[],
  ): Promise<Chunk | null> => {
    const token = randomUUID();
    const [known] = await query(
      `SELECT job.id, ${tryToShareJob('chunk.job')} AS "isFree" FROM chunk JOIN job ON job.number = chunk.job
       WHERE chunk.id = $1`,
      [ticket.chunk],
    );
    if (known?.isFree === false) throw new JobIsHeld(String(known.id));
    const [held] = await query(
      // A lease that nobody ended counts: this may be sooner than the sweep that ends it.
      `UPDATE chunk SET lease = $1, lease_until = ${clock} + $2 * interval '1 millisecond', attempt = attempt + 1,
         take = $3, crashes = crashes + CASE WHEN lease IS NULL THEN 0 ELSE 1 END
       FROM job WHERE chunk.id = $4 AND chunk.ticket = $5 AND job.number = chunk.job AND job.state IN ('QUEUED', 'RUNNING')
       RETURNING chunk.job, job.id AS job_id, job.owner, job.state, job.max_age, chunk.ordinal, chunk.attempt, chunk.tries,
         chunk.crashes, chunk.rows, chunk.avoid, ${clock} AS now`,
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
    skew.learn(held.now, now);
    if (held.state === 'QUEUED')
      await query(
        `UPDATE job SET state = 'RUNNING', started_at = coalesce(started_at, ${clock}) WHERE number = $1 AND state = 'QUEUED'`,
        [held.job],
      );
    const rows = await query(
      // Each for itself, as in settling.
      `SELECT l.row, l.address FROM unnest($1::int[]) WITH ORDINALITY AS g(row, n)
       CROSS JOIN LATERAL (SELECT row, address FROM list_row WHERE job = $2 AND row = g.row OFFSET 0) AS l ORDER BY g.n`,
      [held.rows, held.job],
    );
    const avoided = held.avoid as readonly string[];
    const others = alive.filter((name) => name !== source && !avoided.includes(name));
    return {
      id: ticket.chunk,
      jobId: String(held.job_id),
      owner: text(held.owner),
      ordinal: Number(held.ordinal),
      lease: token,
      attempt: Number(held.attempt),
      crashes: Number(held.crashes),
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
      const alive = await readSources();
      const passedOver = new Set(exceptJobs);
      while (true) {
        try {
          const taken = await database.transaction(async ({ query }) => {
            const ticket = await tickets.take(query, [...passedOver]);
            return ticket === null ? null : { chunk: await lease(query, ticket, now, alive) };
          });
          if (taken === null) return null;
          if (taken.chunk !== null) return taken.chunk;
        } catch (error) {
          if (!(error instanceof JobIsHeld)) throw error;
          passedOver.add(error.jobId);
        }
      }
    },
    giveBack: ({ id, lease: token }: Chunk): Promise<void> =>
      database.transaction(async ({ query }) => {
        await query(`SELECT ${shareJob('job')} FROM chunk WHERE id = $1`, [id]);
        const [held] = await query(
          `UPDATE chunk SET lease = NULL, lease_until = NULL, attempt = greatest(attempt - 1, 0)
           WHERE id = $1 AND lease = $2 RETURNING id`,
          [id, token],
        );
        if (held !== undefined) await returnPlace(query, tickets, id);
      }),
    keep: async (chunks: readonly Chunk[], now: Date): Promise<readonly Chunk[]> => {
      // Whatever our transactions do: a heartbeat that is late is a worker that died.
      const held = await database.aside(
        `SELECT lease, ticket, queue, take, ${clock} AS now FROM chunk WHERE lease = ANY($1::uuid[])`,
        [chunks.map((chunk) => chunk.lease)],
      );
      skew.learn(held[0]?.now, now);
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
    /** Of those that we may take: others' would wake us for nothing, again and again. */
    nextAt: async (): Promise<Date | null> => {
      const [row] = await database.query(
        `SELECT min(at) AS at FROM unnest($1::text[]) AS q(name), LATERAL (
           SELECT min(not_before) AS at FROM chunk WHERE queue = q.name AND lease IS NULL AND ticket IS NOT NULL) AS c`,
        [[anybody, queueOf(source)]],
      );
      return row?.at instanceof Date ? skew.toOurs(row.at) : null;
    },
  };
};
