/** Apollo Client 4: over HTTP alone, with multipart subscriptions and @defer; and with a WebSocket. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gql, InMemoryCache } from '@apollo/client';
import { print } from '@apollo/client/utilities';
import { buildSchema, isInterfaceType } from 'graphql';
import { afterAll, expect, test, vi } from 'vitest';
import { createApolloClient } from '../../examples/apollo.ts';
import { createApolloPersistedClient } from '../../examples/apollo-persisted.ts';
import { possibleTypes } from '../../examples/apollo-possible-types.ts';
import { createApolloWebSocketClient } from '../../examples/apollo-websocket.ts';
import { readOperation } from '../graphql/run.ts';
import { openApolloHttp, openApolloWebSocket } from './adapters/apollo.ts';
import { describeClient } from './contract.ts';
import { useGateway } from './gateway.ts';

/** What an operator keeps for this client: its documents as it prints them, by their hash. */
const kept = join(mkdtempSync(join(tmpdir(), 'rcpt-kept-')), 'operations.json');
const printed = print(new InMemoryCache().transformDocument(gql(readOperation('SyntaxOnly'))));
writeFileSync(kept, JSON.stringify({ [createHash('sha256').update(printed).digest('hex')]: printed }));
afterAll(() => rmSync(dirname(kept), { recursive: true }));

const world = useGateway({ RCPT_PERSISTED_OPERATIONS: kept });
describeClient('Apollo Client over HTTP', world, openApolloHttp);

describeClient('Apollo Client with a WebSocket', world, openApolloWebSocket);

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
    [
      'streaming',
      { email: { __typename: 'Email', id: expect.any(String), normalized: 'Anna@accepts.test' } },
    ],
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

test('the possible types are those of the schema, and errors that will be added', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
  const interfaces = Object.values(schema.getTypeMap()).filter(isInterfaceType);
  const implementers = interfaces.map(
    (type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)] as const,
  );
  const { Error: errors, ...others } = possibleTypes;
  expect({ ...others, Error: errors.filter((name) => /^\w+$/.test(name)) }).toEqual(
    Object.fromEntries(implementers),
  );
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const cache = new InMemoryCache({ possibleTypes });
  const query = gql`{ startBulkJob { ... on Error { message code } } }`;
  const data = { startBulkJob: { __typename: 'AddedLaterError', message: 'new', code: 'NEW' } };
  cache.writeQuery({ query, data });
  expect(cache.readQuery({ query })).toEqual(data);
  expect(warned).toHaveBeenCalledTimes(1);
  warned.mockRestore();
});
