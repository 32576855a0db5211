/**
 * A process that works on the store in `plan.dir` until it is killed or its jobs have ended. What happens it writes
 * down as one JSON value a line on standard output: see `LifeEvent`. SIGTERM ends it as it ends the gateway.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { createJobs } from '../../src/jobs/index.ts';
import { openThreadedDataDir, type StoreError } from '../../src/store/index.ts';
import { firstJobs, inlineList } from './inputs.ts';
import type { LifeEvent, LifePlan } from './lives.ts';
import { addresses, textOf, verdictOf } from './verdicts.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as LifePlan;
const tell = (event: LifeEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const store = await openThreadedDataDir(plan.dir);
const jobs = createJobs({
  store: store.jobs,
  uploads: null,
  webhooks: null,
  retentionMs: 86_400_000,
  retrySchedule: [300],
  concurrency: { chunks: 3, rowsPerChunk: 40 },
  onError: (error) => tell({ kind: 'error', code: (error as Partial<StoreError>).code ?? String(error) }),
  verify: async (address, { maxAgeSeconds }) => {
    const text = textOf(address);
    // Deterministic: the same row takes as long and says the same in every life.
    const number = Number(/\d+/.exec(text)?.[0]);
    const poison = plan.poison?.find((row) => row.address === text);
    await pass(poison?.afterMs ?? plan.leastMs + (number % 9));
    if (poison !== undefined) process.kill(process.pid, 'SIGKILL');
    const isGrey = number % 10 === 3 && maxAgeSeconds !== 0;
    return verdictOf(address, isGrey ? 'GREYLISTED' : 'MAILBOX_EXISTS', isGrey ? new Date() : null);
  },
});

for (const { rows, domain } of plan.start ?? []) {
  // Every twentieth row names a mailbox again.
  const list = addresses(rows, domain).flatMap((text, n) => (n % 20 === 0 ? [text, text] : [text]));
  const outcome = await jobs.start(inlineList(list, { name: domain }));
  if (outcome.kind !== 'started') throw new Error(`not started: ${outcome.kind}`);
}
const end = async (graceMs: number): Promise<void> => {
  const startedAt = performance.now();
  await jobs.close(graceMs);
  await store.close();
  tell({ kind: 'closed', afterMs: Math.round(performance.now() - startedAt) });
};
// Where no small file system can be had: the store's own word for one.
let isFull = false;
process.on('SIGUSR2', () => {
  isFull = !isFull;
  void store.limitPages(isFull ? 1 : null);
});
let isTold = false;
process.once('SIGTERM', () => {
  isTold = true;
  void end(8_000);
});

tell({ kind: 'ready' });
const { items } = await jobs.list(firstJobs);
const follow = async (id: string): Promise<void> => {
  const snapshots = await jobs.watch(id, new AbortController().signal);
  for await (const { job } of snapshots ?? [])
    tell({ kind: 'moved', settled: job.counters.settled, waiting: job.counters.waiting });
};
await Promise.all(items.map(({ id }) => follow(id)));
if (!isTold) await end(1_000);
