import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type GuardedRequest, type RequestOutcome, requestGuarded } from '../../src/dns/index.ts';
import type { ZoneAnswer } from '../../src/sandbox/dns-server.ts';
import { startSilentListener } from '../smtp/silent-listener.ts';
import { createRawServer, listen, openSockets } from './peers.ts';
import { authority, certificate, key } from './policy/certificates.ts';
import { openWorld, patient } from './world.ts';

const zones = {
  'hooks.test': { a: ['127.0.0.1'] },
  'two.test': { a: ['127.0.0.77', '127.0.0.1'] },
};

type Over = Partial<GuardedRequest> & {
  readonly isAllowed?: (ip: string) => boolean;
  readonly timeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** A POST of `hello`; gives the status of the response. */
const post = async (port: number, over: Over = {}, { dns } = { dns: undefined as never }) => {
  const { isAllowed = () => true, timeoutMs = 10_000, connectTimeoutMs = 5_000, signal, ...request } = over;
  const world = dns === undefined ? await openWorld(zones) : { dns };
  return requestGuarded(
    world.dns,
    {
      protocol: 'http:',
      host: 'hooks.test',
      port,
      method: 'POST',
      path: '/',
      headers: { host: request.host ?? 'hooks.test' },
      body: Buffer.from('hello'),
      ...request,
    },
    async ({ statusCode }) => statusCode,
    { isAllowed, ca: authority, timeoutMs, connectTimeoutMs },
    signal ?? patient,
  );
};

const status = (result: number): RequestOutcome<number> => ({ kind: 'read', result });

const ok = () => createServer((_request, response) => response.end());
const okSecured = () => createHttpsServer({ cert: certificate, key }, (_request, response) => response.end());

describe('where it connects', () => {
  it('is the address that was checked, under the name that was asked for', async () => {
    const heard: unknown[] = [];
    const server = createServer(async (request, response) => {
      const body = (await request.toArray()).join('');
      heard.push([request.method, request.headers.host, request.url, body]);
      response.writeHead(202).end();
    });
    const asked: string[] = [];
    const isAllowed = (ip: string) => {
      asked.push(ip);
      return true;
    };
    expect(await post(await listen(server), { path: '/a?b', isAllowed })).toEqual(status(202));
    expect(heard).toEqual([['POST', 'hooks.test', '/a?b', 'hello']]);
    expect(asked).toEqual(['127.0.0.1']);
  });

  it('is the next address when the first does not answer at all', async () => {
    const port = await listen(ok());
    const silent = await startSilentListener('127.0.0.77', port);
    try {
      expect(await post(port, { host: 'two.test', connectTimeoutMs: 200 })).toEqual(status(200));
      expect(await post(silent.port, { host: '127.0.0.77', connectTimeoutMs: 200 })).toEqual({
        kind: 'unreachable',
      });
    } finally {
      await silent.close();
    }
  });

  it('is never an address that the guard refuses, as a literal either', async () => {
    const server = ok();
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const port = await listen(server);
    for (const host of ['hooks.test', 'two.test', '127.0.0.1', '::ffff:127.0.0.1'])
      expect(await post(port, { host, isAllowed: () => false })).toEqual({ kind: 'refusedByGuard' });
    expect(connections).toBe(0);
  });

  it('asks the DNS once, so that a name which moves after the check is not followed', async () => {
    let questions = 0;
    const answer = (): ZoneAnswer => {
      questions += 1;
      return { a: [questions === 1 ? '127.0.0.1' : '127.0.0.77'] };
    };
    const world = await openWorld(({ type }) => (type === 'A' ? answer() : { a: [] }), {
      maxCacheEntries: 1,
    });
    const outside = createServer((_request, response) => {
      response.writeHead(204).end();
    });
    const port = await listen(outside);
    let inside = 0;
    const hidden = ok();
    hidden.on('connection', () => {
      inside += 1;
    });
    await listen(hidden, '127.0.0.77', port);
    const isAllowed = (ip: string) => ip !== '127.0.0.77';
    expect(await post(port, { isAllowed }, { dns: world.dns as never })).toEqual(status(204));
    expect(questions).toBe(1);
    expect(inside).toBe(0);
  });

  it('is refused over TLS when the certificate is not for the name', async () => {
    const port = await listen(okSecured());
    const secured = { protocol: 'https:', headers: {} } as const;
    expect(await post(port, secured)).toEqual({
      kind: 'badCertificate',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(await post(port, { ...secured, host: '127.0.0.1' })).toEqual({
      kind: 'badCertificate',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('a peer that misbehaves', () => {
  const rows: [string, () => Server, RequestOutcome<number>['kind']][] = [
    ['is silent before the headers', () => createRawServer('', 'silence'), 'late'],
    ['is silent inside them', () => createRawServer('HTTP/1.1 200 OK\r\nx: ', 'silence'), 'late'],
    [
      'never ends its headers',
      () => createRawServer('HTTP/1.1 200 OK\r\n', { forEver: 'x: y\r\n' }),
      'brokenOff',
    ],
    [
      'never ends one header',
      () => createRawServer('HTTP/1.1 200 OK\r\nx: ', { forEver: 'yyyyyyyy' }),
      'brokenOff',
    ],
    [
      'promises a response for ever',
      () => createRawServer('', { forEver: 'HTTP/1.1 103 Early Hints\r\n\r\n' }),
      'brokenOff',
    ],
    [
      'switches protocols',
      () =>
        createRawServer(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
          'silence',
        ),
      'brokenOff',
    ],
    ['is no HTTP server', () => createRawServer('220 mail.example.test ESMTP\r\n', 'end'), 'brokenOff'],
    ['hangs up', () => createRawServer('', 'end'), 'brokenOff'],
  ];
  it.each(rows)('and %s', async (_what, create, kind) => {
    const timeoutMs = kind === 'late' ? 200 : 10_000;
    expect(await post(await listen(create()), { timeoutMs })).toEqual({ kind });
    await expect.poll(openSockets).toBe(0);
  });

  it('is left when the asker goes away', async () => {
    const server = createRawServer('', 'silence');
    const leaver = new AbortController();
    server.on('connection', () => setImmediate(() => leaver.abort()));
    expect(await post(await listen(server), { signal: leaver.signal })).toEqual({ kind: 'aborted' });
    await expect.poll(openSockets).toBe(0);
  });
});
