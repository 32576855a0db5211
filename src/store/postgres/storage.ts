/** What the database takes on its server's disk; what is left there only that server's operator knows. */
import type { Storage } from '../../jobs/index.ts';
import type { Query } from './database.ts';

/** The octets of uploads lie in the database, and count there as well. */
export const readStorage = async (query: Query): Promise<Storage> => {
  const [row] = await query(
    `SELECT pg_database_size(current_database()) AS size,
       (SELECT coalesce(sum(received), 0) FROM upload WHERE state <> 'USED')::bigint AS uploads`,
  );
  return { databaseBytes: Number(row?.size), uploadBytes: Number(row?.uploads), freeBytes: null };
};
