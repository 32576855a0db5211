/**
 * A process that works on the store in `process.argv[2]` until it is killed or the job has ended. `start` as the next
 * argument puts a list of so many rows in first; each verification is written down as one line on standard output.
 */
import { createJobs } from '../../src/jobs/index.ts';
import { openDataDir } from '../../src/store/index.ts';
import { addresses, textOf, verdictOf } from './verdicts.ts';

const [, , dir = '', mode, count = '0'] = process.argv;
const store = openDataDir(dir);
const jobs = createJobs({
  store: store.jobs,
  retentionMs: 86_400_000,
  retrySchedule: [300],
  concurrency: { chunks: 3, rowsPerChunk: 40 },
  onError: (error) => {
    throw error;
  },
  verify: async (address, { maxAgeSeconds }) => {
    const text = textOf(address);
    // Deterministic: the same row takes as long and says the same in every life.
    const number = Number(/\d+/.exec(text)?.[0]);
    await new Promise((resolve) => setTimeout(resolve, 1 + (number % 9)));
    const isGrey = number % 10 === 3 && maxAgeSeconds !== 0;
    return verdictOf(address, isGrey ? 'GREYLISTED' : 'MAILBOX_EXISTS', isGrey ? new Date() : null);
  },
});

if (mode === 'start') {
  // Every twentieth row names a mailbox again.
  const list = addresses(Number(count)).flatMap((text, n) => (n % 20 === 0 ? [text, text] : [text]));
  await jobs.start({ name: null, addresses: list, idempotencyKey: null, inputHash: null });
}
const job = (await jobs.list({ limit: 1, afterId: null })).items[0];
if (job === undefined) throw new Error('there is no job');
process.stdout.write('ready\n');
const snapshots = await jobs.watch(job.id, new AbortController().signal);
for await (const { job: now } of snapshots ?? []) process.stdout.write(`${now.counters.settled}\n`);
await jobs.close(1_000);
store.close();
