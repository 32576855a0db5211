/** Bodies that come an octet at a time: a socket is not held by them, whatever the request was answered. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createTestServer } from './gateway.ts';

const rows: readonly (readonly [name: string, head: string])[] = [
  ['a query', 'POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n'],
  [
    'a query in chunks',
    'POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n',
  ],
  [
    'what was refused at once',
    'POST /graphql HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n',
  ],
  ['a GET that has a body', 'GET /health HTTP/1.1\r\nContent-Length: 1000\r\n'],
  ['a path that is not there', 'PUT /nothing HTTP/1.1\r\nContent-Length: 1000\r\n'],
];

test.each(rows)(
  '%s',
  async (_name, head) => {
    const { server } = createTestServer({ timeouts: { bodyMs: 300, closeMs: 100 } });
    const { url } = await server.listen();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`${head}Host: 127.0.0.1\r\n\r\n`);
    const drip = setInterval(() => socket.write(head.includes('chunked') ? '1\r\n \r\n' : ' '), 50);
    const startedAt = Date.now();
    await closed;
    clearInterval(drip);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await server.close();
  },
  8_000,
);
