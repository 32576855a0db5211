/**
 * The store on PostgreSQL: the same ports as SQLite's, for any number of processes. Chunks are tickets of pg-boss, what
 * happens elsewhere is heard by LISTEN, and times are the database's.
 *
 * A pooler in between must keep sessions (PgBouncer: pool_mode = session): settings, LISTEN and the locks of uploads
 * belong to a connection.
 */
import type { ConstructorOptions } from 'pg-boss';
import type { JobStore, JobWire, UploadStore, WebhookStore } from '../../jobs/index.ts';
import type { BucketStore, KeyStore } from '../../keys/index.ts';
import type { LaneShares, SharedFacts } from '../../smtp/index.ts';
import type { VerificationMemory } from '../../verify/index.ts';
import { createPostgresBuckets } from './buckets.ts';
import { type DatabaseOptions, openDatabase } from './database.ts';
import { postgresFacts } from './facts.ts';
import { createPostgresJobStore } from './jobs.ts';
import { createPostgresKeys } from './keys.ts';
import { migrate } from './migrations.ts';
import { readSecret } from './secret.ts';
import { postgresShares } from './shares.ts';
import { readStorage } from './storage.ts';
import { openTickets } from './tickets.ts';
import { createPostgresUploads } from './uploads.ts';
import { createPostgresVerifications } from './verifications.ts';
import { createPostgresWebhooks } from './webhooks.ts';
import { openWire } from './wire.ts';

export type PostgresStore = {
  readonly jobs: JobStore;
  readonly webhooks: WebhookStore;
  readonly uploads: UploadStore;
  readonly verifications: VerificationMemory;
  readonly keys: KeyStore;
  readonly buckets: BucketStore;
  /** 32 octets that only this cluster knows, the same for all its processes: to sign links with. */
  readonly secret: Uint8Array;
  readonly wire: JobWire;
  /** What processes tell each other of domains and exchanges. */
  readonly facts: SharedFacts;
  /** Which processes work on which exchanges. */
  readonly shares: LaneShares;
  /** Writes what was remembered and leaves the cluster. Later calls fail with CLOSED. */
  close(): Promise<void>;
};

export type PostgresStoreOptions = {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** The address that exchanges see of this process, by whatever name (RCPT_SOURCE). */
  readonly source: string;
  /** Does this process take chunks? Default: yes. */
  readonly isWorker?: boolean;
  /**
   * Connections at most, but for the one that listens, two for heartbeats and the like, two for keys and their buckets
   * where somebody asks for those, and one while uploads are written. What finds none free waits for 5 s.
   */
  readonly connections: number;
  readonly deadlines?: DatabaseOptions['deadlines'];
  /** How long a chunk may be worked on; longer than its deadline. */
  readonly leaseMs: number;
  /** Told of connections that break and of a queue in trouble; the work goes on. Never with an address or the URL. */
  readonly onError: (error: unknown) => void;
  /** Ours, for the times of verdicts; the database's own decides. */
  readonly now?: () => Date;
  /** A clock that a test drives (pg-boss, TestClock). */
  readonly clock?: ConstructorOptions['clock'];
};

/**
 * What every request waits for, on connections of its own: no list that is loaded holds it up, and it holds up no
 * heartbeat. Nobody waits long for a draw, so that one which takes longer need not go on.
 */
const door = { connections: 2, deadlines: { connectMs: 3_000, statementMs: 2_000, lockMs: 2_000 } } as const;

/** Connects, brings the schema to this version and joins the cluster. Throws StoreError. */
export const openPostgresStore = async (options: PostgresStoreOptions): Promise<PostgresStore> => {
  const { url, source, connections, leaseMs, onError, now = () => new Date(), clock } = options;
  const { deadlines = {} } = options;
  const database = openDatabase({ url, connections, deadlines, onError });
  const atDoor = openDatabase({
    url,
    connections: door.connections,
    deadlines: { ...door.deadlines, ...deadlines },
    onError,
  });
  try {
    await migrate(database);
    const secret = await readSecret(database.query);
    const tickets = await openTickets({
      database,
      source,
      isWorker: options.isWorker ?? true,
      leaseMs,
      onError,
      ...(clock === undefined ? {} : { clock }),
    });
    const wire = openWire(database, crypto.randomUUID(), onError);
    await wire.ready;
    const uploads = createPostgresUploads(database, onError);
    const verifications = createPostgresVerifications({ database, source, now, onError });
    const buckets = createPostgresBuckets({ database: atDoor, onError });
    const ask = async (text: string, values: readonly unknown[] = []) => ({
      rows: await database.query(text, values),
      rowCount: null,
    });
    let closing: Promise<void> | null = null;
    const close = async (): Promise<void> => {
      await verifications.close();
      await buckets.close();
      await atDoor.close();
      await uploads.close();
      await wire.close();
      await tickets.close();
      await database.close();
    };
    return {
      jobs: createPostgresJobStore({
        database,
        tickets,
        source,
        leaseMs,
        readStorage: () => readStorage(database.query),
      }),
      webhooks: createPostgresWebhooks(database),
      uploads,
      verifications,
      keys: createPostgresKeys(atDoor.query),
      buckets,
      secret,
      wire,
      facts: postgresFacts(ask),
      shares: postgresShares(ask),
      close() {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await Promise.all([atDoor.close(), database.close()]);
    throw error;
  }
};
