/** What is known of uploads, in the table of that name; their octets are files (uploads.ts). */
import type { DatabaseSync } from 'node:sqlite';
import type { NewUpload, UploadState } from '../../jobs/index.ts';
import { commitDurably, guardAt, inTransaction } from './database.ts';

export type UploadRow = {
  readonly id: string;
  readonly owner: string | null;
  readonly file_name: string | null;
  readonly state: UploadState;
  readonly size: number | null;
  readonly created_at: number;
  readonly expires_at: number;
  readonly sha256: string | null;
};

/** Methods reject with StoreError. */
export type UploadRows = {
  insert(upload: NewUpload): Promise<void>;
  read(id: string): Promise<UploadRow | null>;
  /** An OPEN one becomes COMPLETE; survives a power cut. */
  complete(id: string, size: number): Promise<void>;
  /** Survives a power cut. */
  use(id: string, sha256: string | null): Promise<void>;
  /** Erases those past their time; gives their ids. */
  expire(now: Date): Promise<readonly string[]>;
};

export const createUploadRows = (db: DatabaseSync, place: string): UploadRows => {
  const insert = db.prepare(
    `INSERT INTO upload (id, owner, file_name, state, size, created_at, expires_at) VALUES (?, ?, ?, 'OPEN', ?, ?, ?)`,
  );
  const select = db.prepare('SELECT * FROM upload WHERE id = ?');
  const complete = db.prepare(
    `UPDATE upload SET state = 'COMPLETE', size = ? WHERE id = ? AND state = 'OPEN'`,
  );
  const use = db.prepare(`UPDATE upload SET state = 'USED', sha256 = ? WHERE id = ?`);
  const expire = db.prepare('DELETE FROM upload WHERE expires_at <= ? RETURNING id');
  const guard = guardAt(place);
  return {
    insert: ({ id, owner, fileName, sizeBytes, createdAt, expiresAt }) =>
      guard(() => void insert.run(id, owner, fileName, sizeBytes, createdAt.getTime(), expiresAt.getTime())),
    read: (id) => guard(() => (select.get(id) as UploadRow | undefined) ?? null),
    complete: (id, size) => guard(() => commitDurably(db, () => void complete.run(size, id))),
    use: (id, sha256) => guard(() => commitDurably(db, () => void use.run(sha256, id))),
    expire: (now) =>
      guard(() => inTransaction(db, () => expire.all(now.getTime())).map(({ id }) => String(id))),
  };
};
