/** Results as they settle, over real streams that break: by a cursor each position comes exactly once, in order. */
import { createClient } from 'graphql-ws';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Reason } from '../../src/verdict/index.ts';
import { readOperation } from '../graphql/run.ts';
import { fakeVerify } from '../jobs/fakes.ts';
import { readEvents } from './events.ts';
import { type Lists, openLists } from './lists.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Batch = { readonly cursor: string; readonly results: readonly { readonly position: number }[] };
type Part = { readonly batches: readonly Batch[]; readonly isComplete: boolean };

const query = readOperation('BulkJobResults');
const total = 6_000;
const reconnects = 20;

/** Verification that takes a moment, so that results settle while they are read. */
const open = async (): Promise<Lists> => {
  const { verify } = fakeVerify(async (): Promise<Reason> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return 'MAILBOX_EXISTS';
  });
  const lists = await openLists({ maxRows: total }, {}, { verify });
  closers.push(lists.close);
  return lists;
};

const bySse =
  (lists: Lists) =>
  async (id: string, after: string | null, most: number): Promise<Part> => {
    const hangUp = new AbortController();
    const response = await fetch(`${lists.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables: { id, after } }),
      signal: hangUp.signal,
    });
    const batches: Batch[] = [];
    for await (const { event, data } of readEvents(response)) {
      if (event === 'complete') return { batches, isComplete: true };
      batches.push(JSON.parse(data).data.bulkJobResults);
      if (batches.length === most) break;
    }
    hangUp.abort();
    return { batches, isComplete: false };
  };

const bySocket =
  (lists: Lists) =>
  async (id: string, after: string | null, most: number): Promise<Part> => {
    const client = createClient({
      url: `${lists.origin.replace('http:', 'ws:')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const batches: Batch[] = [];
    try {
      for await (const { data } of client.iterate<{ bulkJobResults: Batch }>({
        query,
        variables: { id, after },
      })) {
        if (!data) throw new Error('no data');
        batches.push(data.bulkJobResults);
        if (batches.length === most) return { batches, isComplete: false };
      }
      return { batches, isComplete: true };
    } finally {
      // No word of farewell: the connection is gone, as on a lost line.
      client.terminate();
    }
  };

test.each([
  ['SSE', bySse],
  ['graphql-ws', bySocket],
])('by %s, with 20 reconnects and a page of the connection between', async (_name, connect) => {
  const lists = await open();
  const { id } = await lists.start({
    source: { addresses: Array.from({ length: total }, (_, index) => `user${index}@mail.test`) },
  });
  const read = connect(lists);
  const positions: number[] = [];
  let cursor: string | null = null;
  let isComplete = false;
  for (let count = 0; !isComplete; count++) {
    const part: Part = await read(String(id), cursor, count < reconnects ? 1 : Number.POSITIVE_INFINITY);
    positions.push(...part.batches.flatMap(({ results }) => results.map(({ position }) => position)));
    cursor = part.batches.at(-1)?.cursor ?? cursor;
    isComplete = part.isComplete;
    if (count !== 3) continue;
    const { bulkJob } = await lists.ask(
      'query ($id: ID!, $after: String) { bulkJob(id: $id) { results(first: 5, after: $after) { edges { cursor node { position } } } } }',
      { id, after: cursor },
    );
    const { results = {} } = bulkJob ?? {};
    const { edges } = results as { edges: { cursor: string; node: { position: number } }[] };
    positions.push(...edges.map(({ node }) => node.position));
    cursor = edges.at(-1)?.cursor ?? cursor;
  }
  expect(positions).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(lists.errors).toEqual([]);
});

test('a cursor of another list, and a job that is not there', async () => {
  const lists = await open();
  const { id } = await lists.start({ source: { addresses: ['ada@mail.test'] } });
  const ask = async (variables: Record<string, unknown>) => {
    const response = await fetch(`${lists.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables }),
    });
    const { value } = await readEvents(response).next();
    return JSON.parse(value?.data ?? '').errors[0].extensions.code;
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64url');
  expect(await ask({ id, after: base64('bulkJobs:7') })).toBe('BAD_CURSOR');
  expect(await ask({ id: base64(`BulkJob:${crypto.randomUUID()}`) })).toBe('NOT_FOUND');
});
