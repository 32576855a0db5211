/** urql: over fetch alone, with server-sent events; and with a WebSocket. */
import { CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { toAsyncIterable } from 'wonka';
import { createUrqlClient } from '../../examples/urql.ts';
import { readOperation } from '../graphql/run.ts';
import { openUrqlFetch, openUrqlWebSocket } from './adapters/urql.ts';
import { describeClient } from './contract.ts';
import { useGateway } from './gateway.ts';

const world = useGateway();
describeClient('urql over fetch', world, openUrqlFetch);

describeClient('urql with a WebSocket', world, openUrqlWebSocket);

test('a file', async () => {
  const client = createUrqlClient(world.line.url);
  const file = new File(['user1@accepts.test\n'], 'list.csv');
  const { data, error } = await client.mutation(readOperation('StartBulkJob'), {
    input: { source: { file } },
  });
  expect(error).toBeUndefined();
  expect(data).toMatchObject({ startBulkJob: { __typename: 'BulkJob' } });
});

test('@defer: what is known at once comes first', async () => {
  const client = createUrqlClient(world.line.url);
  const query =
    '{ email(address: "Anna@accepts.test") { normalized ... @defer { verification { status } } } }';
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
