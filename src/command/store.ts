/** The store that the settings name: SQLite in a directory of ours, or PostgreSQL that others share. */
import type { Config } from '../config.ts';
import type { JobStore, JobWire, UploadStore, WebhookStore } from '../jobs/index.ts';
import { type BucketStore, type KeyStore, localBuckets, steadfastBuckets } from '../keys/index.ts';
import { openPostgresKeys, openPostgresStore, openSqliteKeys, openThreadedDataDir } from '../store/index.ts';
import type { VerificationMemory } from '../verify/index.ts';
import { chunkDeadlineMs, type Neighbours } from './engine.ts';

export type Store = Neighbours & {
  readonly jobs: JobStore;
  readonly webhooks: WebhookStore;
  readonly uploads: UploadStore;
  readonly verifications: VerificationMemory;
  readonly keys: KeyStore;
  /** Draws never reject while a shared store is away. */
  readonly buckets: BucketStore;
  readonly secret: Uint8Array;
  /** Null: no other process shares it. */
  readonly wire: JobWire | null;
  /** Resolves when it is lost for good: nothing can be kept any more. A database that is away is not. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** A lease outlives its chunk's deadline by this, for the last write. */
const leaseMarginMs = 60_000;
/** For somebody who makes a key in another process: nothing else happens in this one meanwhile, and it asks again. */
const keysWaitMs = 200;

/** Throws StoreError: one line for the operator. */
export const openStore = async (config: Config, onError: (error: unknown) => void): Promise<Store> => {
  const lost = Promise.withResolvers<Error>();
  if (config.database !== null) {
    const store = await openPostgresStore({
      url: config.database.readUrl(),
      source: config.source,
      isWorker: config.workerChunks > 0,
      connections: config.databaseConnections,
      leaseMs: chunkDeadlineMs + leaseMarginMs,
      onError,
    });
    return {
      ...store,
      buckets: steadfastBuckets(store.buckets, localBuckets(), onError),
      failed: lost.promise,
    };
  }
  const store = await openThreadedDataDir(config.dataDir, {
    onEnd: (error) => {
      onError(error);
      lost.resolve(error);
    },
  });
  try {
    const { keys, close } = openSqliteKeys(config.dataDir, { waitMs: keysWaitMs });
    return {
      ...store,
      keys,
      buckets: localBuckets(),
      wire: null,
      facts: null,
      shares: null,
      failed: lost.promise,
      async close() {
        close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** The keys alone, beside whoever serves them. Throws StoreError. */
export const openKeyStore = async (
  config: Config,
  onError: (error: unknown) => void,
): Promise<{ readonly keys: KeyStore; close(): Promise<void> | void }> =>
  config.database === null
    ? openSqliteKeys(config.dataDir)
    : openPostgresKeys({ url: config.database.readUrl(), onError });
