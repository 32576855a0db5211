/**
 * store: what must survive. It implements the ports that `jobs` (JobStore, UploadStore, WebhookStore), `keys`
 * (KeyStore, BucketStore) and `verify` (VerificationMemory) own, on one SQLite file through `node:sqlite` with the files
 * of uploads and that of the keys beside it, and knows nothing of mail, of GraphQL or of when something is asked.
 *
 * Promises: every method of a port is one transaction. What a method has returned survives kill -9 at any moment; an
 * accepted job survives a power cut as well, and settled rows that a power cut takes back are asked again. What is
 * erased is overwritten. A failing store throws StoreError with a code from a closed set and changes nothing.
 *
 * Refuses: a file that is no database, another program's, or a newer rcpt's, before a byte of it is changed; a data
 * directory that another process holds.
 *
 * Limits: one process a file, but for that of the keys. SQLite is synchronous, so each transaction is kept to some
 * milliseconds: long work (loading a list, erasing a job) is cut into batches that let the event loop breathe. The
 * gateway has it in a thread of its own (sqlite/thread), commands and tests in theirs. The numbers are in `bench`.
 */
export { StoreError, type StoreFaultCode } from './fault.ts';
export { openPostgresStore, type PostgresStore, type PostgresStoreOptions } from './postgres/index.ts';
export { openPostgresKeys, type PostgresKeys } from './postgres/keys.ts';
export {
  type DataDir,
  openDataDir,
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from './sqlite/index.ts';
export { openSqliteKeys, type SqliteKeys } from './sqlite/keys.ts';
export { openThreadedDataDir, type ThreadedDataDir } from './sqlite/thread/index.ts';
