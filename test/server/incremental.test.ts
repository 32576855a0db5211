/** `@defer` and `@stream` in both wire formats: parts as they come, errors in them masked, and an end in time. */
import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createTestServer, post, until } from './gateway.ts';
import { readParts } from './parts.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const open = async () => {
  const made = createTestServer();
  const { url } = await made.server.listen();
  closers.push(() => made.server.close());
  return { ...made, url: `${url}/graphql` };
};

const deferred = `query ($address: String!) {
  email(address: $address) { address ... @defer(label: "verdict") { verification { status reason } } }
}`;
const streamed =
  '{ email(address: "ada@mail.test") { domain { mx @stream(initialCount: 1) { preference } } } }';

const ask = (
  url: string,
  accept: string,
  query = deferred,
  address = 'ada@mail.test',
  init: RequestInit = {},
) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables: query === deferred ? { address } : {} }),
    ...init,
  });
const gather = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
};
const all = (response: Response) => gather(readParts(response));

const verdict = { verification: { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS' } };
const first = { data: { email: { address: 'ada@mail.test' } }, hasNext: true };

describe('@defer', () => {
  test('as of 2022-08-24: path and label', async () => {
    const { url } = await open();
    const response = await ask(url, 'multipart/mixed;deferSpec=20220824,application/json');
    expect(response.headers.get('content-type')).toMatch(/^multipart\/mixed/);
    const parts = await all(response);
    expect(parts[0]).toEqual(first);
    expect(parts[1]).toMatchObject({ incremental: [{ data: verdict, path: ['email'], label: 'verdict' }] });
    expect(parts.at(-1)).toMatchObject({ hasNext: false });
  });

  test.each(['multipart/mixed;incrementalSpec=v0.2,application/json', 'multipart/mixed', '*/*'])(
    'as of incremental delivery 0.2: pending, id, completed (Accept: %s)',
    async (accept) => {
      const { url } = await open();
      const parts = await all(await ask(url, accept));
      expect(parts[0]).toEqual({ ...first, pending: [{ id: '0', path: ['email'], label: 'verdict' }] });
      expect(parts[1]).toMatchObject({
        incremental: [{ id: '0', data: verdict }],
        completed: [{ id: '0' }],
      });
      expect(parts.at(-1)).toMatchObject({ hasNext: false });
    },
  );

  test('by SSE', async () => {
    const { url } = await open();
    const text = await (await ask(url, 'text/event-stream')).text();
    expect(text).toMatch(/"pending":\[[\s\S]*"incremental":\[[\s\S]*event: complete/);
  });

  test('by graphql-ws', async () => {
    const { url } = await open();
    const client = createClient({ url: url.replace('http:', 'ws:'), webSocketImpl: WebSocket });
    closers.push(async () => client.dispose());
    const parts = await gather(client.iterate({ query: deferred, variables: { address: 'ada@mail.test' } }));
    expect(parts[0]).toMatchObject({ ...first, pending: [{ id: '0' }] });
    expect(parts[1]).toMatchObject({ incremental: [{ id: '0', data: verdict }] });
  });

  test('a client that takes one result and no more is told so', async () => {
    const { server, world } = createTestServer();
    const response = await post(
      server,
      { query: deferred, variables: { address: 'ada@mail.test' } },
      { accept: 'application/json' },
    );
    expect([response.status, await response.json()]).toMatchObject([
      406,
      { errors: [{ extensions: { code: 'INCREMENTAL_NOT_ACCEPTED' } }] },
    ]);
    expect(world.prober.probed).toEqual([]);
  });

  test('deferred on a condition that does not hold: one result', async () => {
    const { url } = await open();
    const query =
      '{ email(address: "ada@mail.test") { address ... @defer(if: false) { verification { status reason } } } }';
    const response = await ask(url, 'multipart/mixed;incrementalSpec=v0.2,application/json', query);
    expect(await response.json()).toMatchObject({
      data: { email: { address: 'ada@mail.test', ...verdict } },
    });
  });
});

describe('@stream', () => {
  test('as of 2022-08-24: items', async () => {
    const { url } = await open();
    const parts = await all(await ask(url, 'multipart/mixed;deferSpec=20220824', streamed));
    expect(parts[0]).toMatchObject({ data: { email: { domain: { mx: [{ preference: 10 }] } } } });
    expect(parts[1]).toMatchObject({
      incremental: [{ items: [{ preference: 20 }], path: ['email', 'domain', 'mx', 1] }],
    });
  });

  test('as of incremental delivery 0.2: items', async () => {
    const { url } = await open();
    const parts = await all(await ask(url, 'multipart/mixed;incrementalSpec=v0.2', streamed));
    expect(parts[1]).toMatchObject({ incremental: [{ id: '0', items: [{ preference: 20 }] }] });
  });
});

describe('trouble', () => {
  test.each(['deferSpec=20220824', 'incrementalSpec=v0.2'])(
    'a fault of ours in a later part is masked and logged (%s)',
    async (parameter) => {
      const { url, world, logged } = await open();
      Object.assign(world.services.verifier, {
        verify: async () => Promise.reject(new TypeError('ada@mail.test is on fire')),
      });
      const parts = await all(await ask(url, `multipart/mixed;${parameter}`));
      const text = JSON.stringify(parts);
      expect(text).toContain('"code":"INTERNAL"');
      expect(text).toMatch(/"requestId":"[\w-]+"/);
      expect(text).not.toMatch(/on fire|unexpected|TypeError/);
      expect(parts[0]).toMatchObject(first);
      expect(logged.map(({ event }) => event)).toEqual(['request failed']);
    },
  );

  test('a client that vanishes ends the deferred work', async () => {
    const { url, world } = await open();
    const hangUp = new AbortController();
    const response = await ask(url, 'multipart/mixed;incrementalSpec=v0.2', deferred, 'hang@mail.test', {
      signal: hangUp.signal,
    });
    await readParts(response).next();
    await until(() => world.prober.hanging === 1);
    const startedAt = performance.now();
    hangUp.abort();
    await until(() => world.prober.hanging === 0);
    // By itself the probe would have ended after a second, its budget.
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test('a socket that completes the operation hears no more of it', async () => {
    const { url, world } = await open();
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'graphql-transport-ws');
    closers.push(async () => socket.terminate());
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    const variables = { address: 'hang@mail.test' };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: deferred, variables } }));
    await once(socket, 'message');
    await until(() => world.prober.hanging === 1);
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    socket.send('{"id":"1","type":"complete"}');
    await until(() => world.prober.hanging === 0);
    socket.send('{"type":"ping"}');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['{"type":"pong"}']);
  });
});
