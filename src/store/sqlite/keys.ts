/**
 * Keys on a SQLite file of their own. The store's other file belongs to the process that serves; this one is opened by
 * whoever makes or revokes a key beside it, for as long as that takes. It is small and its statements are of
 * microseconds, so that it needs no thread: what may take longer is to wait for another process' fsync.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { KeptKey, KeyKind, KeyStore, Scope } from '../../keys/index.ts';
import { readFileSystemError } from '../fault.ts';
import { makeDataDir } from './data-dir.ts';
import { commitDurably, guardAt, inTransaction, openFile, type Schema } from './database.ts';
import { date, type Row } from './rows.ts';

/** One step a version; a step that was released never changes. */
const schema: Schema = {
  applicationId: 0x72_63_70_6b, // "rcpk"
  migrations: [
    `
    CREATE TABLE api_key (
      number            INTEGER PRIMARY KEY AUTOINCREMENT,
      id                TEXT NOT NULL UNIQUE,
      -- SHA-256 of its text, in hexadecimal digits.
      hash              TEXT NOT NULL UNIQUE,
      name              TEXT NOT NULL,
      kind              TEXT NOT NULL CHECK (kind IN ('SECRET', 'PUBLISHABLE')),
      prefix            TEXT NOT NULL,
      -- JSON arrays of texts.
      scopes            TEXT NOT NULL,
      origins           TEXT NOT NULL,
      points_per_minute REAL NOT NULL,
      is_persisted_only INTEGER NOT NULL,
      created_at        INTEGER NOT NULL,
      expires_at        INTEGER,
      revoked_at        INTEGER,
      last_used_at      INTEGER
    ) STRICT;
    `,
  ],
};

/** For another process that opens the file or writes to it; a person waits for that. */
const usualWaitMs = 5_000;

const list = (value: Row[string] | undefined): readonly string[] =>
  JSON.parse(String(value)) as readonly string[];

const readKeyRow = (row: Row): KeptKey => ({
  id: String(row.id),
  hash: String(row.hash),
  name: String(row.name),
  kind: String(row.kind) as KeyKind,
  prefix: String(row.prefix),
  scopes: list(row.scopes) as readonly Scope[],
  origins: list(row.origins),
  pointsPerMinute: Number(row.points_per_minute),
  isPersistedOnly: row.is_persisted_only === 1,
  createdAt: new Date(Number(row.created_at)),
  expiresAt: date(row.expires_at),
  revokedAt: date(row.revoked_at),
  lastUsedAt: date(row.last_used_at),
});

const ms = (at: Date | null): number | null => at?.getTime() ?? null;

const createSqliteKeys = (db: DatabaseSync, place: string): KeyStore => {
  // No key is ever erased, so that both only grow, and no two processes ever make the same of it.
  const readVersion = db.prepare('SELECT count(*) + count(revoked_at) AS version FROM api_key');
  const readAll = db.prepare('SELECT * FROM api_key ORDER BY created_at, number');
  const insert = db.prepare(
    `INSERT INTO api_key (id, hash, name, kind, prefix, scopes, origins, points_per_minute, is_persisted_only,
       created_at, expires_at, revoked_at, last_used_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const revoke = db.prepare('UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?');
  const noteUse = db.prepare(
    'UPDATE api_key SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)',
  );
  const guard = guardAt(place);

  return {
    readVersion: () => guard(() => Number(readVersion.get()?.version)),
    readKeys: () => guard(() => readAll.all().map(readKeyRow)),
    createKey: (key) =>
      guard(() =>
        commitDurably(db, () => {
          insert.run(
            key.id,
            key.hash,
            key.name,
            key.kind,
            key.prefix,
            JSON.stringify(key.scopes),
            JSON.stringify(key.origins),
            key.pointsPerMinute,
            key.isPersistedOnly ? 1 : 0,
            key.createdAt.getTime(),
            ms(key.expiresAt),
            ms(key.revokedAt),
            ms(key.lastUsedAt),
          );
        }),
      ),
    revokeKey: (id, at) => guard(() => commitDurably(db, () => revoke.run(at.getTime(), id).changes === 1)),
    noteUses: (uses) =>
      guard(() =>
        inTransaction(db, () => {
          for (const { id, at } of uses) noteUse.run({ id, at: at.getTime() });
        }),
      ),
  };
};

export type SqliteKeys = {
  readonly keys: KeyStore;
  /** Later calls fail with CLOSED. Twice is once. */
  close(): void;
};

/** Made before SQLite would make it for everybody to read; its log gets the same mode. */
const makeFile = (path: string): void => {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    // To open one that is there and close it again would end the locks that this process has on it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};

/**
 * Opens the keys of a data directory, both made when they are missing (modes 0700 and 0600), beside whoever else has
 * them open. Throws StoreError.
 * @param waitMs for another process' write, in which nothing else happens in this one; default 5 s
 */
export const openSqliteKeys = (
  dir: string,
  { waitMs = usualWaitMs }: { readonly waitMs?: number } = {},
): SqliteKeys => {
  const path = join(dir, 'keys.sqlite');
  try {
    makeDataDir(dir);
    makeFile(path);
  } catch (error) {
    throw readFileSystemError(error, path);
  }
  const db = openFile(path, path, schema, {
    // Who opens it may have come to the middle of another process' first step.
    waitMs: usualWaitMs,
    // Uses are noted without an fsync: what a power cut takes back of them is a date. See `prepareFile` for the words.
    prepare: (opened) => opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL'),
  });
  db.exec(`PRAGMA busy_timeout = ${waitMs}`);
  return {
    keys: createSqliteKeys(db, path),
    close() {
      if (db.isOpen) db.close();
    },
  };
};
