/** A mail server as a child process of the test, with all that it says, and its end when the test ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export type ServerProcess = {
  /** Standard output and standard error, in the order of arrival. */
  readonly log: readonly string[];
  /** Waits for a line that is already there or still to come; the server's end or ten seconds are a failure. */
  line(pattern: RegExp): Promise<string>;
  /** Ends the server and all processes that it started. */
  stop(): Promise<void>;
};

/** A busy machine starts Perl in seconds. */
const START_MS = 20_000;
/** Servers that wait for their clients are not waited for. */
const STOP_MS = 5_000;
/** A server that logs in circles must not fill the memory of the test. */
const MAX_LOG_LINES = 200_000;

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    // It was started as the leader of a group: this reaches what it started, and nothing else.
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

export const startServerProcess = async (
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    /** Once a line says so, it listens. Without it, the caller finds out by connecting. */
    readonly isReady?: RegExp;
  },
): Promise<ServerProcess> => {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const log: string[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  const read = (stream: Readable): void => {
    createInterface({ input: stream }).on('line', (line) => {
      if (log.length < MAX_LOG_LINES) log.push(line);
      wake();
    });
  };
  read(child.stdout);
  read(child.stderr);
  let ended: string | null = null;
  child.once('error', (error) => {
    ended = String(error);
    wake();
  });
  const exited = once(child, 'exit').then(
    ([code, signal]: unknown[]) => {
      ended ??= `ended with ${code ?? signal}`;
      wake();
    },
    // It never began: the `error` above says why.
    () => {},
  );
  const killAtExit = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', killAtExit);

  const server: ServerProcess = {
    log,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        let next = 0;
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          watchers.delete(look);
          act();
        };
        const fail = (why: string): void =>
          settle(() =>
            reject(new Error(`${command}: no line ${pattern}: ${why}\n${log.slice(-30).join('\n')}`)),
          );
        const look = (): void => {
          for (; next < log.length; next++) {
            const line = log[next] ?? '';
            if (!pattern.test(line)) continue;
            settle(() => resolve(line));
            return;
          }
          if (ended !== null) fail(ended);
        };
        const timer = setTimeout(() => fail('it took too long'), START_MS);
        watchers.add(look);
        look();
      }),
    async stop() {
      signalGroup(child, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
      // What it started and did not take along.
      signalGroup(child, 'SIGKILL');
      process.off('exit', killAtExit);
    },
  };
  if (options.isReady) {
    try {
      await server.line(options.isReady);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }
  return server;
};
