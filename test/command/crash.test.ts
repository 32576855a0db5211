import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countExamples, exampleList } from '../../src/sandbox/index.ts';
import { ask } from './ask.ts';
import { type RunningGateway, startRcpt } from './process.ts';

const rows = 5_000;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rcpt-crash-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

type Snapshot = { readonly state: string; readonly settled: number; readonly total: number };

/** Progress by server-sent events, as curl would read it. */
async function* follow({ url }: RunningGateway, id: string): AsyncGenerator<Snapshot> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query:
        'subscription($id: ID!) { bulkJobProgress(id: $id) { job { state } progress { settled total } } }',
      variables: { id },
    }),
    signal: AbortSignal.timeout(60_000),
  });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (\{.*)$/m.exec(event)?.[1];
      if (!data) continue;
      const { job, progress } = JSON.parse(data).data.bulkJobProgress;
      yield { state: job.state, ...progress };
    }
  }
}

test('kill -9 during a job of 5,000 rows: started again, it completes, each row once', async () => {
  const list = exampleList(rows);
  const env = { RCPT_DATA_DIR: dataDir, RCPT_GREYLIST_RETRY: '4s,4s,4s' };
  const first = await startRcpt('sandbox', env);
  const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
    first,
    'mutation($input: StartBulkJobInput!) { startBulkJob(input: $input) { ... on BulkJob { id } } }',
    { input: { name: 'crash', source: { addresses: list } } },
  );
  const { id } = startBulkJob;
  let settledAtCrash = 0;
  for await (const { settled } of follow(first, id)) {
    settledAtCrash = settled;
    if (settled > 0) break;
  }
  await first.stop('SIGKILL');
  expect(settledAtCrash).toBeGreaterThan(0);
  expect(settledAtCrash).toBeLessThan(rows);

  const second = await startRcpt('sandbox', env);
  try {
    let last: Snapshot | null = null;
    for await (const snapshot of follow(second, id)) last = snapshot;
    expect(last).toEqual({ state: 'COMPLETED', settled: rows, total: rows });

    type Page = {
      bulkJob: {
        results: {
          totalCount: number;
          pageInfo: { hasNextPage: boolean; endCursor: string };
          edges: { node: { row: number; address: string; reason: string } }[];
        };
      };
    };
    const found: { row: number; address: string; reason: string }[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Page = await ask(
        second,
        'query($id: ID!, $after: String) { bulkJob(id: $id) { results(first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { row address reason } } } } }',
        { id, after },
      );
      const { edges, pageInfo, totalCount } = page.bulkJob.results;
      expect(totalCount).toBe(rows);
      found.push(...edges.map(({ node }) => node));
      after = pageInfo.endCursor;
      more = pageInfo.hasNextPage;
    }
    const inOrder = found.toSorted((a, b) => a.row - b.row);
    expect(inOrder.map(({ row, address }) => ({ row, address }))).toEqual(
      list.map((address, n) => ({ row: n + 1, address })),
    );
    const byReason = Object.groupBy(found, ({ reason }) => reason);
    expect(
      Object.fromEntries(Object.entries(byReason).map(([reason, some]) => [reason, some?.length])),
    ).toEqual(countExamples(rows, { isRetried: true }));
  } finally {
    await second.stop('SIGTERM');
  }
}, 120_000);
