/**
 * The queue of chunks, which is pg-boss's: a ticket (its word is job) stands for a chunk that may be taken. Its are
 * delays, priorities, retries after a lease or a heartbeat that ended, and the dead letters; sent and completed in the
 * transactions that write what they stand for.
 *
 * One queue is everybody's and one is each source's (the address that exchanges see): what was put off by a greylist
 * goes back to the source that asked, what was refused to another one. Chunks of a source that has no worker any more
 * move to everybody's.
 */
import { createHash } from 'node:crypto';
import { type ConstructorOptions, type Db, PgBoss } from 'pg-boss';
import { bossSchema, type Database, type Query } from './database.ts';
import { readPostgresError } from './fault.ts';

/** Everybody's. */
export const anybody = 'rcpt-chunk';
const deadLetters = 'rcpt-chunk-dead';
/** A worker that says nothing for so long is dead; it says something every four seconds (jobs/worker). */
const heartbeatSeconds = 15;
/** How often the leases of all are looked at; one process does it for all. */
const superviseSeconds = 5;
/** A source is alive while one of its workers was heard within three of these (pg-boss, `getInstances`). */
const sourceHeartbeatSeconds = 10;
/** Crashes after which a ticket becomes a dead letter; by then jobs/pace has long tried to find who kills. */
export const retryLimit = 50;
/** Waiting rows may wait a day and paused jobs for their retention: no ticket is too old. */
const retentionSeconds = 10 * 365 * 86_400;
/** Of completed tickets nobody asks any more. */
const deleteAfterSeconds = 3_600;

/** Names are pg-boss's: letters, digits and some signs. A hash, since a source may be called anything. */
export const queueOf = (source: string): string =>
  `${anybody}-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`;

/** `ticket` is its own id, which a dead letter keeps. */
/** How a process is called in pg-boss's registry. */
const printInstance = ({
  source,
  isWorker,
}: {
  readonly source: string;
  readonly isWorker: boolean;
}): string => `${isWorker ? 'worker' : 'gateway'} ${source}`;
const readWorkerSource = (name: string): string | null =>
  name.startsWith('worker ') ? name.slice('worker '.length) : null;

type TicketData = { readonly chunk: number; readonly ticket: string };

export type NewTicket = {
  readonly id: string;
  readonly chunk: number;
  readonly jobId: string;
  readonly ordinal: number;
  /** Null: at once. */
  readonly notBefore: Date | null;
};

export type TakenTicket = {
  readonly id: string;
  readonly queue: string;
  readonly chunk: number;
  /** How often it was taken before. */
  readonly take: number;
};

export type Tickets = {
  /** Adds tickets in the caller's transaction. */
  put(query: Query, queue: string, tickets: readonly NewTicket[]): Promise<void>;
  /** The first that may be taken, of our source or everybody's. */
  take(query: Query, exceptJobs: readonly string[]): Promise<TakenTicket | null>;
  complete(query: Query, ticket: Pick<TakenTicket, 'id' | 'queue' | 'take'>): Promise<void>;
  drop(query: Query, queue: string, ids: readonly string[]): Promise<void>;
  /** Gives the ids of those that are held no longer. */
  keep(held: readonly Pick<TakenTicket, 'id' | 'queue' | 'take'>[]): Promise<ReadonlySet<string>>;
  /** Lets leases end whose time is over, and puts dead letters back as what they are. */
  supervise(): Promise<void>;
  /** Sources with a worker that lives, ours included. */
  readSources(): Promise<readonly string[]>;
  close(): Promise<void>;
};

export type TicketsOptions = {
  readonly database: Database;
  readonly source: string;
  /** Does this process take tickets? Else its source is none that could ask anybody. */
  readonly isWorker: boolean;
  /** How long one that is taken may be worked on. */
  readonly leaseMs: number;
  readonly onError: (error: unknown) => void;
  /** A clock of tests. */
  readonly clock?: ConstructorOptions['clock'];
};

const priorityOf = (ordinal: number): number => -ordinal;

export const openTickets = async ({
  database,
  source,
  isWorker,
  leaseMs,
  onError,
  clock,
}: TicketsOptions): Promise<Tickets> => {
  const asDb = (query: Query): Db => ({
    executeSql: async (text, values) => ({ rows: await query(text, values) }),
  });
  const boss = new PgBoss({
    db: {
      // Aside: it looks queues up inside of our transactions.
      ...asDb(database.aside),
      setSessionStatements: async (statements: string[]) => database.setSessionStatements(statements),
      poolCounts: () => database.poolCounts(),
    },
    schema: bossSchema,
    schedule: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    instanceName: printInstance({ source, isWorker }),
    instanceHeartbeatSeconds: sourceHeartbeatSeconds,
    openTelemetry: { enabled: false },
    ...(clock === undefined ? {} : { clock }),
  });
  let isClosed = false;
  boss.on('error', (error) => {
    // Some of its errors are copies of what was thrown, no errors any more.
    const thrown = error instanceof Error ? error : Object.assign(new Error(), error);
    if (!isClosed) onError(readPostgresError(thrown));
  });
  const own = queueOf(source);
  const terms = {
    expireInSeconds: Math.ceil(leaseMs / 1_000),
    heartbeatSeconds,
    retryLimit,
    retryDelay: 0,
    retentionSeconds,
    deleteAfterSeconds,
  };
  const stop = (): Promise<void> => {
    isClosed = true;
    return boss.stop({ graceful: false, close: false });
  };
  try {
    await boss.start();
    await boss.createQueue(deadLetters, { ...terms, retryLimit: 0 });
    for (const queue of [anybody, own]) await boss.createQueue(queue, { ...terms, deadLetter: deadLetters });
  } catch (error) {
    await stop();
    throw error;
  }

  const put: Tickets['put'] = async (query, queue, tickets) => {
    if (tickets.length === 0) return;
    await boss.insert(
      queue,
      tickets.map(({ id, chunk, jobId, ordinal, notBefore }) => ({
        id,
        data: { chunk, ticket: id } satisfies TicketData,
        priority: priorityOf(ordinal),
        group: { id: jobId },
        ...(notBefore === null ? {} : { startAfter: notBefore }),
      })),
      { db: asDb(query) },
    );
  };

  /**
   * What killed its workers too often comes back, with all its crashes: whoever takes it gives its rows up. Unless the
   * chunk has another ticket by now.
   */
  const returnDead = (): Promise<boolean> =>
    database.transaction(async ({ query }) => {
      const db = asDb(query);
      const [letter] = await boss.fetch<TicketData>(deadLetters, { db, includeMetadata: true });
      if (letter === undefined) return false;
      const { chunk, ticket } = letter.data;
      const [returned] = await query(
        `UPDATE chunk SET ticket = $1, queue = $2, lease = NULL, lease_until = NULL,
           crashes = crashes + CASE WHEN lease IS NULL THEN 0 ELSE 1 END
         WHERE id = $3 AND ticket = $4 RETURNING id`,
        [letter.id, anybody, chunk, ticket],
      );
      if (returned !== undefined)
        await boss.insert(
          anybody,
          [{ id: letter.id, data: { chunk, ticket: letter.id } satisfies TicketData }],
          { db },
        );
      await boss.complete(deadLetters, { id: letter.id, retryCount: letter.retryCount }, null, { db });
      return true;
    });

  return {
    put,
    async take(query, exceptJobs) {
      for (const queue of [own, anybody]) {
        const [ticket] = await boss.fetch<TicketData>(queue, {
          db: asDb(query),
          includeMetadata: true,
          ...(exceptJobs.length === 0 ? {} : { ignoreGroups: [...exceptJobs] }),
        });
        if (ticket === undefined) continue;
        const { id, data, retryCount } = ticket;
        return { id, queue, chunk: data.chunk, take: retryCount };
      }
      return null;
    },
    async complete(query, { id, queue, take }) {
      await boss.complete(queue, { id, retryCount: take }, null, { db: asDb(query) });
    },
    async drop(query, queue, ids) {
      if (ids.length > 0) await boss.deleteJob(queue, [...ids], { db: asDb(query) });
    },
    async keep(held) {
      const lost = new Set(held.map(({ id }) => id));
      for (const queue of new Set(held.map((one) => one.queue))) {
        const ours = held.filter((one) => one.queue === queue);
        const { settled } = (await boss.touch(
          queue,
          ours.map(({ id, take }) => ({ id, retryCount: take })),
        )) as { readonly settled?: readonly string[] };
        for (const id of settled ?? []) lost.delete(id);
      }
      return lost;
    },
    async supervise() {
      await boss.supervise();
      while (await returnDead());
    },
    async readSources() {
      const instances = await boss.getInstances();
      const sources = instances
        .filter(({ live }) => live)
        .map(({ name }) => readWorkerSource(name ?? ''))
        .filter((one) => one !== null);
      return [...new Set(sources)];
    },
    // Without waiting for anything: who takes tickets has ended before.
    close: stop,
  };
};
