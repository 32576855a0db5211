/** Apollo Client 4: over HTTP alone, with multipart subscriptions and @defer; and with a WebSocket. */
import type { ApolloClient, OperationVariables } from '@apollo/client';
import { gql } from '@apollo/client';
import type { CombinedGraphQLErrors } from '@apollo/client/errors';
import { expect, test } from 'vitest';
import { createApolloClient } from '../../examples/apollo.ts';
import { createApolloPersistedClient } from '../../examples/apollo-persisted.ts';
import { createApolloWebSocketClient } from '../../examples/apollo-websocket.ts';
import { iterate } from '../../examples/iterate.ts';
import { readOperation } from '../graphql/run.ts';
import { type ClientUnderTest, describeClient } from './contract.ts';
import { type Progress, type Row, useGateway } from './gateway.ts';
import { progressOf } from './progress.ts';

const operations = new URL('../../schema/operations', import.meta.url).pathname;
const world = useGateway({ RCPT_PERSISTED_OPERATIONS: operations });
const [verifyEmail, startBulkJob, bulkJobProgress, bulkJobResults] = [
  'VerifyEmail',
  'StartBulkJob',
  'BulkJobProgress',
  'BulkJobResults',
].map((name) => gql(readOperation(name))) as [never, never, never, never];

type Results = { bulkJobResults: { cursor: string; results: Row[] } };
type Watched = { bulkJobProgress: Progress };

/** Refusals in `errors`, as everybody else has them; what the link gave up on is thrown. */
const subscribe = <Data>(client: ApolloClient, query: never, variables: OperationVariables) =>
  iterate<{ data?: Data; errors?: CombinedGraphQLErrors['errors'] }>((sink) => {
    const subscription = client.subscribe<Data>({ query, variables, fetchPolicy: 'no-cache' }).subscribe({
      next: ({ data, error }) => {
        if (error === undefined) sink.next({ data: data as Data });
        else if ('errors' in error) sink.next({ errors: (error as CombinedGraphQLErrors).errors });
        else sink.error(error);
      },
      error: sink.error,
      complete: sink.complete,
    });
    return () => subscription.unsubscribe();
  });

const openApollo =
  (create: (url: string) => ApolloClient) =>
  (url: string): ClientUnderTest => {
    const client = create(url);
    return {
      verify: async (variables) => (await client.query({ query: verifyEmail, variables })).data,
      start: async (variables) => (await client.mutate({ mutation: startBulkJob, variables })).data,
      watch: (variables) => progressOf(subscribe<Watched>(client, bulkJobProgress, variables)),
      subscribe: (variables) => subscribe<Results>(client, bulkJobResults, variables),
      close: () => client.stop(),
    };
  };

describeClient('Apollo Client over HTTP', world, openApollo(createApolloClient));

describeClient('Apollo Client with a WebSocket', world, openApollo(createApolloWebSocketClient));

test.each([
  ['Defer20220824Handler', createApolloClient],
  ['GraphQL17Alpha9Handler', createApolloWebSocketClient],
] as const)('@defer with %s: what is known at once comes first', async (_name, create) => {
  const client = create(world.line.url);
  const states: unknown[] = [];
  const watched = client.watchQuery({
    query: gql`
      query ($address: String!) {
        email(address: $address) {
          id
          normalized
          ... @defer { verification { status } }
        }
      }
    `,
    variables: { address: 'Anna@accepts.test' },
    notifyOnNetworkStatusChange: true,
  });
  await new Promise<void>((resolve, reject) => {
    const subscription = watched.subscribe({
      next: ({ data, dataState, error }) => {
        if (error !== undefined) return reject(error);
        if (data !== undefined) states.push([dataState, data]);
        if (dataState !== 'complete') return;
        subscription.unsubscribe();
        resolve();
      },
      error: reject,
    });
  });
  expect(states).toEqual([
    ['streaming', { email: { __typename: 'Email', id: expect.any(String), normalized: 'Anna@accepts.test' } }],
    [
      'complete',
      {
        email: {
          __typename: 'Email',
          id: expect.any(String),
          normalized: 'Anna@accepts.test',
          verification: { __typename: 'Verification', status: 'DELIVERABLE' },
        },
      },
    ],
  ]);
  client.stop();
});

test.each([
  ['kept by the operator: the hash is enough', readOperation('SyntaxOnly'), 1],
  ['not kept: the document follows', 'query ($address: String!) { email(address: $address) { id } }', 2],
])('a persisted query that is %s', async (_name, text, requests) => {
  const sent: string[] = [];
  const client = createApolloPersistedClient(world.line.url, async (url, init) => {
    sent.push(String(init?.body));
    return fetch(url, init);
  });
  const { data } = await client.query({ query: gql(text), variables: { address: 'a@accepts.test' } });
  expect(data).toMatchObject({ email: {} });
  expect(sent.map((body) => JSON.parse(body).query === undefined)).toEqual([true, false].slice(0, requests));
  client.stop();
});
