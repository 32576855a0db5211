/** The data directory: made, locked against a second process, and the store in it opened. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readFileSystemError, readSqliteError } from '../fault.ts';

/** Locks that are held. Were they referenced by the store alone, the garbage collector could close and free them. */
const held = new Set<DatabaseSync>();

/** Addresses are personal data, and keys are keys: nobody else on the machine reads them. */
export const makeDataDir = (dir: string): void => void mkdirSync(dir, { recursive: true, mode: 0o700 });

/**
 * Takes the directory for this process. The lock is an exclusive transaction on a small database of its own, which
 * is a lock of the operating system: it ends with the process, also by kill -9, and leaves nothing stale. The store's
 * own file stays readable beside us, for a backup or the sqlite3 shell. Throws StoreError: LOCKED, UNWRITABLE,
 * DISK_FULL.
 */
export const lockDataDir = (dir: string): { readonly release: () => void } => {
  let lock: DatabaseSync | undefined;
  try {
    makeDataDir(dir);
    lock = new DatabaseSync(join(dir, 'rcpt.lock'), { timeout: 0 });
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    const taken = lock;
    held.add(taken);
    return {
      release: () => {
        // A store may be closed twice.
        if (held.delete(taken)) taken.close();
      },
    };
  } catch (error) {
    lock?.close();
    throw readFileSystemError(readSqliteError(error, dir), dir);
  }
};
