/** `WatchVerification` as clients hold it: by SSE and by graphql-ws, on a real port. */
import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readOperation } from '../graphql/run.ts';
import { readEvents } from './events.ts';
import { createTestServer, until } from './gateway.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const query = readOperation('WatchVerification');

const open = async () => {
  const { server, world } = createTestServer();
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { server, url: `${url}/graphql`, prober: world.prober };
};

type Stage = { readonly stage: string; readonly verification: { readonly reason: string } | null };
type Data = { readonly watchVerification: Stage };

/** Every stage that came by SSE before the stream completed. */
const readStages = async (response: Response): Promise<Stage[]> => {
  const stages: Stage[] = [];
  for await (const { event, data } of readEvents(response)) {
    if (event === 'complete') return stages;
    stages.push(JSON.parse(data).data.watchVerification);
  }
  throw new Error('the stream broke off');
};

const subscribe = (url: string, address: string, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables: { address, waitForRetry: true } }),
    ...init,
  });

const whole = ['SYNTAX', 'MEMORY', 'DNS', 'CONNECT', 'RCPT_TO', 'VERDICT'];

describe('by SSE', () => {
  test.each([
    ['ada@mail.test', whole, 'MAILBOX_EXISTS'],
    ['nobody@mail.test', whole, 'MAILBOX_NOT_FOUND'],
    ['ada@gone.test', ['SYNTAX', 'MEMORY', 'DNS', 'VERDICT'], 'DOMAIN_NOT_FOUND'],
    ['not an address', ['VERDICT'], 'INVALID_SYNTAX'],
    ['', ['VERDICT'], 'INVALID_SYNTAX'],
    [`${'a'.repeat(100_000)}@mail.test`, ['VERDICT'], 'INVALID_SYNTAX'],
  ])('%.40s: the stages, the verdict, the end', async (address, expected, reason) => {
    const { url } = await open();
    const stages = await readStages(await subscribe(url, address));
    expect(stages.map(({ stage }) => stage)).toEqual(expected);
    expect(stages.at(-1)?.verification).toMatchObject({ reason });
    expect(stages.slice(0, -1).map(({ verification }) => verification)).toEqual(
      expected.slice(1).map(() => null),
    );
  });

  test('ten clients that vanish end the one probe they shared', async () => {
    const { url, prober } = await open();
    const hangUp = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => subscribe(url, 'hang@mail.test', { signal: hangUp.signal })),
    );
    await Promise.all(responses.map((response) => readEvents(response).next()));
    await until(() => prober.hanging > 0);
    expect(prober.probed).toEqual(['hang@mail.test']);
    hangUp.abort();
    await until(() => prober.hanging === 0);
  });

  test('the gateway closes: the stream says so and completes, and the probe ends', async () => {
    const { server, url, prober } = await open();
    const response = await subscribe(url, 'hang@mail.test');
    await until(() => prober.hanging === 1);
    await server.close();
    const text = await response.text();
    expect(text).toMatch(/"code":"GATEWAY_CLOSING".*\n\nevent: complete\ndata:\n\n$/);
    expect(text).not.toContain('VERDICT');
    expect(prober.hanging).toBe(0);
  });
});

describe('by graphql-ws', () => {
  test('the stages, the verdict, the end', async () => {
    const { url } = await open();
    const client = createClient({
      url: url.replace('http:', 'ws:'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    closers.push(async () => client.dispose());
    const stages: Stage[] = [];
    for await (const { data } of client.iterate<Data>({ query, variables: { address: 'ada@mail.test' } }))
      if (data) stages.push(data.watchVerification);
    expect(stages.map(({ stage }) => stage)).toEqual(whole);
    expect(stages.at(-1)?.verification).toMatchObject({ reason: 'MAILBOX_EXISTS' });
  });

  const ask = 'query ($address: String!) { email(address: $address) { verification { status } } }';
  test.each([
    ['a subscription', query],
    ['a query', ask],
  ])(
    'a client that completes %s ends its work alone, and one that vanishes the rest',
    async (_, document) => {
      const { url, prober } = await open();
      const socket = new WebSocket(url.replace('http:', 'ws:'), 'graphql-transport-ws');
      closers.push(async () => socket.terminate());
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await once(socket, 'message');
      for (const [id, domain] of Object.entries({ one: 'mail.test', two: 'implicit.test' })) {
        const payload = { query: document, variables: { address: `hang@${domain}` } };
        socket.send(JSON.stringify({ id, type: 'subscribe', payload }));
      }
      await until(() => prober.hanging === 2);
      socket.send('{"id":"one","type":"complete"}');
      await until(() => prober.hanging === 1);
      socket.terminate();
      await until(() => prober.hanging === 0);
    },
  );
});
