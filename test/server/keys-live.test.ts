/** Keys on what lasts: streams and sockets are asked for one before their first event, and end with it. */
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../src/server/index.ts';
import { codesOf, readOperation } from '../graphql/run.ts';
import { readEvents } from './events.ts';
import { createTestServer, until } from './gateway.ts';
import { bearer, openTestKeys, type TestKeys } from './keys.ts';

let keys: TestKeys;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  keys = await openTestKeys();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const listen = async (options: Partial<ServerOptions> = {}) => {
  const { server, world } = createTestServer({ keys: keys.keys, ...options });
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { url: `${url}/graphql`, jobs: world.jobs.fake, world };
};

const admin = () => keys.create({ scopes: ['admin'] });
const query = readOperation('BulkJobProgress');
const globalId = (id: string) => Buffer.from(`BulkJob:${id}`).toString('base64url');
const origin = 'https://shop.test';

const stream = (url: string, id: string, headers: Record<string, string>) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query, variables: { id: globalId(id) } }),
  });

describe('streams over HTTP', () => {
  test.each([
    ['without a key', {}, 401],
    ['with a key that lacks the scope', null, 403],
  ])('%s there is none, and nothing is watched', async (_name, headers, status) => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    const { text } = await keys.create();
    const response = await stream(url, id, headers ?? bearer(text));
    expect(codesOf(await lastOf(response))).toEqual([status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN']);
    expect(jobs.watching).toBe(0);
  });

  test.each([
    ['by SSE', 'text/event-stream'],
    ['by multipart', 'multipart/mixed; subscriptionSpec="1.0", application/json'],
  ])('%s a stream ends when its key is revoked, and says so; others go on', async (_name, accept) => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(3, null);
    const [one, two] = [await admin(), await admin()];
    const responses = await Promise.all(
      [one, two].map(({ text }) => stream(url, id, { accept, ...bearer(text) })),
    );
    await until(() => jobs.watching === 2);
    const [first, second] = responses.map((response) => response.text());
    await keys.revoke(one.id);
    const ended = (await first) ?? '';
    expect(ended).toContain('"settled":0');
    expect(ended).toContain('"code":"UNAUTHENTICATED"');
    expect(jobs.watching).toBe(1);
    jobs.advance(id, 3);
    expect(await second).toContain('"state":"COMPLETED"');
    expect(await second).not.toContain('UNAUTHENTICATED');
  });

  test('who came while there was no key is asked for one by the first', async () => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    const response = await stream(url, id, {});
    await until(() => jobs.watching === 1);
    await keys.create();
    expect(await response.text()).toContain('"code":"UNAUTHENTICATED"');
    expect(jobs.watching).toBe(0);
  });

  test('one that ended by itself is not waited for any more', async () => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    const key = await admin();
    let watched = 0;
    const { onEnd } = keys.keys;
    Object.assign(keys.keys, {
      onEnd: (...args: Parameters<typeof onEnd>) => {
        watched += 1;
        const unwatch = onEnd(...args);
        return () => {
          watched -= 1;
          unwatch();
        };
      },
    });
    jobs.advance(id, 1);
    await (await stream(url, id, bearer(key.text))).text();
    expect(watched).toBe(0);
    const running = jobs.create(1, null);
    const cut = new AbortController();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(key.text) },
      body: JSON.stringify({ query, variables: { id: globalId(running.id) } }),
      signal: cut.signal,
    });
    await readEvents(response).next();
    expect(watched).toBe(1);
    cut.abort();
    await until(() => watched === 0);
  });
});

/** The last event of a stream, or the whole body of what is none. */
const lastOf = async (response: Response): Promise<never> => {
  const text = await response.text();
  const data = [...text.matchAll(/^data: ?(\{.*)$/gm)].at(-1)?.[1] ?? text;
  return JSON.parse(data) as never;
};

describe('on a WebSocket', () => {
  const open = (
    url: string,
    connectionParams: Record<string, unknown>,
    headers: Record<string, string> = {},
  ) => {
    const closed: { code: number; reason: string }[] = [];
    const client = createClient({
      url: url.replace('http', 'ws'),
      connectionParams,
      retryAttempts: 0,
      lazy: true,
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocols: string[]) {
          super(address, protocols, { headers });
        }
      },
      on: { closed: (event) => closed.push(event as never) },
    });
    closers.push(async () => client.dispose());
    const ask = (document: string, variables: Record<string, unknown> = {}) => {
      const results: unknown[] = [];
      const end = new Promise<unknown>((resolve) =>
        client.subscribe(
          { query: document, variables },
          { next: (result) => results.push(result), error: resolve, complete: () => resolve(null) },
        ),
      );
      return { results, end };
    };
    return { ask, closed };
  };

  test.each(['authorization', 'Authorization'])('the key comes with connection_init, as %s', async (name) => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    jobs.advance(id, 1);
    const { text } = await admin();
    const { ask } = open(url, { [name]: `Bearer ${text}` });
    const { results, end } = ask(query, { id: globalId(id) });
    expect(await end).toBeNull();
    expect(results).toHaveLength(1);
  });

  test('or with the upgrade, from what is no browser', async () => {
    const { url } = await listen();
    const { text } = await admin();
    const { results, end } = open(url, {}, bearer(text)).ask('{ __typename }');
    expect(await end).toBeNull();
    expect(results).toEqual([{ data: { __typename: 'Query' }, extensions: expect.anything() }]);
  });

  test.each([
    ['no key', {}, {}, 4401, 'UNAUTHENTICATED'],
    ['a key that is none', { authorization: 'Bearer rcpt_sk_x' }, {}, 4401, 'UNAUTHENTICATED'],
    ['a key that is no text', { authorization: 7 }, {}, 4401, 'UNAUTHENTICATED'],
    ['a publishable key and no page', 'publishable', {}, 4403, 'ORIGIN_NOT_ALLOWED'],
    [
      'a publishable key and the page of another',
      'publishable',
      { origin: 'https://b.test' },
      4403,
      'ORIGIN_NOT_ALLOWED',
    ],
  ] as const)(
    '%s: the socket is closed before it asked anything',
    async (_name, params, headers, code, reason) => {
      const { url, jobs } = await listen();
      const { id } = jobs.create(1, null);
      const { text } = await keys.create({ origins: [origin] });
      await keys.create({ origins: ['https://b.test'] });
      const { ask, closed } = open(
        url,
        params === 'publishable' ? { authorization: `Bearer ${text}` } : params,
        headers,
      );
      const { results, end } = ask(query, { id: globalId(id) });
      expect(await end).toMatchObject({ code, reason });
      expect(closed).toMatchObject([{ code, reason }]);
      expect(results).toEqual([]);
      expect(jobs.watching).toBe(0);
    },
  );

  test('of a page that no key is bound to, the upgrade is refused', async () => {
    const { url } = await listen();
    await keys.create({ origins: [origin] });
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      origin: 'https://thief.test',
    });
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('error', () => undefined);
    });
    expect(status).toBe(403);
  });

  test('a scope that the key lacks refuses the operation, and the socket lives', async () => {
    const { url } = await listen();
    const { text } = await keys.create();
    const { ask } = open(url, { authorization: `Bearer ${text}` });
    const refused = ask(query, { id: 'x' });
    await refused.end;
    expect(refused.results.flatMap((result) => codesOf(result as never))).toEqual(['FORBIDDEN']);
    const served = ask('{ rateLimit { limit } }');
    await served.end;
    expect(served.results).toMatchObject([{ data: { rateLimit: { limit: 12_000 } } }]);
  });

  test('operations are charged as anywhere', async () => {
    const { url } = await listen();
    const { text } = await keys.create({ pointsPerMinute: 21 });
    const { ask } = open(url, { authorization: `Bearer ${text}` });
    const document = '{ email(address: "ada@mail.test") { verification(maxAge: "0s") { status } } }';
    const first = ask(document);
    await first.end;
    expect(first.results).toMatchObject([{ extensions: { cost: { requestedQueryCost: 21 } } }]);
    const second = ask(document);
    await second.end;
    expect(second.results.flatMap((result) => codesOf(result as never))).toEqual(['THROTTLED']);
  });

  test('when its key is revoked it is closed for good, in the middle of a stream', async () => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    const [one, two] = [await admin(), await admin()];
    const ended = open(url, { authorization: `Bearer ${one.text}` }).ask(query, { id: globalId(id) });
    const living = open(url, { authorization: `Bearer ${two.text}` }).ask(query, { id: globalId(id) });
    await until(() => ended.results.length === 1 && living.results.length === 1);
    await keys.revoke(one.id);
    expect(await ended.end).toMatchObject({ code: 4401, reason: 'UNAUTHENTICATED' });
    await until(() => jobs.watching === 1);
    jobs.advance(id, 1);
    expect(await living.end).toBeNull();
  });

  test('who came while there was no key is closed by the first', async () => {
    const { url, jobs } = await listen();
    const { id } = jobs.create(1, null);
    const { results, end } = open(url, {}).ask(query, { id: globalId(id) });
    await until(() => results.length === 1);
    await keys.create();
    expect(await end).toMatchObject({ code: 4401, reason: 'UNAUTHENTICATED' });
    await until(() => jobs.watching === 0);
  });

  /** Speaks frames itself, and says nothing to a close frame: `ws` waits half a minute for the answer. */
  const openStubborn = async (url: string, text: string) => {
    const { hostname, port } = new URL(url);
    const heard: Buffer[] = [];
    const request = httpRequest({
      hostname,
      port,
      path: '/graphql',
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'graphql-transport-ws',
      },
    }).end();
    const socket = await new Promise<Socket>((resolve) =>
      request.on('upgrade', (_response, upgraded) => resolve(upgraded as Socket)),
    );
    closers.push(async () => void socket.destroy());
    socket.on('data', (octets: Buffer) => heard.push(octets));
    /** One frame of text (RFC 6455 §5.2), masked with zeros. */
    const send = (message: object) =>
      new Promise<void>((sent) => {
        const text = Buffer.from(JSON.stringify(message));
        const head = Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 0xff, 0, 0, 0, 0]);
        socket.write(Buffer.concat([head, text]), () => sent());
      });
    const hears = (what: string) => until(() => Buffer.concat(heard).includes(what));
    await send({ type: 'connection_init', payload: { authorization: `Bearer ${text}` } });
    await hears('connection_ack');
    return { send, hears };
  };

  test('whoever ignores the end of its key does nothing with it, and nothing is done for it', async () => {
    const { url, jobs, world } = await listen();
    const { id } = jobs.create(1, null);
    const key = await admin();
    const { send, hears } = await openStubborn(url, key.text);
    await send({ type: 'subscribe', id: '1', payload: { query, variables: { id: globalId(id) } } });
    await until(() => jobs.watching === 1);
    await keys.revoke(key.id);
    await hears('UNAUTHENTICATED');
    await until(() => jobs.watching === 0);
    const document = 'mutation ($id: ID!) { deleteBulkJob(id: $id) { __typename } }';
    await send({ type: 'subscribe', id: '2', payload: { query: document, variables: { id: globalId(id) } } });
    // Another caller's question comes after it.
    const other = await openStubborn(url, (await admin()).text);
    await other.send({ type: 'subscribe', id: '3', payload: { query: '{ gateway { version } }' } });
    await other.hears('"version"');
    expect(await world.services.jobs.read(id)).not.toBeNull();
  });

  test('what only steers HTTP is told nobody', async () => {
    const { url } = await listen();
    const { text } = await keys.create({ pointsPerMinute: 1 });
    const { ask } = open(url, { authorization: `Bearer ${text}` });
    const refused = [
      ask('{ bulkJobs(first: 1) { edges { cursor } } }'),
      ask('{ gateway { egress { detail } } }'),
      ask('{ ... @defer { gateway { egress { detail } } } }'),
    ];
    for (const { end } of refused) await end;
    const told = refused.flatMap(({ results }) => results);
    expect(told.flatMap((result) => codesOf(result as never))).toEqual([
      'FORBIDDEN',
      'MAX_COST_EXCEEDED',
      'MAX_COST_EXCEEDED',
    ]);
    expect(JSON.stringify(told)).not.toContain('"http"');
  });
});

describe('a browser that asks first', () => {
  const preflight = (url: string, from: string) =>
    new Promise<{ status: number | undefined; headers: Record<string, unknown> }>((resolve, reject) =>
      httpRequest(
        url,
        { method: 'OPTIONS', headers: { origin: from, 'access-control-request-method': 'POST' } },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode, headers: response.headers });
        },
      )
        .on('error', reject)
        .end(),
    );

  test('is told that the pages of living keys may, and no others', async () => {
    const { url } = await listen();
    expect((await preflight(url, origin)).status).toBe(403);
    const { id } = await keys.create({ origins: [origin] });
    expect(await preflight(url, origin)).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': origin },
    });
    expect((await preflight(url, 'https://thief.test')).status).toBe(403);
    await keys.revoke(id);
    expect((await preflight(url, origin)).status).toBe(403);
  });
});
