/** urql: over fetch alone, with server-sent events; and with a WebSocket. */
import { CombinedError, type Client } from '@urql/core';
import { expect, test } from 'vitest';
import { toAsyncIterable } from 'wonka';
import { createUrqlClient } from '../../examples/urql.ts';
import { createUrqlWebSocketClient } from '../../examples/urql-websocket.ts';
import { readOperation } from '../graphql/run.ts';
import { type ClientUnderTest, describeClient } from './contract.ts';
import { type Progress, type Row, useGateway } from './gateway.ts';
import { again, progressOf } from './progress.ts';

const world = useGateway();
const [verifyEmail, startBulkJob, bulkJobProgress, bulkJobResults] = [
  'VerifyEmail',
  'StartBulkJob',
  'BulkJobProgress',
  'BulkJobResults',
].map(readOperation) as [string, string, string, string];

type Results = { bulkJobResults: { cursor: string; results: Row[] } };
type Watched = { bulkJobProgress: Progress };

/** A lost connection is a result with `networkError`, and refusals are in `graphQLErrors`. */
const subscribe = async function* <Data>(client: Client, query: string, variables: Record<string, unknown>) {
  for await (const { data, error } of toAsyncIterable(client.subscription<Data>(query, variables))) {
    if (error?.networkError) throw error.networkError;
    yield { data, errors: error?.graphQLErrors };
  }
};

const openUrql =
  (create: (url: string) => Client) =>
  (url: string): ClientUnderTest => {
    const client = create(url);
    return {
      verify: async (variables) => (await client.query(verifyEmail, variables)).data,
      start: async (variables) => (await client.mutation(startBulkJob, variables)).data,
      watch: (variables) => again(() => progressOf(subscribe<Watched>(client, bulkJobProgress, variables))),
      subscribe: (variables) => subscribe<Results>(client, bulkJobResults, { ...variables }),
      close: () => undefined,
    };
  };

describeClient('urql over fetch', world, openUrql(createUrqlClient));

describeClient('urql with a WebSocket', world, openUrql(createUrqlWebSocketClient));

test('a file', async () => {
  const client = createUrqlClient(world.line.url);
  const file = new File(['user1@accepts.test\n'], 'list.csv');
  const { data, error } = await client.mutation(readOperation('StartBulkJob'), { input: { source: { file } } });
  expect(error).toBeUndefined();
  expect(data).toMatchObject({ startBulkJob: { __typename: 'BulkJob' } });
});

test('@defer: what is known at once comes first', async () => {
  const client = createUrqlClient(world.line.url);
  const query = '{ email(address: "Anna@accepts.test") { normalized ... @defer { verification { status } } } }';
  const known: unknown[] = [];
  for await (const { data, hasNext, error } of toAsyncIterable(client.query(query, {}))) {
    expect(error).toBeUndefined();
    known.push(structuredClone(data));
    if (!hasNext) break;
  }
  const email = { normalized: 'Anna@accepts.test' };
  expect(known[0]).toEqual({ email });
  expect(known.at(-1)).toEqual({ email: { ...email, verification: { status: 'DELIVERABLE' } } });
});

test('what is wrong with a request is a CombinedError with codes', async () => {
  const { error } = await createUrqlClient(world.line.url).query('{ bulkJob(id: "nonsense") { id } }', {});
  expect(error).toBeInstanceOf(CombinedError);
  expect(error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'BAD_ID' });
});
