import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createPolicyFileMemory, lookupMtaSts, type PolicyFileOptions } from '../../../src/dns/index.ts';
import type { Zones } from '../../../src/sandbox/dns-server.ts';
import { domain, openWorld, patient } from '../world.ts';
import { authority, certificate, key } from './certificates.ts';

const good = 'version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mx.good.test\nmx: *.good.test\n';
const zones: Zones = {
  '_mta-sts.good.test': { txt: ['v=STSv1; id=20260101T000000;'] },
  'mta-sts.good.test': { a: ['127.0.0.1'] },
  // Nobody listens at the first address.
  '_mta-sts.slow.test': { txt: ['v=STSv1; id=1'] },
  'mta-sts.slow.test': { a: ['127.0.0.77', '127.0.0.1'] },
  '_mta-sts.other-name.test': { txt: ['v=STSv1; id=1'] },
  'mta-sts.other-name.test': { a: ['127.0.0.1'] },
  '_mta-sts.private.test': { txt: ['v=STSv1; id=1'] },
  'mta-sts.private.test': { a: ['169.254.169.254', '10.0.0.1'] },
  '_mta-sts.no-host.test': { txt: ['v=STSv1; id=1'] },
  '_mta-sts.host-fails.test': { txt: ['v=STSv1; id=1'] },
  'mta-sts.host-fails.test': { behaviour: 'SERVFAIL' },
  '_mta-sts.two.test': { txt: ['v=STSv1; id=1', 'v=STSv1; id=2'] },
  '_mta-sts.no-id.test': { txt: ['v=STSv1;'] },
  '_mta-sts.bad-id.test': { txt: ['v=STSv1; id=a-b'] },
  '_mta-sts.long-id.test': { txt: [`v=STSv1; id=${'a'.repeat(33)}`] },
  '_mta-sts.other.test': { txt: ['v=STSv2; id=1', 'v=STSv1'] },
  '_mta-sts.fails.test': { behaviour: 'SERVFAIL' },
};

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const listen = async (server: Server): Promise<number> => {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

/** Takes connections, says `greeting` and hangs up, or says nothing for ever. */
const createRawServer = (greeting: string | null) =>
  createTcpServer((socket) => {
    // That the client hangs up on it is what these tests provoke.
    socket.on('error', () => {});
    socket.resume();
    if (greeting !== null) socket.end(greeting);
  });

const serve = (respond: (request: IncomingMessage, response: ServerResponse) => void) =>
  listen(createHttpsServer({ cert: certificate, key }, respond));
const serveText = (
  text: string,
  headers: Record<string, string> = { 'content-type': 'text/plain' },
  status = 200,
) => serve((_request, response) => response.writeHead(status, headers).end(text));

const lookup = async (
  name: string,
  port: number,
  options: Partial<PolicyFileOptions> = {},
  signal: AbortSignal = patient,
) => {
  const { dns } = await openWorld(zones);
  return lookupMtaSts(dns, domain(name), { isAllowed: () => true, ca: authority, port, ...options }, signal);
};

const problem = (text: string, id: string | null = '20260101T000000') => ({
  kind: 'policy',
  id,
  mode: null,
  maxAge: null,
  mx: [],
  problem: expect.stringContaining(text),
});

describe('the record', () => {
  it.each([
    ['nowhere.test', null],
    ['other.test', null],
    ['two.test', null],
    ['no-id.test', problem('no id', null)],
    ['bad-id.test', problem('no id', null)],
    ['long-id.test', problem('no id', null)],
    ['no-host.test', problem('has no address', '1')],
    ['host-fails.test', { kind: 'failure', failure: 'SERVFAIL' }],
    ['fails.test', { kind: 'failure', failure: 'SERVFAIL' }],
  ])('%s', async (name, expected) => {
    expect(await lookup(name, 1)).toEqual(expected);
  });
});

describe('the policy file', () => {
  const policy = {
    kind: 'policy',
    id: '20260101T000000',
    mode: 'ENFORCE',
    maxAge: 86_400,
    mx: ['mx.good.test', '*.good.test'],
    problem: null,
  };

  it('is asked for at the well-known path, by the name of the policy host', async () => {
    const requests: string[] = [];
    const port = await serve((request, response) => {
      requests.push(`${request.method} ${request.headers.host} ${request.url}`);
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(good);
    });
    expect(await lookup('good.test', port)).toEqual(policy);
    expect(requests).toEqual(['GET mta-sts.good.test /.well-known/mta-sts.txt']);
  });

  it('comes from the second address when nobody listens at the first', async () => {
    const port = await serveText(good);
    expect(await lookup('slow.test', port)).toEqual({ ...policy, id: '1' });
  });

  it('is asked for once by many, until its life is over or the id changes', async () => {
    let requests = 0;
    const port = await serve((_request, response) => {
      requests += 1;
      response.writeHead(200, { 'content-type': 'text/plain' }).end(good);
    });
    let nowMs = 0;
    const memory = createPolicyFileMemory(() => nowMs);
    const { dns, server, passSeconds } = await openWorld(zones);
    const ask = () =>
      lookupMtaSts(dns, domain('good.test'), { isAllowed: () => true, ca: authority, port, memory }, patient);
    expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill(policy));
    nowMs = 299_000;
    expect(await ask()).toEqual(policy);
    expect(requests).toBe(1);
    nowMs = 300_001;
    expect(await ask()).toEqual(policy);
    expect(requests).toBe(2);
    server.setRecords('_mta-sts.good.test', { txt: ['v=STSv1; id=2'] });
    passSeconds(301);
    expect(await ask()).toEqual({ ...policy, id: '2' });
    expect(requests).toBe(3);
  });

  it('that was a problem is asked for again after 30 s', async () => {
    let requests = 0;
    const port = await serve((_request, response) => {
      requests += 1;
      if (requests === 1) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(good);
    });
    let nowMs = 0;
    const options = { memory: createPolicyFileMemory(() => nowMs) };
    expect(await lookup('good.test', port, options)).toEqual(problem('answered 404'));
    nowMs = 29_000;
    expect(await lookup('good.test', port, options)).toEqual(problem('answered 404'));
    nowMs = 30_001;
    expect(await lookup('good.test', port, options)).toEqual(policy);
    expect(requests).toBe(2);
  });

  const bodies: [string, () => Promise<number>, string][] = [
    ['404', () => serveText('nothing', {}, 404), 'answered 404'],
    [
      'a redirect, which is not followed',
      () => serveText('', { location: '/elsewhere' }, 301),
      'answered 301',
    ],
    ['HTML', () => serveText(good, { 'content-type': 'text/html' }), 'not text/plain'],
    ['no type', () => serveText(good, {}), 'not text/plain'],
    ['no policy', () => serveText('hello'), 'the policy file: a line'],
    ['64 KB and one', () => serveText(`${good}x: ${'y'.repeat(65_536)}`), 'larger than 65536'],
    [
      'an endless file',
      () =>
        serve((_request, response) => {
          response.writeHead(200, { 'content-type': 'text/plain' });
          const more = () => {
            while (!response.destroyed && response.write('x'.repeat(8_192)));
          };
          response.on('drain', more);
          more();
        }),
      'larger than 65536',
    ],
    [
      'a server that hangs up in the middle',
      () =>
        serve((_request, response) => {
          response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '1000' });
          response.write('version:', () => response.destroy());
        }),
      'hung up',
    ],
    [
      'a TLS server that does not speak HTTP',
      () =>
        listen(
          createTlsServer({ cert: certificate, key }, (socket) => {
            // A client that hangs up on what it reads is what this test provokes.
            socket.on('error', () => {});
            socket.end('220 mail.example.test ESMTP\r\n');
          }),
        ),
      'did not speak HTTP',
    ],
    [
      'a server that does not speak TLS',
      () => listen(createRawServer('220 mail.example.test ESMTP\r\n')),
      'TLS handshake failed',
    ],
  ];
  it.each(bodies)('%s is a problem', async (_what, open, text) => {
    expect(await lookup('good.test', await open())).toEqual(problem(text));
  });

  it('refuses a certificate for another name', async () => {
    const port = await serveText(good);
    expect(await lookup('other-name.test', port)).toEqual(problem('ERR_TLS_CERT_ALTNAME_INVALID', '1'));
  });

  it('refuses a certificate of an unknown authority', async () => {
    const { dns } = await openWorld(zones);
    const port = await serveText(good);
    expect(await lookupMtaSts(dns, domain('good.test'), { isAllowed: () => true, port }, patient)).toEqual(
      problem('certificate was refused'),
    );
  });

  it('never connects to an address that the guard refuses', async () => {
    let connections = 0;
    const port = await listen(
      createTcpServer((socket) => {
        connections += 1;
        socket.destroy();
      }),
    );
    const asked: string[] = [];
    const isAllowed = (ip: string) => {
      asked.push(ip);
      return false;
    };
    expect(await lookup('good.test', port, { isAllowed })).toEqual(problem('special-purpose'));
    expect(await lookup('private.test', port, { isAllowed })).toEqual(problem('special-purpose', '1'));
    expect(asked).toEqual(['127.0.0.1', '169.254.169.254', '10.0.0.1']);
    expect(connections).toBe(0);
  });

  it('skips the refused address and takes the allowed one', async () => {
    const port = await serveText(good);
    const isAllowed = (ip: string) => ip === '127.0.0.1';
    expect(await lookup('slow.test', port, { isAllowed })).toEqual({ ...policy, id: '1' });
  });

  it('says when nobody listens at any', async () => {
    const port = await serveText(good);
    const isAllowed = (ip: string) => ip === '127.0.0.77';
    expect(await lookup('slow.test', port, { isAllowed })).toEqual(problem('could not be connected to', '1'));
  });

  const hanging: [string, () => Promise<number>][] = [
    ['before TLS', () => listen(createRawServer(null))],
    ['before the headers', () => serve(() => {})],
    [
      'inside the file',
      () =>
        serve((_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).write('v')),
    ],
  ];
  it.each(hanging)('gives up in time on a server that falls silent %s', async (_where, open) => {
    const port = await open();
    const startedAt = performance.now();
    expect(await lookup('good.test', port, { timeoutMs: 200 })).toEqual(problem('in time'));
    expect(performance.now() - startedAt).toBeLessThan(1_900);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it.each(hanging)('ends when its asker goes away while the server is silent %s', async (_where, open) => {
    const port = await open();
    const leaver = new AbortController();
    servers[0]?.on('connection', () => setImmediate(() => leaver.abort()));
    expect(await lookup('good.test', port, { timeoutMs: 60_000 }, leaver.signal)).toEqual({
      kind: 'failure',
      failure: 'ABORTED',
    });
  });
});
