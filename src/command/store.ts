/** The store that the settings name: SQLite in a directory of ours, or PostgreSQL that others share. */
import type { Config } from '../config.ts';
import type { JobStore, JobWire, UploadStore, WebhookStore } from '../jobs/index.ts';
import { openPostgresStore, openThreadedDataDir } from '../store/index.ts';
import type { VerificationMemory } from '../verify/index.ts';
import { chunkDeadlineMs, type Neighbours } from './engine.ts';

export type Store = Neighbours & {
  readonly jobs: JobStore;
  readonly webhooks: WebhookStore;
  readonly uploads: UploadStore;
  readonly verifications: VerificationMemory;
  readonly secret: Uint8Array;
  /** Null: no other process shares it. */
  readonly wire: JobWire | null;
  /** Resolves when it is lost for good: nothing can be kept any more. A database that is away is not. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** A lease outlives its chunk's deadline by this, for the last write. */
const leaseMarginMs = 60_000;

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
    return { ...store, failed: lost.promise };
  }
  const store = await openThreadedDataDir(config.dataDir, {
    onEnd: (error) => {
      onError(error);
      lost.resolve(error);
    },
  });
  return { ...store, wire: null, facts: null, shares: null, failed: lost.promise };
};
