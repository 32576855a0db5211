/** The store's own secret: made once, so that what was signed with it is good after a restart. */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

const secretBytes = 32;

export const readSecret = (db: DatabaseSync): Uint8Array => {
  db.prepare(`INSERT INTO secret (name, value) VALUES ('links', ?) ON CONFLICT DO NOTHING`).run(
    randomBytes(secretBytes),
  );
  const value = db.prepare(`SELECT value FROM secret WHERE name = 'links'`).get()?.value;
  if (!(value instanceof Uint8Array)) throw new Error('the secret is not to be read');
  return value;
};
