/** What needs a real port: streams, sockets, clients that vanish, and an end that comes in time. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../src/server/index.ts';
import { readOperation } from '../graphql/run.ts';
import { readEvents } from './events.ts';
import { createTestServer, until } from './gateway.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const open = async (options: Partial<ServerOptions> = {}) => {
  const { server, world, logged } = createTestServer(options);
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { server, url: `${url}/graphql`, origin: url, jobs: world.jobs.fake, world, logged };
};

const globalId = (id: string) => Buffer.from(`BulkJob:${id}`).toString('base64url');
const query = readOperation('BulkJobProgress');

const subscribe = (url: string, id: string, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables: { id: globalId(id) } }),
    ...init,
  });

const settledIn = (data: string) => JSON.parse(data).data.bulkJobProgress.progress.settled;

describe('progress by SSE', () => {
  test.each(['POST', 'GET'])('by %s: the state now, the newest, the end', async (method) => {
    const { url, jobs } = await open();
    const { id } = jobs.create(4, null);
    const parameters = new URLSearchParams({ query, variables: JSON.stringify({ id: globalId(id) }) });
    const response =
      method === 'POST'
        ? await subscribe(url, id)
        : await fetch(`${url}?${parameters}`, { headers: { accept: 'text/event-stream' } });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = readEvents(response);
    expect(settledIn((await events.next()).value?.data)).toBe(0);
    jobs.advance(id, 1);
    expect(settledIn((await events.next()).value?.data)).toBe(1);
    jobs.advance(id, 3);
    const last = (await events.next()).value?.data;
    expect(JSON.parse(last).data.bulkJobProgress.job.state).toBe('COMPLETED');
    expect((await events.next()).value?.event).toBe('complete');
    expect((await events.next()).done).toBe(true);
    expect(jobs.watching).toBe(0);
  });

  test('the octets: a comment at once and at each heartbeat, and the end', async () => {
    const { url, jobs } = await open({ timeouts: { heartbeatMs: 20 } });
    const { id } = jobs.create(1, null);
    const response = await subscribe(url, id);
    setTimeout(() => jobs.advance(id, 1), 100);
    expect(await response.text()).toMatch(
      /^:\n\nevent: next\ndata: \{"data":.+\}\n\n(?::\n\n)+event: next\ndata: \{"data":.+\}\n\nevent: complete\ndata:\n\n$/,
    );
  });

  test('a source that breaks: an error that says nothing, and the log says what', async () => {
    const { url, world, logged } = await open();
    const broken: AsyncIterableIterator<never> = {
      next: () => Promise.reject(new Error('the secret cause')),
      [Symbol.asyncIterator]: () => broken,
    };
    world.services.jobs.watch = async () => broken;
    const text = await (await subscribe(url, '00000000-0000-4000-8000-000000000000')).text();
    expect(text).toContain('"code":"INTERNAL"');
    expect(text).not.toContain('secret');
    expect(JSON.stringify(logged)).toContain('the secret cause');
  });

  test('a client that accepts anything (curl) streams too', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(1, null);
    jobs.advance(id, 1);
    const response = await subscribe(url, id, { headers: { 'content-type': 'application/json' } });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await response.text()).toMatch(/event: next[\s\S]*COMPLETED[\s\S]*event: complete/);
  });

  test('in the sandbox each event says that it is simulated', async () => {
    const { url, jobs } = await open({ isSandbox: true });
    const { id } = jobs.create(1, null);
    jobs.advance(id, 1);
    const response = await subscribe(url, id);
    expect(response.headers.get('x-rcpt-simulated')).toBe('true');
    const { value } = await readEvents(response).next();
    expect(JSON.parse(value?.data ?? '')).toMatchObject({ extensions: { simulated: true } });
  });

  test('a job that is not there is refused in the stream, with a code', async () => {
    const { url } = await open();
    const response = await subscribe(url, '00000000-0000-4000-8000-000000000000');
    const { value } = await readEvents(response).next();
    expect(JSON.parse(value?.data ?? '')).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  test('ten clients that vanish leave nothing behind', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(10, null);
    const hangUp = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => subscribe(url, id, { signal: hangUp.signal })),
    );
    await Promise.all(responses.map((response) => readEvents(response).next()));
    expect(jobs.watching).toBe(10);
    hangUp.abort();
    await until(() => jobs.watching === 0);
  });
});

const openSocket = (url: string, headers: Record<string, string> = {}) => {
  class Socket extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(address, protocols, { headers });
    }
  }
  const client = createClient({
    url: url.replace('http:', 'ws:'),
    webSocketImpl: Socket,
    retryAttempts: 0,
    lazy: true,
  });
  closers.push(async () => client.dispose());
  return client;
};

describe('progress by graphql-ws', () => {
  test('the state now, the newest, the end', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const events = openSocket(url).iterate<{ bulkJobProgress: { progress: { settled: number } } }>({
      query,
      variables: { id: globalId(id) },
    });
    const settled = async () => (await events.next()).value?.data?.bulkJobProgress.progress.settled;
    expect(await settled()).toBe(0);
    jobs.advance(id, 2);
    expect(await settled()).toBe(2);
    jobs.advance(id, 1);
    expect(await settled()).toBe(3);
    expect((await events.next()).done).toBe(true);
    expect(jobs.watching).toBe(0);
  });

  test('queries and mutations as well, links with the origin that was asked', async () => {
    const { url, origin, jobs } = await open();
    const { id } = jobs.create(3, null);
    const events = openSocket(url).iterate<{ bulkJob: { csv: string } }>({
      query: 'query ($id: ID!) { bulkJob(id: $id) { csv: resultsUrl(format: CSV) } }',
      variables: { id: globalId(id) },
    });
    expect((await events.next()).value?.data?.bulkJob.csv).toMatch(
      new RegExp(`^${origin}/results/${id}.csv`),
    );
  });

  test.each([
    ['a job that is not there', query, { id: globalId('00000000-0000-4000-8000-000000000000') }, 'NOT_FOUND'],
    ['a field that is not there', 'subscription { nothing }', {}, 'VALIDATION_FAILED'],
    ['a document that does not parse', 'subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
  ])('%s is refused with a code', async (_name, source, variables, code) => {
    const { url } = await open();
    const events = openSocket(url).iterate({ query: source, variables });
    const answer = await events.next().then(
      ({ value }) => value?.errors,
      (errors: unknown) => errors,
    );
    expect(answer).toMatchObject([{ extensions: { code } }]);
  });

  test('a client that vanishes leaves nothing behind', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await once(socket, 'message');
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { id: globalId(id) } } }),
    );
    await once(socket, 'message');
    expect(jobs.watching).toBe(1);
    socket.terminate();
    await until(() => jobs.watching === 0);
  });

  test('the 101st operation on one socket is refused, the others live', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const client = openSocket(url);
    const streams = Array.from({ length: 100 }, () =>
      client.iterate({ query, variables: { id: globalId(id) } }),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    const refused = client.iterate({ query, variables: { id: globalId(id) } });
    const errors = await refused.next().then(
      ({ value }) => value?.errors,
      (reason: unknown) => reason,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'TOO_MANY_OPERATIONS', limit: 100 } }]);
    expect(jobs.watching).toBe(100);
  });

  test.each([
    ['a page of another origin', '/graphql', { origin: 'https://evil.example' }, 403],
    ['a name that resolves to loopback', '/graphql', { host: 'evil.example' }, 403],
    ['another path', '/elsewhere', {}, 404],
  ])('%s gets no socket', async (_name, path, headers, status) => {
    const { origin } = await open();
    const socket = new WebSocket(`${origin.replace('http:', 'ws:')}${path}`, 'graphql-transport-ws', {
      headers: headers as unknown as Record<string, string>,
    });
    const [error] = await once(socket, 'error').catch((reason: unknown) => [reason]);
    expect(String(error)).toContain(String(status));
  });
});

/** A POST of so many octets, with or without saying how many there will be. */
const upload = (url: string, octets: number, isChunked: boolean): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(isChunked ? {} : { 'content-length': octets }),
      },
    });
    request.on('response', async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    });
    request.on('error', reject);
    const chunk = Buffer.alloc(65_536, 0x20);
    for (let sent = 0; sent < octets; sent += chunk.length) request.write(chunk.subarray(0, octets - sent));
    request.end();
  });

describe('too much', () => {
  test.each([
    ['10 MB announced', 10_000_000, false],
    ['10 MB in chunks', 10_000_000, true],
  ])('%s: 413, and the next request is served', async (_name, octets, isChunked) => {
    const { url } = await open();
    const { status, body } = await upload(url, octets, isChunked);
    expect([status, JSON.parse(body).errors[0].extensions]).toMatchObject([
      413,
      { code: 'BODY_TOO_LARGE', limit: 4_194_304 },
    ]);
    const next = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(next.status).toBe(200);
  });

  test('10,000 addresses of 254 octets fit', async () => {
    const { url } = await open();
    const address = `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}${'c'.repeat(6)}`;
    expect(address.length).toBe(254);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: readOperation('StartBulkJob'),
        variables: { input: { source: { addresses: Array(10_000).fill(address) } } },
      }),
    });
    expect(await response.json()).toMatchObject({ data: { startBulkJob: { progress: { total: 10_000 } } } });
  });

  test('a small body in chunks is read', async () => {
    const { url } = await open();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob(['{"query":"{ __', 'typename }"}']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('headers that never end are cut off', async () => {
    const { origin } = await open({ timeouts: { headersMs: 200 } });
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write('POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    socket.resume();
    const startedAt = Date.now();
    await once(socket, 'close');
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });
});

describe('closing', () => {
  test('streams and sockets end by themselves, in time', async () => {
    const { server, url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const events = readEvents(await subscribe(url, id));
    await events.next();
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'graphql-transport-ws');
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const startedAt = Date.now();
    await server.close();
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    expect(JSON.parse((await events.next()).value?.data ?? '')).toMatchObject({
      errors: [{ extensions: { code: 'GATEWAY_CLOSING' } }],
    });
    expect((await events.next()).value?.event).toBe('complete');
    expect((await closed)[0]).toBe(1001);
    expect(jobs.watching).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test('requests under way get their answer', async () => {
    const { server, url, world } = await open();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isAsked = false;
    Object.assign(world.services.jobs, {
      list: async () => {
        isAsked = true;
        await held;
        return { items: [], hasNextPage: false };
      },
    });
    const response = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ bulkJobs(first: 1) { edges { cursor } } }' }),
    });
    await until(() => isAsked);
    const closing = server.close();
    release();
    expect(await (await response).json()).toMatchObject({ data: { bulkJobs: { edges: [] } } });
    await closing;
  });

  test('what does not end by itself is cut off', async () => {
    const { server, url, world } = await open({ timeouts: { closeMs: 200 } });
    let isAsked = false;
    Object.assign(world.services.jobs, {
      list: () => {
        isAsked = true;
        return new Promise(() => undefined);
      },
    });
    const response = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ bulkJobs(first: 1) { edges { cursor } } }' }),
    });
    const outcome = response.then(
      () => 'answered',
      () => 'cut off',
    );
    await until(() => isAsked);
    const startedAt = Date.now();
    await server.close();
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    expect(await outcome).toBe('cut off');
  });

  test('twice is once, and before listening is fine', async () => {
    const { server } = createTestServer();
    await Promise.all([server.close(), server.close()]);
  });

  test('a port that is taken is said so', async () => {
    const { origin } = await open();
    const { server } = createTestServer({ port: Number(new URL(origin).port) });
    await expect(server.listen()).rejects.toThrow(/EADDRINUSE/);
    await server.close();
  });
});
