/** Postgrey, the policy service that greylists for Postfix: with a second's patience instead of five minutes'. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPackages, findPort } from './box.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const START_MS = 20_000;

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

export const startPostgrey = async (): Promise<{ readonly port: number; stop(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'rcpt-postgrey-'));
  // It gives its rights up, and reads its modules afterwards.
  await chmod(folder, 0o755);
  let server: ServerProcess | null = null;
  const stop = async (): Promise<void> => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const file of findPackages('postgrey')) await run('dpkg-deb', ['-x', file, folder]);
    await mkdir(join(folder, 'db'));
    await run('chown', ['nobody', join(folder, 'db')]);
    // Compiled modules are in a folder of the machine's and of Perl's version.
    const modules = await readdir(join(folder, 'usr'), { recursive: true }).then((paths) =>
      paths
        .filter((path) => /(?:^share\/perl5|\/perl5\/[\d.]+)$/.test(path))
        .map((path) => join(folder, 'usr', path)),
    );
    const port = await findPort();
    server = await startServerProcess(
      'perl',
      [
        // It is tainted, and takes no PERL5LIB.
        '-T',
        ...modules.map((path) => `-I${path}`),
        join(folder, 'usr/sbin/postgrey'),
        `--inet=127.0.0.1:${port}`,
        `--dbdir=${join(folder, 'db')}`,
        '--user=nobody',
        '--group=nogroup',
        '--delay=1',
        '--whitelist-clients=/dev/null',
        '--whitelist-recipients=/dev/null',
      ],
      { cwd: folder },
    );
    const until = performance.now() + START_MS;
    while (!(await isListening(port))) {
      if (performance.now() > until) throw new Error(`postgrey does not listen:\n${server.log.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
