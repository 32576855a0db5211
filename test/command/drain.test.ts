import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countExamples, exampleList } from '../../src/sandbox/index.ts';
import { ask } from './ask.ts';
import { type RunningGateway, startRcpt } from './process.ts';

const rows = 2_000;
/** What an orchestrator gives a process between SIGTERM and SIGKILL at least. */
const longestMs = 10_000;
/** Servers that answer RCPT TO never, or an octet a second: their rows are under way whenever the signal comes. */
const slow = Array.from({ length: 40 }, (_, n) => `user${n}@${n % 2 ? 'hangs-at-rcpt' : 'tarpit'}.test`);

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rcpt-drain-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

type Job = {
  readonly bulkJob: {
    readonly state: string;
    readonly progress: { readonly settled: number; readonly total: number };
    readonly breakdown: { readonly byReason: readonly { readonly reason: string; readonly count: number }[] };
  };
};
const readJob = async (gateway: RunningGateway, id: string): Promise<Job['bulkJob']> =>
  (
    await ask<Job>(
      gateway,
      'query($id: ID!) { bulkJob(id: $id) { state progress { settled total } breakdown { byReason { reason count } } } }',
      { id },
    )
  ).bulkJob;

test('SIGTERM in the middle of a job: gone within ten seconds, streams ended, and the next process goes on', async () => {
  const env = { RCPT_DATA_DIR: dataDir, RCPT_GREYLIST_RETRY: '1s,1s,1s' };
  const first = await startRcpt('sandbox', env);
  const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
    first,
    'mutation($input: StartBulkJobInput!) { startBulkJob(input: $input) { ... on BulkJob { id } } }',
    { input: { source: { addresses: [...slow, ...exampleList(rows)] } } },
  );
  const { id } = startBulkJob;
  const stream = await fetch(first.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription($id: ID!) { bulkJobProgress(id: $id) { progress { settled } } }',
      variables: { id },
    }),
  });
  let told = '';
  for await (const text of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += text;
    if (Math.max(0, ...[...told.matchAll(/"settled":(\d+)/g)].map(([, n]) => Number(n))) > 200) break;
  }
  const watched = await fetch(first.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription($id: ID!) { bulkJobProgress(id: $id) { progress { settled } } }',
      variables: { id },
    }),
  });
  const startedAt = performance.now();
  const stopped = first.stop('SIGTERM');
  // The stream ends by itself: nothing is cut off.
  await watched.text();
  await stopped;
  expect(performance.now() - startedAt).toBeLessThan(longestMs);
  expect(first.child.exitCode).toBe(0);

  const second = await startRcpt('sandbox', env);
  try {
    const before = await readJob(second, id);
    expect(before.progress.settled).toBeGreaterThan(200);
    expect(before.progress.settled).toBeLessThan(rows + slow.length);
    let last = before;
    // The slow ones are still being asked: everybody else's row is there.
    while (last.progress.settled < rows) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await readJob(second, id);
    }
    expect(last.progress.total).toBe(rows + slow.length);
    const counts = new Map(last.breakdown.byReason.map(({ reason, count }) => [reason, count]));
    const expected = countExamples(rows, { isRetried: true });
    expect(counts.get('MAILBOX_EXISTS')).toBe(expected.MAILBOX_EXISTS);
    expect(counts.get('MAILBOX_NOT_FOUND')).toBe(expected.MAILBOX_NOT_FOUND);
  } finally {
    await second.stop('SIGTERM');
  }
}, 120_000);

test('with a delay it says that it ends and serves on, and then ends', async () => {
  const env = { RCPT_DATA_DIR: join(dataDir, 'delayed'), RCPT_SHUTDOWN_DELAY: '2s' };
  const gateway = await startRcpt('sandbox', env);
  const health = new URL('/health/ready', gateway.url);
  expect((await fetch(health)).status).toBe(200);
  const signalledAt = Date.now();
  const ended = gateway.stop('SIGTERM');
  let health503 = await fetch(health);
  while (health503.status === 200) health503 = await fetch(health);
  expect([health503.status, await health503.json()]).toEqual([503, { status: 'closing' }]);
  // A new connection and new work: who has not looked yet is served.
  const { email } = await ask<{ email: object }>(
    gateway,
    '{ email(address: "user1@accepts.test") { verification { reason } } }',
    {},
  );
  expect(email).toEqual({ verification: { reason: 'MAILBOX_EXISTS' } });
  expect(Date.now() - signalledAt).toBeLessThan(2_000);
  await ended;
  expect(Date.now() - signalledAt).toBeGreaterThanOrEqual(2_000);
  await expect(fetch(health)).rejects.toThrow();
});
