/**
 * `npm run bench:bulk [-- million subscribers cursor]`: a list from file to file through a real gateway over HTTP, its
 * mail servers and name server in another process, on loopback. Interactive queries go on meanwhile.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  ask,
  download,
  follow,
  type ProgressEvent,
  progressDocument,
  start,
  subscribeSilently,
  upload,
} from './bulk-client.ts';
import { type GatewayProcess, type GatewayStats, startBenchGateway } from './bulk-gateway.ts';
import { addressOf, hosters, providers, writeList } from './bulk-list.ts';
import { startFlags } from './serve-process.ts';
import { print, printLoad, verdictOn } from './smtp-engine.ts';
import { startSmtpPeer } from './smtp-peer.ts';

const million = Number(process.env.BENCH_ROWS ?? 1_000_000);
const smaller = 100_000;
const everyMs = 50;
const readers = 90;
const silent = 10;
const reconnects = 20;

type World = { readonly gateway: GatewayProcess; readonly dir: string };

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
const printStats = ({ rssMb, mostRssMb, loopDelayMs, cpuSeconds }: GatewayStats): string =>
  `RSS ${rssMb.toFixed(0)} MB (most ${mostRssMb.toFixed(0)}), event loop delay p50 ${loopDelayMs.p50.toFixed(0)}, p99 ${loopDelayMs.p99.toFixed(0)}, most ${loopDelayMs.max.toFixed(0)} ms, ${cpuSeconds.toFixed(0)} s of processor time`;

/** One address after another, never asked before, as a sign-up form asks; gives how long each took. */
const askMeanwhile = (url: string): (() => Promise<readonly number[]>) => {
  let isOver = false;
  const asking = (async () => {
    const tookMs: number[] = [];
    for (let row = 0; !isOver; row++) {
      const startedAt = performance.now();
      const { email } = await ask<{ email: { verification: { status: string } } }>(
        url,
        'query($address: String!) { email(address: $address) { verification { status } } }',
        { address: `user-at-the-form-${row}@d1.e${row % providers}.bench.test` },
      );
      if (email.verification.status !== 'DELIVERABLE')
        throw new Error(`the form was told ${email.verification.status}`);
      tookMs.push(performance.now() - startedAt);
      await wait(everyMs);
    }
    return tookMs.toSorted((a, b) => a - b);
  })();
  return () => {
    isOver = true;
    return asking;
  };
};

/** Each row of the output is the caller's own with a verdict behind it, in the caller's order. */
const checkOutput = async (path: string, rows: number): Promise<void> => {
  let row = -1;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (row >= 0) {
      const address = addressOf(row, rows);
      if (
        !line.startsWith(`${row + 1},`) ||
        !line.includes(`,${address},Berlin,`) ||
        !/,(?:DELIVERABLE|UNDELIVERABLE|RISKY|UNKNOWN),/.test(line)
      )
        throw new Error(`row ${row + 1} is not what was given: ${line}`);
    }
    row++;
  }
  if (row !== rows) throw new Error(`${row} rows came back, ${rows} were given`);
};

const benchMillion = async ({ gateway, dir }: World): Promise<void> => {
  const { url } = gateway.ready;
  const [input, output] = [join(dir, 'list.csv'), join(dir, 'results.csv')];
  const octets = await writeList(input, million);
  console.log(
    `${print(million)} rows, ${print(octets / 1e6)} MB: half at ${providers} providers, the rest at ${print(million / 20)} domains of ${hosters} hosters (${printLoad()})`,
  );
  const before = await gateway.ask<GatewayStats>('stats');
  console.log(`  before: RSS ${before.rssMb.toFixed(0)} MB`);
  const endAsking = askMeanwhile(url);
  const startedAt = performance.now();
  const sinceStart = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  const uploadId = await upload(url, input, octets);
  const uploaded = await gateway.ask<GatewayStats>('stats');
  console.log(`  uploaded after ${sinceStart()}: ${printStats(uploaded)}`);
  const id = await start(url, uploadId);
  const taken = await gateway.ask<GatewayStats>('stats');
  console.log(`  taken in after ${sinceStart()}: ${printStats(taken)}`);
  const all = [uploaded, taken];
  let quarter = 1;
  let settled = 0;
  for await (const { bulkJobProgress } of follow<ProgressEvent>(url, progressDocument, { id })) {
    settled = bulkJobProgress.progress.settled;
    if (settled < (million * quarter) / 4) continue;
    const stats = await gateway.ask<GatewayStats>('stats');
    all.push(stats);
    console.log(`  ${25 * quarter} % after ${sinceStart()}: ${printStats(stats)}`);
    quarter++;
  }
  if (settled !== million) throw new Error(`${settled} of ${million} rows settled`);
  const written = await download(url, id, output);
  const seconds = (performance.now() - startedAt) / 1_000;
  const last = await gateway.ask<GatewayStats>('stats');
  all.push(last);
  console.log(`  ${print(written / 1e6)} MB downloaded after ${sinceStart()}: ${printStats(last)}`);
  const tookMs = await endAsking();
  await checkOutput(output, million);
  console.log(
    `  file to file: ${print(million / seconds)} rows/s; database ${print((await stat(join(dir, 'data', 'rcpt.sqlite'))).size / 1e6)} MB`,
  );
  console.log(verdictOn('10,000 rows/s', million / seconds >= 10_000));
  const mostRss = Math.max(...all.map(({ mostRssMb }) => mostRssMb));
  console.log(`  most RSS ${mostRss.toFixed(0)} MB`);
  console.log(verdictOn('under 300 MB', mostRss < 300));
  const p99 = Math.max(...all.map(({ loopDelayMs }) => loopDelayMs.p99));
  console.log(`  worst p99 of the event loop's delay ${p99.toFixed(0)} ms`);
  console.log(verdictOn('under 50 ms', p99 < 50));
  console.log(
    `  ${tookMs.length} interactive queries meanwhile, each a new address: p50 ${share(tookMs, 0.5).toFixed(0)} ms, p99 ${share(tookMs, 0.99).toFixed(0)} ms, longest ${share(tookMs, 1).toFixed(0)} ms`,
  );
};

const startSmaller = async ({ gateway, dir }: World): Promise<string> => {
  const { url } = gateway.ready;
  const input = join(dir, 'smaller.csv');
  const octets = await writeList(input, smaller);
  return start(url, await upload(url, input, octets));
};

const benchSubscribers = async (world: World): Promise<void> => {
  const { gateway } = world;
  const { url } = gateway.ready;
  const id = await startSmaller(world);
  const before = await gateway.ask<GatewayStats>('stats');
  console.log(
    `${readers + silent} subscribers to a job of ${print(smaller)} rows, ${silent} of which never read`,
  );
  const ends = await Promise.all(Array.from({ length: silent }, () => subscribeSilently(url, id)));
  /** Per reader, when it saw at least how many rows. */
  const seen: { at: number; settled: number }[][] = [];
  const following = Array.from({ length: readers }, async () => {
    const mine: { at: number; settled: number }[] = [];
    seen.push(mine);
    for await (const { bulkJobProgress } of follow<ProgressEvent>(url, progressDocument, { id }))
      mine.push({ at: performance.now(), settled: bulkJobProgress.progress.settled });
  });
  const polled: { at: number; settled: number }[] = [];
  let isOver = false;
  const polling = (async () => {
    while (!isOver) {
      const { bulkJob } = await ask<{ bulkJob: { progress: { settled: number } } }>(
        url,
        'query($id: ID!) { bulkJob(id: $id) { progress { settled } } }',
        { id },
      );
      polled.push({ at: performance.now(), settled: bulkJob.progress.settled });
      await wait(everyMs / 2);
    }
  })();
  await Promise.all(following);
  isOver = true;
  await polling;
  for (const end of ends) end();
  const lags = seen
    .flatMap((mine) => {
      let next = 0;
      return polled.map(({ at, settled }) => {
        while (next < mine.length - 1 && (mine[next]?.settled ?? 0) < settled) next++;
        return Math.max(0, (mine[next]?.at ?? Number.POSITIVE_INFINITY) - at);
      });
    })
    .toSorted((a, b) => a - b);
  const after = await gateway.ask<GatewayStats>('stats');
  console.log(
    `  ${print(lags.length)} states of the store, each seen by every reader: after p50 ${share(lags, 0.5).toFixed(0)} ms, p99 ${share(lags, 0.99).toFixed(0)} ms, at most ${share(lags, 1).toFixed(0)} ms`,
  );
  console.log(verdictOn('within 250 ms', share(lags, 0.99) < 250));
  console.log(`  RSS ${before.rssMb.toFixed(0)} MB before, ${printStats(after)}`);
};

const benchCursor = async (world: World): Promise<void> => {
  const { url } = world.gateway.ready;
  const id = await startSmaller(world);
  let cursor: string | null = null;
  let position = 0;
  let connections = 0;
  const startedAt = performance.now();
  const document =
    'subscription($id: ID!, $after: String) { bulkJobResults(id: $id, after: $after) { cursor results { position address } } }';
  type Batch = { bulkJobResults: { cursor: string; results: { position: number }[] } };
  for (let isLast = false; !isLast; ) {
    connections++;
    isLast = connections > reconnects;
    // Some rows more or less than the twentieth part, so that connections end anywhere in the stream.
    const until = position + Math.ceil((Math.random() * 2 * smaller) / (reconnects + 1));
    for await (const { bulkJobResults } of follow<Batch>(url, document, { id, after: cursor })) {
      for (const result of bulkJobResults.results)
        if (result.position !== ++position)
          throw new Error(`position ${result.position} came instead of ${position}`);
      cursor = bulkJobResults.cursor;
      if (!isLast && position >= until) break;
    }
  }
  if (position !== smaller) throw new Error(`${position} of ${smaller} results came`);
  console.log(
    `results by cursor: ${connections - 1} reconnects during ${print(smaller)} rows, each position once and in order, ${print(smaller / ((performance.now() - startedAt) / 1_000))} rows/s`,
  );
};

const benches = { million: benchMillion, subscribers: benchSubscribers, cursor: benchCursor };

const asked = process.argv.slice(2);
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}; gateway with ${startFlags.join(' ') || 'no flags'}, as npm start`,
);
for (const [name, run] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const dir = await mkdtemp(join(tmpdir(), 'rcpt-bench-'));
  const peer = await startSmtpPeer(
    {
      servers: Array.from({ length: providers + hosters }, (_, n) => ({
        ip: `127.30.0.${n + 1}`,
        manner: 'honest' as const,
      })),
    },
    'anywhere',
  );
  const { port: smtpPort, dnsServer } = peer.ready;
  const gateway = await startBenchGateway({ dataDir: join(dir, 'data'), dnsServer, smtpPort });
  try {
    await run({ gateway, dir });
  } finally {
    await gateway.close();
    await peer.close();
    await rm(dir, { recursive: true });
  }
}
