/** What is no good HTTP, octet by octet: each is answered with a code, in time, and the gateway goes on. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createTestServer } from './gateway.ts';

const { server } = createTestServer({ timeouts: { headersMs: 300 } });
let port: number;
let url: string;
beforeAll(async () => {
  url = (await server.listen()).url;
  port = Number(new URL(url).port);
});
afterAll(() => server.close());

/** Everything that comes back before the gateway closes the connection, or `Connection: close` makes it. */
const say = async (text: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  let heard = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk;
  });
  socket.write(text);
  await Promise.race([
    once(socket, 'close'),
    new Promise((_, reject) => setTimeout(() => reject(new Error(`still open: ${heard}`)), 5_000).unref()),
  ]);
  return heard;
};

const body = '{"query":"{ __typename }"}';
const request = (headers: readonly string[], text = body): string =>
  [
    'POST /graphql HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    ...headers,
    '',
    text,
  ].join('\r\n');

const rows: readonly (readonly [name: string, text: string, status: number, code: string])[] = [
  [
    'Authorization twice',
    request(['Authorization: Bearer one', 'Authorization: Bearer two']),
    400,
    'REPEATED_HEADER',
  ],
  [
    'Authorization twice, the same',
    request(['authorization: a', 'AUTHORIZATION: a']),
    400,
    'REPEATED_HEADER',
  ],
  ['Host twice', request(['Host: evil.example']), 400, 'REPEATED_HEADER'],
  [
    'Origin twice',
    request(['Origin: http://127.0.0.1', 'Origin: https://evil.example']),
    400,
    'REPEATED_HEADER',
  ],
  ['Content-Type twice', request(['Content-Type: text/plain']), 400, 'REPEATED_HEADER'],
  ['Content-Length twice', request(['Content-Length: 5']), 400, 'MALFORMED_REQUEST'],
  ['both lengths (smuggling)', request(['Transfer-Encoding: chunked']), 400, 'MALFORMED_REQUEST'],
  ['a bare CR in a value', request(['X-A: b\rAuthorization: Bearer x']), 400, 'MALFORMED_REQUEST'],
  ['a bare LF that would be a header', request(['X-A: b\n : c']), 400, 'MALFORMED_REQUEST'],
  ['a NUL in a value', request(['X-A: b\0c']), 400, 'MALFORMED_REQUEST'],
  ['a name with a space', request(['X A: b']), 400, 'MALFORMED_REQUEST'],
  ['no HTTP at all', 'EHLO mail.example\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'MALFORMED_REQUEST'],
  ['no Host', 'GET /graphql HTTP/1.1\r\nConnection: close\r\n\r\n', 400, ''],
  [
    'a URL of 100 KB',
    `GET /graphql?query=${'a'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['headers of 100 KB', request([`X-A: ${'a'.repeat(100_000)}`]), 431, 'HEADERS_TOO_LARGE'],
  ['headers that stop', 'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ', 408, 'REQUEST_TIMEOUT'],
];

describe('malformed', () => {
  test.each(rows)('%s', async (_name, text, status, code) => {
    const heard = await say(text);
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (code !== '') {
      const { errors } = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n'))) as {
        errors: { extensions: { code: string } }[];
      };
      expect(errors.map(({ extensions }) => extensions.code)).toEqual([code]);
    }
    expect(heard).not.toMatch(/at .*\.(?:ts|js)/);
    expect(await say(request(['Authorization: Bearer one']))).toContain('{"data":{"__typename":"Query"}');
  });

  test('a second request that is no good does not cut the first answer in two', async () => {
    const heard = await say(`${request([]).replace('Connection: close\r\n', '')}\x00\x00 nonsense\r\n\r\n`);
    expect(heard === '' || heard.startsWith('HTTP/1.1 200')).toBe(true);
    expect(heard.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(2);
  });

  test('what a client sends never becomes a header of ours', async () => {
    const heard = await say(
      'GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n',
    );
    expect(heard).toMatch(/^HTTP\/1\.1 404 /);
    expect(heard.split('\r\n\r\n')[0]).not.toMatch(/set-cookie|mine/i);
  });

  test('an upgrade with Authorization twice', async () => {
    const heard = await say(
      [
        'GET /graphql HTTP/1.1',
        'Host: 127.0.0.1',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol: graphql-transport-ws',
        'Authorization: a',
        'Authorization: b',
        '',
        '',
      ].join('\r\n'),
    );
    expect(heard).toMatch(/^HTTP\/1\.1 400 [\s\S]*"REPEATED_HEADER"/);
  });
});

/** What a socket is told about each message, as one line each, until it is closed or the count is reached. */
const talk = async (messages: readonly string[], replies: number): Promise<string[]> => {
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/graphql`, 'graphql-transport-ws');
  const heard: string[] = [];
  await once(socket, 'open');
  const done = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      heard.push(String(data));
      if (heard.length === replies) resolve();
    });
    socket.on('close', (code) => {
      heard.push(`closed ${code}`);
      resolve();
    });
    socket.on('error', () => undefined);
  });
  for (const message of messages) {
    socket.send(message);
    if (message === init) await Promise.race([once(socket, 'message'), done]);
  }
  await done;
  socket.terminate();
  return heard;
};

const init = '{"type":"connection_init"}';
const subscribe = (payload: object): string => JSON.stringify({ id: '1', type: 'subscribe', payload });

describe('malformed, on a WebSocket', () => {
  test.each([
    ['no JSON', ['{"type":'], 'closed 4400'],
    ['another type', ['{"type":"nonsense"}'], 'closed 4400'],
    ['nobody introduced', [subscribe({ query: '{ __typename }' })], 'closed 4401'],
    ['introduced twice', [init, init], 'closed 4429'],
    ['a message of 5 MB', [`{"type":"ping","payload":{"a":"${'a'.repeat(5_000_000)}"}}`], 'closed 1009'],
    ['a query that is a number', [init, subscribe({ query: 7 })], 'closed 4400'],
  ])('%s', async (_name, messages, end) => {
    expect((await talk(messages, 9)).at(-1)).toBe(end);
  });

  test.each([
    [
      'two operations and no name',
      { query: 'query A { __typename } query B { __typename }' },
      'OPERATION_RESOLUTION_FAILURE',
    ],
    [
      'an operation name that is not there',
      { query: 'query A { __typename }', operationName: 'B' },
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['an empty document', { query: '' }, 'GRAPHQL_PARSE_FAILED'],
    ['17 levels', { query: `{ ${'node { '.repeat(17)} id ${'}'.repeat(17)} }` }, 'TOO_DEEP'],
    ['3,000 fields', { query: `{ ${'a '.repeat(3_000)} }` }, 'TOO_MANY_TOKENS'],
    [
      'a variable of the wrong type',
      { query: 'query ($n: Int!) { bulkJobs(first: $n) { edges { cursor } } }', variables: { n: 'x' } },
      'BAD_INPUT',
    ],
    [
      'a hash where there are none',
      { query: '', extensions: { persistedQuery: { sha256Hash: 'a'.repeat(64) } } },
      'PERSISTED_QUERY_NOT_SUPPORTED',
    ],
  ])('%s', async (_name, payload, code) => {
    const heard = await talk([init, subscribe(payload)], 2);
    expect(heard[1]).toContain(`"code":"${code}"`);
    expect(heard[1]).toMatch(/"requestId":"[\w+/=]+-1"/);
  });
});
