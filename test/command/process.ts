/** `rcpt` as its user runs it: a process of its own, with an environment of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** Only what a process needs to start: no setting of the machine that runs the tests leaks in. */
const bare = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };

export type Run = { readonly code: number | null; readonly out: string; readonly err: string };

export const runRcpt = async (
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Promise<Run> => {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...bare, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: 60_000,
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

export type RunningGateway = {
  readonly url: string;
  readonly child: ChildProcess;
  stop(signal: NodeJS.Signals): Promise<void>;
};

/** Starts `rcpt serve` or `rcpt sandbox` on a port of the system's choice and waits until it says where. */
export const startRcpt = async (
  command: 'serve' | 'sandbox',
  env: Record<string, string>,
  /** Told what it logs; default: our own standard error. */
  onLog: ((text: string) => void) | null = null,
): Promise<RunningGateway> => {
  const child = spawn(process.execPath, [main, command], {
    env: { ...bare, RCPT_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', onLog === null ? 'inherit' : 'pipe'],
  });
  if (onLog !== null) child.stderr?.setEncoding('utf8').on('data', onLog);
  const exited = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  if (child.stdout === null) throw new Error('its standard output is piped');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url && !line.includes('postgrey')) {
      child.stdout.resume();
      return { url: new URL('/graphql', url).href, child, stop };
    }
  }
  throw new Error('the gateway ended before it said where it listens');
};
