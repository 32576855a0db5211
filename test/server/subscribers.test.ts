/**
 * Subscribers that read slowly, not at all, or are gone, on each transport: how much is made for them and held, and
 * that their source ends. The source would go on for ever, 170 KB an event.
 */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { SettledRow } from '../../src/jobs/index.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { readOperation } from '../graphql/run.ts';
import { createTestServer, until } from './gateway.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const text = 'x'.repeat(200);

const batchAt = (position: number): readonly SettledRow[] =>
  Array.from({ length: 500 }, (_, index) => ({
    position: position + index + 1,
    row: position + index + 1,
    address: `user${index}@mail.test`,
    duplicateOf: null,
    status: 'DELIVERABLE',
    reason: 'MAILBOX_EXISTS',
    score: 95,
    provider: null,
    exchange: 'mx1.mail.test',
    reply: { code: 250, enhancedCode: '2.1.5', text },
    checkedAt: new Date('2030-01-01T00:00:00Z'),
  }));

/** Gives a batch whenever it is asked, counts them, and knows whether it was ended. */
const createEndlessSource = () => {
  const source = { given: 0, ended: 0 };
  const iterator: AsyncIterableIterator<readonly SettledRow[]> = {
    next: async () => {
      source.given += 1;
      return { done: false, value: batchAt((source.given - 1) * 500) };
    },
    return: async () => {
      source.ended += 1;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return Object.assign(source, { iterator });
};

const open = async (timeouts: ServerOptions['timeouts'] = {}) => {
  const { server, world } = createTestServer({ timeouts });
  const source = createEndlessSource();
  Object.assign(world.services.jobs, { watchResults: async () => source.iterator });
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { server, source, url, port: Number(new URL(url).port) };
};

const variables = { id: Buffer.from('BulkJob:00000000-0000-4000-8000-000000000000').toString('base64url') };
const payload = { query: readOperation('BulkJobResults'), variables };

/** A subscription on a bare socket that reads nothing until it is told to. */
const subscribeOver = (accept: string) => async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined).pause();
  const body = JSON.stringify(payload);
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${accept}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
};

const subscribeOverSocket = async (port: number): Promise<Socket> => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  client.on('error', () => undefined);
  await new Promise((resolve) => client.once('open', resolve));
  const acknowledged = new Promise((resolve) => client.once('message', resolve));
  client.send('{"type":"connection_init"}');
  await acknowledged;
  client.pause();
  client.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  return (client as unknown as { readonly _socket: Socket })._socket;
};

const transports = [
  ['SSE', subscribeOver('text/event-stream')],
  ['multipart', subscribeOver('multipart/mixed;boundary=graphql;subscriptionSpec=1.0')],
  ['graphql-ws', subscribeOverSocket],
] as const;

/** Loopback sockets hold 6 MB at most on Linux, that is 35 events; the rest is what the gateway would hold. */
const mostAhead = 80;

describe.each(transports)('by %s', (_name, subscribe) => {
  test('who reads nothing is given no more than the sockets hold', async () => {
    const { source, port } = await open();
    const socket = await subscribe(port);
    await until(() => source.given > 3);
    let before = -1;
    while (before !== source.given) {
      before = source.given;
      await wait(300);
    }
    expect(source.given).toBeLessThan(mostAhead);
    expect(source.ended).toBe(0);
    socket.destroy();
    await until(() => source.ended === 1);
    const given = source.given;
    await wait(100);
    expect(source.given).toBeLessThanOrEqual(given + 1);
  });

  test('who reads nothing is cut off in time', async () => {
    const { source, port } = await open({ unreadMs: 300, heartbeatMs: 300 });
    const socket = await subscribe(port);
    const startedAt = performance.now();
    await until(() => source.ended === 1);
    expect(performance.now() - startedAt).toBeGreaterThan(200);
    socket.destroy();
  });

  test('who reads slowly is not: it is given as much as it reads', async () => {
    const { source, port } = await open({ unreadMs: 400 });
    const socket = await subscribe(port);
    let octets = 0;
    socket.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 10);
    });
    socket.resume();
    const before = source.given;
    await wait(1_500);
    expect(source.ended).toBe(0);
    expect(octets).toBeGreaterThan(1_000_000);
    expect(source.given).toBeGreaterThan(before);
    expect(source.given).toBeLessThan(mostAhead + octets / 150_000);
    socket.destroy();
    await until(() => source.ended === 1);
  });

  test('who reads nothing does not hold up the closing', async () => {
    const { server, source, port } = await open({ closeMs: 300 });
    const socket = await subscribe(port);
    await until(() => source.given > 3);
    await wait(200);
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await until(() => source.ended === 1);
    socket.destroy();
  });

  test('fifty that vanish at once leave nothing', async () => {
    const { source, port } = await open();
    const sockets = await Promise.all(Array.from({ length: 50 }, () => subscribe(port)));
    await until(() => source.given >= 50);
    for (const socket of sockets) socket.destroy();
    await until(() => source.ended === 50);
  });
});

test('a client that pings without reading is cut off before its pongs fill the memory', async () => {
  const { port } = await open({ heartbeatMs: 60_000 });
  const client = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  client.on('error', () => undefined);
  await new Promise((resolve) => client.once('open', resolve));
  client.pause();
  const isClosed = new Promise<boolean>((resolve) =>
    (client as unknown as { readonly _socket: Socket })._socket.once('close', () => resolve(true)),
  );
  const ping = JSON.stringify({ type: 'ping', payload: { a: 'a'.repeat(1_000_000) } });
  const flood = async (): Promise<boolean> => {
    for (let sent = 0; sent < 200 && client.readyState === client.OPEN; sent += 1)
      await new Promise<void>((resolve) => client.send(ping, () => resolve()));
    return isClosed;
  };
  expect(await Promise.race([flood(), wait(10_000)])).toBe(true);
});
