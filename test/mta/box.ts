/**
 * A mail server from Debian's packages in a folder of its own: a root directory with the paths, users and devices
 * that are compiled into it. Nothing is installed, and nothing outside the folder is written.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const cache = process.env.MTA_CACHE ?? '/var/cache/rcpt-mta';

export type PackageName = 'postfix' | 'exim4-daemon-light' | 'opensmtpd' | 'postgrey';

/** The files that `install.sh` fetched; none when it did not. */
export const findPackages = (name: PackageName): string[] => {
  try {
    const folder = join(cache, name);
    const files = readdirSync(folder);
    return files.includes('complete')
      ? files.filter((file) => file.endsWith('.deb')).map((file) => join(folder, file))
      : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Skips loudly where the server cannot be run, which in CI is a failure. */
export const describeServer = (title: string, packages: readonly PackageName[], body: () => void): void => {
  const missing = packages.filter((name) => findPackages(name).length === 0);
  const reason =
    process.getuid?.() !== 0
      ? 'it needs root, for a root directory of its own'
      : missing.length > 0
        ? `${missing.join(', ')} not in ${cache}: test/mta/install.sh fetches it where there is apt`
        : null;
  if (reason === null) describe(title, body);
  else if (process.env.CI)
    it(title, () => {
      throw new Error(reason);
    });
  else {
    process.stderr.write(`SKIPPED ${title}: ${reason}\n`);
    describe.skip(title, body);
  }
};

export type Box = {
  readonly root: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Lines of a log file of the server; none before there is one. */
  log(path: string): Promise<string[]>;
  /** Waits for a line of a log file, at most twenty seconds. */
  line(path: string, pattern: RegExp): Promise<string>;
  start(command: string, args: readonly string[], isReady?: RegExp): Promise<ServerProcess>;
  /** Runs a command to its end. */
  run(command: string, ...args: readonly string[]): Promise<void>;
  remove(): Promise<void>;
};

/** Users by name, each with a group of the same number. */
type Users = Readonly<Record<string, number>>;

const LOG_MS = 20_000;

export const makeBox = async (packages: readonly PackageName[], users: Users): Promise<Box> => {
  const root = await mkdtemp(join(tmpdir(), 'rcpt-mta-'));
  await run(new URL('box.sh', import.meta.url).pathname, [root, ...packages.flatMap(findPackages)]);
  const log = async (path: string): Promise<string[]> => {
    try {
      return (await readFile(join(root, path), 'utf8')).split('\n').filter((line) => line !== '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  };
  const box: Box = {
    root,
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), text);
      }
    },
    log,
    async line(path, pattern) {
      const until = performance.now() + LOG_MS;
      for (;;) {
        const lines = await log(path);
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (performance.now() > until) throw new Error(`no line ${pattern}:\n${lines.slice(-30).join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    start: (command, args, isReady) =>
      startServerProcess('chroot', [root, command, ...args], { cwd: root, ...(isReady ? { isReady } : {}) }),
    run: async (command, ...args) => {
      await run(command, args, { cwd: root });
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
  const everybody = Object.entries({ root: 0, ...users, nobody: 65_534, nogroup: 65_534 });
  await box.write({
    'etc/passwd': everybody.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/false\n`).join(''),
    'etc/group': everybody.map(([name, id]) => `${name}:x:${id}:\n`).join(''),
    'etc/hosts': '127.0.0.1 localhost\n',
    // No look-up may leave the machine.
    'etc/nsswitch.conf': 'hosts: files\n',
    'etc/resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
    'etc/mailname': 'mx.test\n',
  });
  return box;
};

/** A port that is free on every loopback address. */
export const findPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '0.0.0.0', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
