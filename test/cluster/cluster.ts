/**
 * A cluster as its operator runs it: a real PostgreSQL, gateways and workers in processes of their own, and the mail
 * internet in a box for them to ask. Whatever happens to them happens by signals and by SQL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { type PostgresServer, startPostgres } from '../postgres/server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const skew = fileURLToPath(new URL('./skew.ts', import.meta.url));
/** Of a process: to start on a busy machine, and to end. */
const longestStartMs = 30_000;

export type Node = {
  readonly name: string;
  /** Where GraphQL is; a worker's health. */
  readonly url: string;
  readonly child: ChildProcess;
  /** What it said on standard error: one JSON value a line. */
  readonly log: readonly string[];
  signal(signal: NodeJS.Signals): void;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
};

export type Cluster = {
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly sandbox: Sandbox;
  /** @param clockMs how far its clock is ahead */
  start(
    command: 'serve' | 'worker',
    name: string,
    env?: Readonly<Record<string, string>>,
    clockMs?: number,
  ): Promise<Node>;
  stop(): Promise<void>;
};

export const startCluster = async (
  options: { readonly postgresFlags?: readonly string[] } = {},
): Promise<Cluster> => {
  const postgres = await startPostgres(options.postgresFlags);
  const databaseUrl = await postgres.createDatabase();
  const sandbox = await startSandbox();
  const nodes = new Set<Node>();

  const start: Cluster['start'] = async (command, name, env = {}, clockMs = 0) => {
    const child = spawn(process.execPath, [...(clockMs === 0 ? [] : ['--import', skew]), main, command], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        TEST_CLOCK_MS: String(clockMs),
        DATABASE_URL: databaseUrl,
        RCPT_PORT: '0',
        RCPT_HELO_NAME: 'probe.rcpt.test',
        RCPT_DNS_SERVERS: sandbox.dnsServers.join(','),
        RCPT_SMTP_PORT: String(sandbox.smtpPort),
        RCPT_ALLOW_HOSTS: sandbox.allowHosts.join(','),
        RCPT_GREYLIST_RETRY: '4s,4s,4s',
        RCPT_SOURCE: name,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    const tooLong = setTimeout(() => child.kill('SIGKILL'), longestStartMs);
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\/\/\S+/.exec(line)?.[0];
      if (url === undefined) continue;
      clearTimeout(tooLong);
      child.stdout.resume();
      const node: Node = {
        name,
        url: command === 'serve' ? new URL('/graphql', url).href : url,
        child,
        log,
        signal: (signal) => void child.kill(signal),
        ended,
      };
      nodes.add(node);
      return node;
    }
    throw new Error(`${name} ended before it said where it is: ${log.join('\n')}`);
  };

  return {
    postgres,
    databaseUrl,
    sandbox,
    start,
    async stop() {
      for (const { child } of nodes) {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
      }
      await Promise.all([...nodes].map(({ ended }) => ended));
      await sandbox.close();
      await postgres.stop();
    },
  };
};
