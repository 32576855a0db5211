/**
 * Who writes to which upload, across processes: an advisory lock each, held by one connection of this process for all of
 * its writers. When the process dies the locks are gone with its connection, and the caller goes on at another
 * gateway at once. A lock that was lost with a broken connection lets somebody else begin; the upload's `writer`
 * then ends whoever came before.
 */
import type pg from 'pg';
import type { Database } from './database.ts';
import { readPostgresError } from './fault.ts';
import { uploadKeys } from './locks.ts';

export type Writers = {
  /** False: somebody writes to it, here or elsewhere. */
  begin(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
  close(): Promise<void>;
};

export const createWriters = (
  database: Pick<Database, 'connect'>,
  onError: (error: unknown) => void,
): Writers => {
  const writing = new Set<string>();
  let connecting: Promise<pg.Client> | null = null;

  const connect = (): Promise<pg.Client> => {
    const opening = database.connect();
    connecting = opening;
    const forget = (): void => {
      if (connecting === opening) connecting = null;
    };
    opening.then((client) => {
      client.on('error', (error) => {
        forget();
        onError(readPostgresError(error));
      });
      client.on('end', forget);
    }, forget);
    return opening;
  };
  const ask = async (text: string, id: string): Promise<boolean> => {
    const client = await (connecting ?? connect());
    try {
      const { rows } = await client.query<{ readonly ok: boolean }>(text, [id]);
      return rows[0]?.ok === true;
    } catch (error) {
      throw readPostgresError(error);
    }
  };
  /** Nobody writes: the connection is given back. */
  const rest = async (): Promise<void> => {
    const last = connecting;
    if (last === null || writing.size > 0) return;
    connecting = null;
    await last.then((client) => client.end()).catch(onError);
  };

  return {
    async begin(id) {
      if (writing.has(id)) return false;
      writing.add(id);
      try {
        if (await ask(`SELECT pg_try_advisory_lock(${uploadKeys('$1')}) AS ok`, id)) return true;
        writing.delete(id);
      } catch (error) {
        writing.delete(id);
        throw error;
      }
      await rest();
      return false;
    },
    async end(id) {
      // Without a connection there is no lock, and one that breaks here takes it along.
      if (connecting !== null)
        await ask(`SELECT pg_advisory_unlock(${uploadKeys('$1')}) AS ok`, id).catch(onError);
      writing.delete(id);
      await rest();
    },
    async close() {
      writing.clear();
      await rest();
    },
  };
};
