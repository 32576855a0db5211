/** A process that starts a job with a webhook at `argv[3]`, or goes on with what the directory holds, until it is killed. */
import { createJobs, createWebhooks } from '../../../src/jobs/index.ts';
import { createGuard } from '../../../src/smtp/index.ts';
import { openThreadedDataDir } from '../../../src/store/index.ts';
import { inlineList } from '../inputs.ts';
import { addresses, verdictOf } from '../verdicts.ts';

const [dir = '', url = '', secret = '', isFirst] = process.argv.slice(2);
const onError = (error: unknown): void => void process.stdout.write(`error ${error}\n`);
const store = await openThreadedDataDir(dir);
const jobs = createJobs({
  store: store.jobs,
  uploads: null,
  webhooks: {
    store: store.webhooks,
    sender: createWebhooks({
      store: store.webhooks,
      lookupAddresses: async () => ({ kind: 'none' }),
      guard: createGuard(['127.0.0.1']),
      printJobId: (id) => id,
      onError,
    }),
  },
  retentionMs: 86_400_000,
  retrySchedule: [],
  onError,
  verify: async (address) => verdictOf(address, 'MAILBOX_EXISTS'),
});
if (isFirst === 'first') {
  const webhook = { url, secret, tellsProgress: false };
  const outcome = await jobs.start(inlineList(addresses(1_000), { name: 'März', webhook }));
  process.stdout.write(`${outcome.kind}\n`);
}
process.once('SIGTERM', async () => {
  await jobs.close(1_000);
  const [job] = (await jobs.list({ limit: 1, afterId: null, owner: null, states: null, search: null })).items;
  const told = await jobs.deliveries(job?.id ?? '', { limit: 10, afterId: null });
  process.stdout.write(`${JSON.stringify(told.items)}\n`);
  await store.close();
});
