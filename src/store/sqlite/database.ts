/** One SQLite file, opened, checked and brought to the current schema. */
import { DatabaseSync } from 'node:sqlite';
import { readSqliteError, storeError } from '../fault.ts';
import { applicationId, migrations } from './migrations.ts';

/**
 * Pages of the file kept in memory. Settling writes at the end of its tables, and what is read at random the system
 * has in its own cache: with four times as much nothing was faster, and the process 29 MB larger.
 */
const cacheKib = 8 * 1024;
/**
 * How long a statement waits for somebody who reads the file beside us (a backup, the sqlite3 shell). It blocks the
 * event loop, so it is short; the caller asks again.
 */
const busyTimeoutMs = 100;

/**
 * Durability, in words. In WAL mode every commit is written to the operating system before it returns, so a process
 * killed at any moment loses nothing that was committed. `synchronous = NORMAL` leaves out the fsync at each commit:
 * a power cut may take back the last commits, never tear one, and what was taken back is asked again. A job's
 * acceptance alone is committed with FULL (see `commitDurably`), so that an accepted list survives a power cut too.
 * `secure_delete` overwrites what is erased with zeros: erased addresses are gone from the file, not only from the index.
 */
const prepareFile = (db: DatabaseSync, isTemporary: boolean): void => {
  if (!isTemporary) {
    // auto_vacuum must come before the first table; it lets a large erased job give its pages back to the disk.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec('PRAGMA journal_size_limit = 67108864');
  } else {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
  }
  db.exec(`PRAGMA secure_delete = ON; PRAGMA cache_size = -${cacheKib}`);
};

const readNumber = (db: DatabaseSync, pragma: string): number =>
  Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);

/** What tells a file of ours from another's, and the steps to its newest version. */
export type Schema = { readonly applicationId: number; readonly migrations: readonly string[] };

/** Refuses what is not ours before a byte of it is changed. */
const refuseForeign = (
  db: DatabaseSync,
  place: string,
  { applicationId: ours, migrations: steps }: Schema,
): void => {
  const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n);
  if (tables > 0 && readNumber(db, 'application_id') !== ours) throw storeError('FOREIGN_DATABASE', place);
  if (readNumber(db, 'user_version') > steps.length) throw storeError('NEWER_VERSION', place);
};

/** SQLite's own ceiling. */
const mostPages = 4_294_967_294;

/** The file cannot grow past so many pages, or past what it has: then SQLITE_FULL, as on a full disk. */
export const limitPages = (db: DatabaseSync, most: number | null): void =>
  db.exec(`PRAGMA max_page_count = ${most ?? mostPages}`);

/** Runs `work` as one transaction; whatever it throws takes everything back. Never spans an await. */
export const inTransaction = <Result>(db: DatabaseSync, work: () => Result): Result => {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk or an I/O error may have ended the transaction already (https://sqlite.org/lang_transaction.html).
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
};

/** The same, and on the disk's surface before it returns: one fsync, of all that was committed before as well. */
export const commitDurably = <Result>(db: DatabaseSync, work: () => Result): Result => {
  const before = readNumber(db, 'synchronous');
  db.exec('PRAGMA synchronous = FULL');
  try {
    return inTransaction(db, work);
  } finally {
    db.exec(`PRAGMA synchronous = ${before}`);
  }
};

const migrate = (db: DatabaseSync, { applicationId: ours, migrations: steps }: Schema): void => {
  const isTaken = (index: number): boolean => index < readNumber(db, 'user_version');
  for (const [index, step] of steps.entries()) {
    if (isTaken(index)) continue;
    inTransaction(db, () => {
      // Of a file that several processes open, another may have taken it meanwhile.
      if (isTaken(index)) return;
      db.exec(step);
      db.exec(`PRAGMA application_id = ${ours}; PRAGMA user_version = ${index + 1}`);
    });
  }
};

/**
 * Opens a file of this schema, made when it is missing, and brings it to the newest version. Throws StoreError.
 * @param how how long statements wait for somebody else's, and what is set before the first table
 */
export const openFile = (
  path: string,
  place: string,
  schema: Schema,
  how: { readonly waitMs: number; readonly prepare: (db: DatabaseSync) => void },
): DatabaseSync => {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: how.waitMs });
    refuseForeign(db, place, schema);
    how.prepare(db);
    migrate(db, schema);
    return db;
  } catch (error) {
    db?.close();
    throw readSqliteError(error, place);
  }
};

/** Opens `path`, or with '' a private temporary database that SQLite removes by itself. Throws StoreError. */
export const openDatabase = (path: string): DatabaseSync => {
  const isTemporary = path === '';
  return openFile(
    path,
    isTemporary ? 'the temporary database' : path,
    { applicationId, migrations },
    { waitMs: busyTimeoutMs, prepare: (db) => prepareFile(db, isTemporary) },
  );
};

/** Does a method's work, and rejects with the store's own error for what SQLite throws. */
export const guardAt =
  (place: string) =>
  async <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw readSqliteError(error, place);
    }
  };
