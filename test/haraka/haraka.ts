/** Haraka from npm on a loopback port of the system's choice, its whole configuration in a temporary folder. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startServerProcess } from '../mta/server-process.ts';

const require = createRequire(import.meta.url);
const program = require.resolve('Haraka/haraka.js');

/**
 * Who is there, said before `rcpt_to.in_host_list` vouches for the rest of a domain: at known.test whoever begins with
 * `user`; at all.test everybody. Whoever begins with `hangup` is refused and the connection closed; `later`
 * is put off.
 */
const plugin = `'use strict';
const dsn = require('haraka-dsn');
exports.hook_rcpt = (next, connection, [recipient]) => {
  const { host, user } = recipient;
  if (user.startsWith('hangup')) return next(DENYDISCONNECT, dsn.no_such_user());
  if (user.startsWith('later')) return next(DENYSOFT, 'Greylisted, please try again in 5 minutes');
  if (host !== 'known.test' || user.startsWith('user')) return next();
  next(DENY, dsn.no_such_user());
};
`;

const files: Readonly<Record<string, string>> = {
  'config/smtp.ini': 'listen=127.0.0.1:0\nnodes=0\n',
  'config/log.ini': '[main]\nlevel=protocol\nformat=default\ntimestamps=false\n',
  'config/me': 'mx.known.test\n',
  'config/host_list': 'known.test\nall.test\n',
  'config/plugins': 'rcpt_to.who\nrcpt_to.in_host_list\n',
  'plugins/rcpt_to.who.js': plugin,
};

export type Haraka = {
  readonly port: number;
  /** Commands by session, in the order of their connecting, as Haraka logged them. */
  sessions(): readonly (readonly string[])[];
  /** Sessions that Haraka says are over. */
  ended(): number;
  stop(): Promise<void>;
};

export const startHaraka = async (): Promise<Haraka> => {
  const folder = await mkdtemp(join(tmpdir(), 'rcpt-haraka-'));
  await Promise.all(['config', 'plugins'].map((name) => mkdir(join(folder, name))));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  // Without it Haraka has no `[message]` and falls over its first greeting.
  await copyFile(join(dirname(program), 'config/connection.ini'), join(folder, 'config/connection.ini'));
  const server = await startServerProcess(process.execPath, [program], {
    cwd: folder,
    env: { HARAKA: folder },
  });
  const listening = await server.line(/Listening on 127\.0\.0\.1:\d+/);
  return {
    port: Number(/:(\d+)$/.exec(listening)?.[1]),
    sessions() {
      const sessions = new Map<string, string[]>();
      for (const line of server.log) {
        const [, id = '', command] =
          /^\[(?:NOTICE|PROTOCOL)\] \[([0-9A-F-]{36})\S*\] \[core\] (?:connect ip|C: (.*) state=\d)/.exec(
            line,
          ) ?? [];
        if (id === '') continue;
        const commands = sessions.get(id) ?? [];
        sessions.set(id, commands);
        if (command !== undefined) commands.push(command);
      }
      return [...sessions.values()];
    },
    ended: () => server.log.filter((line) => /^\[NOTICE\] .* \[core\] disconnect ip=/.test(line)).length,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
