/** The program itself, as a child: `src/main.ts` with a command, and what the system says about a process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export const mainFile = new URL('../src/main.ts', import.meta.url).pathname;

const startWords = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly scripts: { readonly start: string };
  }
).scripts.start.split(' ');
/** What `npm start` gives to Node, and what it sets around it. */
export const startFlags = startWords.filter((word) => word.startsWith('--'));
export const startEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  startWords.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('=')),
);

export type MainProcess = {
  readonly url: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
};

/** @param name what an error calls it */
export const startMain = async (
  command: 'serve' | 'worker',
  name: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[],
): Promise<MainProcess> => {
  const child = spawn(process.execPath, [...flags, mainFile, command], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    child.stdout.resume();
    return {
      url: new URL('/graphql', url).href,
      child,
      stop: async () => {
        child.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error(`${name} ended before it said where it is`);
};

/** A gateway as `npm start` starts it, the compile cache of its `prestart` included. */
export const startServe = (env: Readonly<Record<string, string>>): Promise<MainProcess> => {
  const around = { ...startEnvironment, NODE_ENV: 'production', ...env };
  spawnSync(process.execPath, [mainFile, 'warm'], { env: { ...process.env, ...around } });
  return startMain('serve', 'the gateway', around, startFlags);
};

/** Processor time of a process so far, in seconds (proc(5): utime and stime in hundredths). */
export const readCpuSeconds = (pid: number | undefined): number => {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [utime, stime] = fields.split(' ').slice(11, 13).map(Number);
  return ((utime ?? 0) + (stime ?? 0)) / 100;
};

/** Resident memory of a process now, and the most that it ever had, in MB of a million octets (proc(5)). */
export const readRssMb = (pid: number | undefined): { readonly now: number; readonly most: number } => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024) / 1e6;
  return { now: read('VmRSS'), most: read('VmHWM') };
};

/** How long a process's main thread has waited for a processor so far, in milliseconds (/proc/<pid>/schedstat). */
export const readWaitedMs = (pid: number | undefined): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
