/**
 * `settled rows/s into PostgreSQL`: a process of its own that takes a list and settles it with a verification that
 * costs nothing, so that what is measured is jobs, queue and store. Its database is on the same two cores.
 */
import { createJobs } from '../src/jobs/index.ts';
import { openPostgresStore } from '../src/store/index.ts';
import type { Verification } from '../src/verify/index.ts';
import { serveParent } from './smtp-process.ts';

export type StoreOptions = { readonly url: string; readonly rows: number; readonly domains: number };

export type StoreProgress = {
  readonly takenInSeconds: number | null;
  readonly settledSeconds: number | null;
  readonly settled: number;
  readonly rssMb: number;
  readonly mostRssMb: number;
};

if (import.meta.main) {
  const { url, rows, domains }: StoreOptions = JSON.parse(process.argv[2] ?? '');
  const onError = (error: unknown) => console.error(error);
  const store = await openPostgresStore({ url, source: 'bench', connections: 10, leaseMs: 360_000, onError });
  const jobs = createJobs({
    store: store.jobs,
    uploads: null,
    webhooks: null,
    wire: store.wire,
    retentionMs: 86_400_000,
    retrySchedule: [],
    maxRows: rows,
    verify: async (parsed) =>
      ({
        status: 'DELIVERABLE',
        reason: 'MAILBOX_EXISTS',
        score: 95,
        checkedAt: new Date(),
        retryAt: null,
        evidence: {
          kind: 'probe',
          facts: { provider: null },
          probe: {
            exchange: `mx.${parsed.kind === 'address' ? parsed.address.domain : ''}`,
            reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
          },
        },
      }) as unknown as Verification,
    onError,
  });
  const list = function* (): Generator<string> {
    for (let row = 0; row < rows; row++)
      yield `user${row}@d${row % 2 === 0 ? row % 5 : row % domains}.bench.test`;
  };
  let mostRss = 0;
  setInterval(() => {
    mostRss = Math.max(mostRss, process.memoryUsage.rss());
  }, 50);
  let takenInSeconds: number | null = null;
  let settledSeconds: number | null = null;
  let settled = 0;
  const run = async (): Promise<void> => {
    const startedAt = performance.now();
    const outcome = await jobs.start({
      source: { kind: 'addresses', addresses: list() },
      name: 'bench',
      column: null,
      maxAgeSeconds: null,
      retentionSeconds: null,
      webhook: null,
      idempotencyKey: null,
      owner: null,
    });
    if (outcome.kind !== 'started') throw new Error(`the job did not start: ${outcome.kind}`);
    const beganAt = performance.now();
    takenInSeconds = (beganAt - startedAt) / 1_000;
    const snapshots = await jobs.watch(outcome.job.id, AbortSignal.timeout(600_000));
    for await (const { job } of snapshots ?? []) settled = job.counters.settled;
    settledSeconds = (performance.now() - beganAt) / 1_000;
  };
  void run();
  serveParent({}, (): StoreProgress => {
    const rss = process.memoryUsage.rss();
    return {
      takenInSeconds,
      settledSeconds,
      settled,
      rssMb: rss / 1e6,
      mostRssMb: Math.max(mostRss, rss) / 1e6,
    };
  });
}
