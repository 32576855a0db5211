/** Lives of a worker that share one store: processes that are started, watched, killed, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Job } from '../../src/jobs/index.ts';
import { openDataDir } from '../../src/store/index.ts';
import { firstJobs, noFilter } from './inputs.ts';

export type LifePlan = {
  readonly dir: string;
  /** Jobs that are put in first. */
  readonly start?: readonly { readonly rows: number; readonly domain: string }[];
  /** A verification takes from this to eight more. */
  readonly leastMs: number;
  /** Rows that end the process, so long after they were asked. */
  readonly poison?: readonly { readonly address: string; readonly afterMs: number }[];
};

export type LifeEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'moved'; readonly settled: number; readonly waiting: number }
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'closed'; readonly afterMs: number };

export type Life = {
  readonly events: readonly LifeEvent[];
  /** Null when it ended by itself; else the signal. */
  readonly killedBy: NodeJS.Signals | null;
  readonly exitCode: number | null;
};

const program = fileURLToPath(new URL('life.child.ts', import.meta.url));
const running = new Set<ChildProcess>();

/** One life, from start to end. `onEvent` may kill it. */
export const live = async (
  plan: LifePlan,
  onEvent: (event: LifeEvent, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Life> => {
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = once(child, 'exit');
  const events: LifeEvent[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as LifeEvent;
    events.push(event);
    onEvent(event, (signal) => void child.kill(signal));
  }
  const [exitCode, killedBy] = (await exited) as [number | null, NodeJS.Signals | null];
  running.delete(child);
  return { events, killedBy, exitCode };
};

/** What a test leaves behind when it fails half-way. */
export const endLives = (): void => {
  for (const child of running) child.kill('SIGKILL');
};

export const mostSettled = ({ events }: Life): number =>
  Math.max(0, ...events.map((event) => (event.kind === 'moved' ? event.settled : 0)));

type Kept = {
  readonly job: Job;
  readonly rows: readonly { row: number; position: number; reason: string }[];
};

/** The jobs in the store, newest first, with all their results by position. */
export const readStore = async (dir: string): Promise<readonly Kept[]> => {
  const store = openDataDir(dir);
  const kept: Kept[] = [];
  for (const job of (await store.jobs.listJobs(firstJobs)).items) {
    const page = { ...noFilter, afterPosition: 0, limit: 200_000 };
    const { items } = await store.jobs.readResults(job.id, page);
    kept.push({ job, rows: items.map(({ row, position, reason }) => ({ row, position, reason })) });
  }
  store.close();
  return kept;
};
