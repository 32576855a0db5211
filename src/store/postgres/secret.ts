/** The cluster's own secret: made once by whoever comes first, so that what one gateway signed is good at each other. */
import { randomBytes } from 'node:crypto';
import type { Query } from './database.ts';

const secretBytes = 32;

export const readSecret = async (query: Query): Promise<Uint8Array> => {
  // Whoever comes second waits here for the first, and keeps its own to itself.
  await query(`INSERT INTO secret (name, value) VALUES ('links', $1) ON CONFLICT DO NOTHING`, [
    randomBytes(secretBytes),
  ]);
  const [row] = await query(`SELECT value FROM secret WHERE name = 'links'`);
  if (!(row?.value instanceof Uint8Array)) throw new Error('the secret is not to be read');
  return row.value;
};
