/** Sandbox bulk addresses/s: a job from list to COMPLETED through DNS, SMTP, verdict and SQLite, peers in another process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openEngine } from '../src/command/engine.ts';
import { readConfig } from '../src/config.ts';
import { createJobs } from '../src/jobs/index.ts';
import { exampleList } from '../src/sandbox/index.ts';
import { openDataDir } from '../src/store/index.ts';
import { startSandboxProcess } from './sandbox-process.ts';

const rows = 20_000;

export const benchBulk = async (): Promise<void> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rcpt-bench-'));
  const sandbox = await startSandboxProcess();
  const config = {
    ...readConfig({ RCPT_HELO_NAME: 'probe.rcpt.test', RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0' }),
    ...sandbox,
  };
  const store = openDataDir(dataDir);
  const onError = (error: unknown) => console.error(error);
  const engine = openEngine(config, store.verifications, onError);
  const jobs = createJobs({
    store: store.jobs,
    uploads: null,
    webhooks: null,
    verify: engine.verifier.verify,
    retentionMs: 86_400_000,
    retrySchedule: [],
    onError,
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  try {
    delay.enable();
    const startedAt = performance.now();
    const outcome = await jobs.start({
      source: { kind: 'addresses', addresses: exampleList(rows) },
      name: 'bench',
      column: null,
      maxAgeSeconds: null,
      retentionSeconds: null,
      webhook: null,
      idempotencyKey: null,
      owner: null,
    });
    if (outcome.kind !== 'started') throw new Error(`the job did not start: ${outcome.kind}`);
    const snapshots = await jobs.watch(outcome.job.id, AbortSignal.timeout(300_000));
    let counters = outcome.job.counters;
    for await (const { job } of snapshots ?? []) counters = job.counters;
    const seconds = (performance.now() - startedAt) / 1_000;
    delay.disable();
    if (counters.settled !== rows) throw new Error(`${counters.settled} of ${rows} rows settled`);
    const { sessionsOpened, commandsSent } = engine.prober.stats;
    console.log(
      [
        'bulk (sandbox in another process, 20,000 rows)',
        `  ${Math.round(rows / seconds).toLocaleString('en')} addresses/s, ${seconds.toFixed(1)} s`,
        `  ${sessionsOpened} sessions, ${commandsSent} SMTP commands, ${engine.dns.queriesSent} DNS queries`,
        `  event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms, RSS ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
        `  deliverable ${counters.deliverable}, undeliverable ${counters.undeliverable}, risky ${counters.risky}, unknown ${counters.unknown}`,
      ].join('\n'),
    );
  } finally {
    await jobs.close(1_000);
    await engine.close();
    store.close();
    await sandbox.close();
    await rm(dataDir, { recursive: true });
  }
};
