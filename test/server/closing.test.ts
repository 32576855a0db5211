/** The end in order: not ready first, streams told, sockets closed with 1001, what is under way answered, in time. */
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readOperation } from '../graphql/run.ts';
import { createTestServer, get, until } from './gateway.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const held = '{ bulkJobs(first: 1) { edges { cursor } } }';
const progress = readOperation('BulkJobProgress');
const globalId = (id: string) => Buffer.from(`BulkJob:${id}`).toString('base64url');

/** A gateway whose `bulkJobs` answers when it is let. */
const open = async (closeMs = 5_000) => {
  const { server, world } = createTestServer({ timeouts: { closeMs } });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  Object.assign(world.services.jobs, {
    list: async () => {
      asked += 1;
      await released;
      return { items: [], hasNextPage: false };
    },
  });
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { server, url, jobs: world.jobs.fake, release, isAsked: () => asked > 0 };
};

const openSocket = async (url: string) => {
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/graphql`, 'graphql-transport-ws');
  const heard: string[] = [];
  const closed = once(socket, 'close').then(([code]) => heard.push(`closed ${code}`));
  await once(socket, 'open');
  socket.on('message', (data) => heard.push(String(data)));
  const say = (message: object): void => socket.send(JSON.stringify(message));
  say({ type: 'connection_init' });
  await until(() => heard.length === 1);
  const subscribe = (id: string, query: string, variables = {}) =>
    say({ id, type: 'subscribe', payload: { query, variables } });
  return { socket, heard, closed, subscribe };
};

describe('closing', () => {
  test('a WebSocket hears nothing of its subscriptions but 1001, which clients retry', async () => {
    const { server, url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const { heard, closed, subscribe } = await openSocket(url);
    subscribe('1', progress, { id: globalId(id) });
    await until(() => heard.length === 2);
    await server.close();
    await closed;
    expect(heard.slice(2)).toEqual(['closed 1001']);
    expect(jobs.watching).toBe(0);
  });

  test('a query under way on a WebSocket has its result first; what comes meanwhile is left to the next gateway', async () => {
    const { server, url, jobs, release, isAsked } = await open();
    const { id } = jobs.create(3, null);
    const { socket, heard, closed, subscribe } = await openSocket(url);
    subscribe('watching', progress, { id: globalId(id) });
    subscribe('under way', held);
    await until(() => isAsked() && heard.length === 2);
    const closing = server.close();
    subscribe('late', '{ __typename }');
    // The pong comes after the server has read what came before the ping.
    socket.ping();
    await once(socket, 'pong');
    expect(heard).toHaveLength(2);
    release();
    await closing;
    await closed;
    expect(heard.slice(2).map((text) => (text.startsWith('{') ? JSON.parse(text) : text))).toMatchObject([
      { id: 'under way', type: 'next', payload: { data: { bulkJobs: { edges: [] } } } },
      { id: 'under way', type: 'complete' },
      'closed 1001',
    ]);
    expect(jobs.watching).toBe(0);
  });

  test.each([
    [
      'a query that never ends',
      async (url: string, isAsked: () => boolean) => {
        const { subscribe } = await openSocket(url);
        subscribe('1', held);
        await until(isAsked);
      },
    ],
    [
      'a socket that does not answer the close',
      async (url: string) => {
        const { socket } = await openSocket(url);
        socket.pause();
      },
    ],
    [
      'a socket that never introduced itself',
      async (url: string) => {
        const socket = new WebSocket(`${url.replace('http:', 'ws:')}/graphql`, 'graphql-transport-ws');
        socket.on('error', () => undefined);
        await once(socket, 'open');
      },
    ],
  ])('%s is cut off', async (_name, prepare) => {
    const { server, url, isAsked } = await open(300);
    await prepare(url, isAsked);
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  test('it is not ready from the first moment, on a connection that is there already', async () => {
    const { server, url, release, isAsked } = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const under = httpRequest(`${url}/graphql?query=${encodeURIComponent(held)}`, {
      agent,
      headers: { accept: 'application/json' },
    }).end();
    const answered = once(under, 'response');
    await until(isAsked);
    const closing = server.close();
    expect(await (await get(server, '/health/ready')).json()).toEqual({ status: 'closing' });
    release();
    const [response] = (await answered) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
    await closing;
    agent.destroy();
  });

  test('each of a hundred streams is told, and none is cut off', async () => {
    const { server, url, jobs } = await open();
    const { id } = jobs.create(3, null);
    const body = JSON.stringify({ query: progress, variables: { id: globalId(id) } });
    const accepts = ['text/event-stream', 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0'];
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: accepts[index % 2] ?? '' },
          body,
        }),
      ),
    );
    await until(() => jobs.watching === 100);
    const texts = Promise.all(responses.map((response) => response.text()));
    await server.close();
    for (const text of await texts) expect(text).toContain('GATEWAY_CLOSING');
    expect(jobs.watching).toBe(0);
  });
});
