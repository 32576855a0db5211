/** API keys, as each client shows them, and what it makes of a gateway that refuses. */
import { beforeAll, describe, expect, test } from 'vitest';
import { runRcpt } from '../command/process.ts';
import { openApolloHttp, openApolloWebSocket } from './adapters/apollo.ts';
import { openPlainFetch, openSse, openWebSocket } from './adapters/protocols.ts';
import { openRelaySse, openRelayWebSocket } from './adapters/relay.ts';
import { openUrqlFetch, openUrqlWebSocket } from './adapters/urql.ts';
import { followProgress, type Open } from './contract.ts';
import { useGateway } from './gateway.ts';

const world = useGateway();
let secret: string;
let publishable: string;

const create = async (...args: string[]) => {
  const { code, out, err } = await runRcpt(['keys', 'create', '--sandbox', '--name', 'test', ...args], {
    env: { RCPT_DATA_DIR: world.dir },
  });
  expect({ code, err }).toMatchObject({ code: 0 });
  return out.trimEnd();
};
const statusOf = async (key: string) => {
  const response = await fetch(world.line.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: '{"query": "{ __typename }"}',
  });
  return response.status;
};
beforeAll(async () => {
  publishable = await create('--scope', 'verify', '--origin', 'https://shop.example');
  secret = await create('--scope', 'verify,bulk');
  // The gateway hears of them within a second.
  await expect.poll(() => statusOf(secret), { timeout: 10_000 }).toBe(200);
});

const noJob = Buffer.from('BulkJob:00000000-0000-4000-8000-000000000000').toString('base64url');

const opens: readonly (readonly [string, Open])[] = [
  ['Apollo Client over HTTP', openApolloHttp],
  ['Apollo Client with a WebSocket', openApolloWebSocket],
  ['urql over fetch', openUrqlFetch],
  ['urql with a WebSocket', openUrqlWebSocket],
  ['Relay with a WebSocket', openRelayWebSocket],
  ['Relay with server-sent events', openRelaySse],
  ['graphql-ws', openWebSocket],
  ['graphql-sse', openSse],
  ['fetch', openPlainFetch],
];

describe.each(opens)('%s', (_name, open) => {
  const watchWith = async (key?: string) => {
    const client = open(world.line.url, key);
    try {
      return await Array.fromAsync(followProgress(client, noJob));
    } finally {
      await client.close();
    }
  };

  test('with a key', async () => {
    const client = open(world.line.url, secret);
    expect(await client.verify({ address: 'user1@accepts.test' })).toMatchObject({
      email: { verification: { status: 'DELIVERABLE' } },
    });
    await client.close();
    await expect(watchWith(secret)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('without one: refused at once, and not asked again', async () => {
    await expect(watchWith()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('with that of a page elsewhere: likewise', async () => {
    await expect(watchWith(publishable)).rejects.toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
  });
});
