/** The protocols without a framework: graphql-ws, graphql-sse, fetch, EventSource. */
import { expect, test } from 'vitest';
import { askWithFile } from '../../examples/fetch-upload.ts';
import { createSseClient } from '../../examples/graphql-sse.ts';
import { createWebSocketClient } from '../../examples/graphql-ws.ts';
import { readOperation } from '../graphql/run.ts';
import { openEventSource, openPlainFetch, openSse, openWebSocket } from './adapters/protocols.ts';
import { describeClient } from './contract.ts';
import { useGateway } from './gateway.ts';

const world = useGateway();

describeClient('graphql-ws', world, openWebSocket);
describeClient('graphql-sse', world, openSse);
describeClient('fetch', world, openPlainFetch);
describeClient('EventSource', world, openEventSource);

test('fetch: a mutation with a file', async () => {
  const request = {
    query: readOperation('StartBulkJob'),
    variables: { input: { source: { file: null } } },
  };
  const file = new Blob(['email\nuser1@accepts.test\nuser2@accepts.test\n']);
  const upload = { path: 'variables.input.source.file', file, name: 'list.csv' };
  expect(await askWithFile(world.line.url, request, upload)).toMatchObject({
    data: { startBulkJob: { __typename: 'BulkJob', progress: { total: 2 } } },
  });
});

test('graphql-sse: what is refused with a status is not asked again', async () => {
  const client = createSseClient(world.line.url);
  const results = client.iterate({ query: readOperation('VerifyEmail'), variables: {} });
  await expect(Array.fromAsync(results)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  client.dispose();
});

test.each([
  ['graphql-ws', createWebSocketClient],
  ['graphql-sse', createSseClient],
] as const)('%s: @defer comes as results that say whether more follows', async (_name, create) => {
  const client = create(world.line.url);
  const query =
    '{ email(address: "Anna@accepts.test") { normalized ... @defer { verification { status } } } }';
  const results: unknown[] = await Array.fromAsync(client.iterate({ query }) as AsyncIterable<unknown>);
  expect(results[0]).toMatchObject({
    data: { email: { normalized: 'Anna@accepts.test' } },
    pending: [{ id: '0', path: ['email'] }],
    hasNext: true,
  });
  expect(results.slice(1)).toContainEqual(
    expect.objectContaining({
      incremental: [{ id: '0', data: { verification: { status: 'DELIVERABLE' } } }],
    }),
  );
  expect(results.at(-1)).toMatchObject({ hasNext: false });
  await client.dispose();
});

test('EventSource: a mutation is refused by GET', async () => {
  const query = 'mutation { createUpload(input: {}) { __typename } }';
  const response = await fetch(`${world.line.url}?${new URLSearchParams({ query })}`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(response.status).toBe(405);
  await response.body?.cancel();
});
