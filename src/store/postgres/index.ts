/**
 * The store on PostgreSQL: the same ports as SQLite's, for any number of processes. Chunks are tickets of pg-boss, what
 * happens elsewhere is heard by LISTEN, and times are the database's.
 */
import type { ConstructorOptions } from 'pg-boss';
import type { JobStore, JobWire } from '../../jobs/index.ts';
import { openDatabase } from './database.ts';
import { createPostgresJobStore } from './jobs.ts';
import { migrate } from './migrations.ts';
import { openTickets } from './tickets.ts';
import { openWire } from './wire.ts';

export type PostgresStore = {
  readonly jobs: JobStore;
  readonly wire: JobWire;
  close(): Promise<void>;
};

export type PostgresStoreOptions = {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** The address that exchanges see of this process, by whatever name (RCPT_SOURCE). */
  readonly source: string;
  /** Connections at most, but for the one that listens. */
  readonly connections: number;
  /** How long a chunk may be worked on; longer than its deadline. */
  readonly leaseMs: number;
  /** Told of connections that break and of a queue in trouble; the work goes on. Never with an address or the URL. */
  readonly onError: (error: unknown) => void;
  /** A clock that a test drives (pg-boss, TestClock). */
  readonly clock?: ConstructorOptions['clock'];
};

/** Connects, brings the schema to this version and joins the cluster. Throws StoreError. */
export const openPostgresStore = async (options: PostgresStoreOptions): Promise<PostgresStore> => {
  const { url, source, connections, leaseMs, onError, clock } = options;
  const database = openDatabase({ url, connections, onError });
  try {
    await migrate(database);
    const tickets = await openTickets({
      database,
      source,
      leaseMs,
      onError,
      ...(clock === undefined ? {} : { clock }),
    });
    const wire = openWire(database, crypto.randomUUID(), onError);
    await wire.ready;
    return {
      jobs: createPostgresJobStore({
        database,
        tickets,
        source,
        leaseMs,
        readStorage: async () => ({ databaseBytes: 0, uploadBytes: 0, freeBytes: null }),
      }),
      wire,
      async close() {
        await wire.close();
        await tickets.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
};
