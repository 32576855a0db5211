/**
 * A process beside the engine's: it prints one line of JSON once it is ready, answers each line that it is given with
 * one, and ends when its standard input closes. Where the machine has `taskset` and a second core, the engine has the
 * first core to itself and every peer shares the second, so that what is measured is one core of ours.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** `anywhere`: on whatever core is free, for what is measured on all of them. */
export type Side = 'engine' | 'peer' | 'anywhere';

/** A child that is slow to start on a busy machine, or hangs, must not hold the bench. */
const LONGEST_START_MS = 15_000;
const LONGEST_END_MS = 5_000;

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Asked once, in the process that has all cores: a pinned child sees one alone. */
export const howPinned = (): string =>
  canPin ? 'the engine alone on one core, its peers on another' : 'all processes share the cores';

export const spawnPinned = (
  side: Side,
  command: readonly [string, ...string[]],
  stdio: 'inherit' | ['pipe', 'pipe', 'inherit'] | ['ignore', 'ignore', 'inherit'],
): ChildProcess => {
  const isPinned = side !== 'anywhere' && (process.env.BENCH_PINNED === '1' || canPin);
  const env = { ...process.env, BENCH_PINNED: isPinned ? '1' : '0' };
  const [program, ...args] = command;
  const core = side === 'engine' ? '0' : '1';
  return isPinned
    ? spawn('taskset', ['-c', core, program, ...args], { stdio, env })
    : spawn(program, args, { stdio, env });
};

export type Peer<Ready> = {
  readonly ready: Ready;
  ask<Answer>(question: string): Promise<Answer>;
  close(): Promise<void>;
};

/** @param file a module that calls `serveParent` when it is the main one */
export const startPeer = async <Ready>(
  file: string,
  input: unknown,
  side: Side = 'peer',
  flags: readonly string[] = [],
): Promise<Peer<Ready>> => {
  const child = spawnPinned(
    side,
    [process.execPath, ...flags, file, JSON.stringify(input)],
    ['pipe', 'pipe', 'inherit'],
  );
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error(`${file} has no pipes`);
  const ended = once(child, 'exit');
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  createInterface({ input: stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  void ended.then(() => {
    for (const one of waiting) one.reject(new Error(`${file} ended`));
  });
  const readLine = <Answer>(): Promise<Answer> =>
    new Promise<string>((resolve, reject) => waiting.push({ resolve, reject })).then((line) =>
      JSON.parse(line),
    );
  const tooLong = setTimeout(() => child.kill(), LONGEST_START_MS);
  const ready = await readLine<Ready>();
  clearTimeout(tooLong);
  return {
    ready,
    ask<Answer>(question: string) {
      stdin.write(`${question}\n`);
      return readLine<Answer>();
    },
    close: async () => {
      stdin.end();
      const tooLate = setTimeout(() => child.kill('SIGKILL'), LONGEST_END_MS);
      await ended;
      clearTimeout(tooLate);
    },
  };
};

/** The child's half. What was opened ends with the process. */
export const serveParent = (ready: unknown, answer: (question: string) => unknown): void => {
  console.log(JSON.stringify(ready));
  createInterface({ input: process.stdin })
    .on('line', (question) => console.log(JSON.stringify(answer(question) ?? null)))
    .once('close', () => process.exit(0));
};

/** What `ulimit -n` says to a process of ours: Node has raised it to the hard limit by then. */
export const readOpenFiles = (): string =>
  spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
