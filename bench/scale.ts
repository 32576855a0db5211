/**
 * `npm run bench:scale [-- store workers]`: a cluster on this machine, PostgreSQL from the npm package with durable commits.
 *
 * `store`: rows settled a second by one process whose verifications cost nothing, its database beside it. `workers`: one,
 * two and four worker processes, each its own source, ask exchanges that are 50 ms away; then how late a subscriber at
 * another node sees what was committed, and what an idle cluster takes.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, follow, type ProgressEvent, progressDocument, start, upload } from './bulk-client.ts';
import { startBenchPostgres } from './scale-postgres.ts';
import type { StoreOptions, StoreProgress } from './scale-store.ts';
import { type MainProcess, readCpuSeconds, startMain } from './serve-process.ts';
import { print, printLoad, verdictOn } from './smtp-engine.ts';
import { startSmtpPeer } from './smtp-peer.ts';
import { startPeer } from './smtp-process.ts';
import { startProxy } from './smtp-proxy.ts';

const rows = Number(process.env.BENCH_ROWS ?? 1_000_000);
const roundTripMs = 50;
const exchanges = 10;
/** Half a minute for one: an exchange answers one recipient a round trip and session. */
const rowsAWorker = 12_000;
/** Small enough that each chunk has some of every exchange: then all workers have work to the end. */
const domains = 500;
const idleSeconds = 10;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const benchStore = async (): Promise<void> => {
  const postgres = await startBenchPostgres();
  try {
    const options: StoreOptions = {
      url: await postgres.createDatabase(),
      rows,
      domains: Math.ceil(rows / 20),
    };
    console.log(`${print(rows)} rows into PostgreSQL, verifications cost nothing (${printLoad()})`);
    const flags = ['--max-old-space-size=384', '--max-semi-space-size=8'];
    const child = await startPeer(
      new URL('./scale-store.ts', import.meta.url).pathname,
      options,
      'anywhere',
      flags,
    );
    let state: StoreProgress;
    do {
      await wait(1_000);
      state = await child.ask<StoreProgress>('state');
    } while (state.settledSeconds === null);
    await child.close();
    const perSecond = rows / state.settledSeconds;
    console.log(
      `  taken in ${print(rows / (state.takenInSeconds ?? 1))} rows/s, settled ${print(perSecond)} rows/s`,
    );
    console.log(verdictOn('10,000 settled rows/s', perSecond >= 10_000));
    console.log(`  most RSS ${print(state.mostRssMb)} MB`);
    console.log(verdictOn('under 400 MB', state.mostRssMb < 400));
    const sizes = await postgres.run(
      options.url,
      `SELECT regexp_replace(c.relname, '_\\d+$', '') AS name, sum(pg_total_relation_size(c.oid))::bigint AS octets
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname IN ('rcpt', 'rcpt_queue') AND c.relkind = 'r' GROUP BY 1 ORDER BY 2 DESC LIMIT 5`,
    );
    console.log(
      `  octets a row: ${sizes.map(({ name, octets }) => `${name} ${(Number(octets) / rows).toFixed(0)}`).join(', ')}`,
    );
  } finally {
    await postgres.stop();
  }
};

const startNode = (
  command: 'serve' | 'worker',
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<MainProcess> =>
  startMain(command, name, { RCPT_SOURCE: name, ...env }, ['--max-old-space-size=384']);

const startList = async (gateway: MainProcess, addresses: readonly string[]): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'rcpt-bench-'));
  try {
    const path = join(dir, 'list.csv');
    const text = `email\n${addresses.join('\n')}\n`;
    await writeFile(path, text);
    return await start(gateway.url, await upload(gateway.url, path, text.length));
  } finally {
    await rm(dir, { recursive: true });
  }
};

/** Seconds from start to the last row; and how long after the store each count was seen, in milliseconds. */
const runList = async (
  gateway: MainProcess,
  list: readonly string[],
): Promise<{ seconds: number; lags: readonly number[] }> => {
  const id = await startList(gateway, list);
  const startedAt = performance.now();
  const seen: { at: number; settled: number }[] = [];
  let isOver = false;
  const stored: { at: number; settled: number }[] = [];
  const polling = (async () => {
    while (!isOver) {
      const { bulkJob } = await ask<{ bulkJob: { progress: { settled: number } } }>(
        gateway.url,
        'query($id: ID!) { bulkJob(id: $id) { progress { settled } } }',
        { id },
      );
      stored.push({ at: performance.now(), settled: bulkJob.progress.settled });
      await wait(25);
    }
  })();
  for await (const { bulkJobProgress } of follow<ProgressEvent>(gateway.url, progressDocument, { id }))
    seen.push({ at: performance.now(), settled: bulkJobProgress.progress.settled });
  const seconds = (performance.now() - startedAt) / 1_000;
  isOver = true;
  await polling;
  let next = 0;
  const lags = stored.map(({ at, settled }) => {
    while (next < seen.length - 1 && (seen[next]?.settled ?? 0) < settled) next++;
    return Math.max(0, (seen[next]?.at ?? Number.POSITIVE_INFINITY) - at);
  });
  return { seconds, lags };
};

const benchWorkers = async (): Promise<void> => {
  const postgres = await startBenchPostgres();
  const peerIps = Array.from({ length: exchanges }, (_, n) => `127.31.0.${n + 1}`);
  const proxyIp = '127.31.1.1';
  const peer = await startSmtpPeer(
    {
      servers: peerIps.map((ip) => ({ ip, manner: 'withoutPipelining' as const })),
      addresses: peerIps.map(() => proxyIp),
    },
    'anywhere',
  );
  const proxy = await startProxy({
    ip: proxyIp,
    target: { ip: peerIps[0] ?? '', port: peer.ready.port },
    roundTripMs,
  });
  console.log(
    `workers that ask ${exchanges} exchanges ${roundTripMs} ms away, without PIPELINING, 4 sessions each and source (${printLoad()})`,
  );
  try {
    const paces: number[] = [];
    for (const count of [1, 2, 4]) {
      const env = {
        DATABASE_URL: await postgres.createDatabase(),
        RCPT_PORT: '0',
        RCPT_HELO_NAME: 'probe.rcpt.test',
        RCPT_DNS_SERVERS: peer.ready.dnsServer,
        RCPT_SMTP_PORT: String(proxy.ready.port),
        RCPT_ALLOW_HOSTS: '127.0.0.0/8',
        RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
      };
      const gateway = await startNode('serve', 'gateway', { ...env, RCPT_WORKER_CHUNKS: '0' });
      const workers: MainProcess[] = [];
      for (let n = 0; n < count; n++)
        workers.push(await startNode('worker', `worker-${n}`, { ...env, RCPT_WORKER_CHUNKS: '8' }));
      const list = Array.from(
        { length: rowsAWorker * count },
        (_, row) => `user${row}@d${row % domains}.e${row % exchanges}.bench.test`,
      );
      const { seconds, lags } = await runList(gateway, list);
      const pace = list.length / seconds;
      paces.push(pace);
      console.log(
        `  ${count} worker${count === 1 ? '' : 's'}: ${print(pace)} rows/s, ${(pace / (paces[0] ?? pace)).toFixed(2)} times one`,
      );
      if (count === 2) {
        const sorted = lags.toSorted((a, b) => a - b);
        const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
        console.log(
          `  committed by a worker, seen at the gateway: p50 ${at(0.5).toFixed(0)}, p95 ${at(0.95).toFixed(0)} ms (${lags.length} states)`,
        );
        console.log(verdictOn('p95 under 300 ms', at(0.95) < 300));
        await wait(3_000);
        const nodes = [gateway, ...workers];
        const before = nodes.map(({ child }) => readCpuSeconds(child.pid));
        await wait(idleSeconds * 1_000);
        const shares = nodes.map(
          (node, n) => ((readCpuSeconds(node.child.pid) - (before[n] ?? 0)) / idleSeconds) * 100,
        );
        console.log(`  idle: ${shares.map((share) => share.toFixed(1)).join(', ')} % of a core a process`);
        console.log(verdictOn('under 1 %', Math.max(...shares) < 1));
      }
      for (const node of [...workers, gateway]) await node.stop();
    }
    const [one = 1, two = 0, four = 0] = paces;
    console.log(verdictOn('1.8 times with two', two / one >= 1.8));
    console.log(verdictOn('3.4 times with four', four / one >= 3.4));
  } finally {
    await proxy.close();
    await peer.close();
    await postgres.stop();
  }
};

const benches = { store: benchStore, workers: benchWorkers };
const asked = process.argv.slice(2);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const [name, run] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) await run();
