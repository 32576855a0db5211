/** A PostgreSQL for the benches, from the npm package: with durable commits, as a server of an operator's has them. */
import { startPostgres } from '../test/postgres/server.ts';

export const startBenchPostgres = () =>
  startPostgres(['-c', 'fsync=on', '-c', 'shared_buffers=256MB', '-c', 'max_wal_size=2GB']);
