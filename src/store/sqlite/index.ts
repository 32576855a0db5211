/** The store on one SQLite file through `node:sqlite`, with the files of uploads beside it. */
import { join } from 'node:path';
import type { JobStore, UploadStore, WebhookStore } from '../../jobs/index.ts';
import type { VerificationMemory } from '../../verify/index.ts';
import { lockDataDir } from './data-dir.ts';
import { openTables } from './tables.ts';
import { createFileUploads } from './uploads.ts';
import { createSqliteVerifications } from './verifications.ts';

export type SqliteStore = {
  readonly jobs: JobStore;
  readonly webhooks: WebhookStore;
  /** Null where there is no directory for them. */
  readonly uploads: UploadStore | null;
  readonly verifications: VerificationMemory;
  /** 32 octets that only this store knows, the same after a restart: to sign links with. */
  readonly secret: Uint8Array;
  /**
   * For tests: the file cannot grow past so many pages of 4 KiB, or past what it has when that is more, as on a full
   * disk; null: it can again.
   */
  limitPages(most: number | null): void;
  /** Writes what was remembered in this turn and closes the file. Later calls fail with CLOSED. */
  close(): void;
};

export type SqliteStoreOptions = {
  /** A file, made when it is missing; '' is a private temporary database that SQLite removes by itself. */
  readonly path: string;
  /** Where files of uploads lie; default: there are none. */
  readonly uploadsDir?: string;
  /** For the expiry of verdicts. */
  readonly now?: () => Date;
};

/** Opens the store as its only process: leases end, half-read lists are dropped. Throws StoreError. */
export const openSqliteStore = ({
  path,
  uploadsDir,
  now = () => new Date(),
}: SqliteStoreOptions): SqliteStore => {
  const { uploadRows, verdicts, ...tables } = openTables({
    path,
    ...(uploadsDir === undefined ? {} : { uploadsDir }),
  });
  return {
    ...tables,
    uploads: uploadsDir === undefined ? null : createFileUploads(uploadRows, uploadsDir),
    verifications: createSqliteVerifications(verdicts, now),
  };
};

/** A store in a directory of its own, which has room for uploads. */
export type DataDir = SqliteStore & { readonly uploads: UploadStore };

/** Makes the directory (mode 0700), locks it against a second process and opens the store in it. Throws StoreError. */
export const openDataDir = (dir: string, options: { readonly now?: () => Date } = {}): DataDir => {
  const lock = lockDataDir(dir);
  try {
    const store = openSqliteStore({
      path: join(dir, 'rcpt.sqlite'),
      uploadsDir: join(dir, 'uploads'),
      ...options,
    });
    const { uploads } = store;
    if (uploads === null) throw new Error('a data directory has room for uploads');
    return {
      ...store,
      uploads,
      close() {
        store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
};
