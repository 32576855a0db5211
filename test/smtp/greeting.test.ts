/** What an exchange says of itself, and what is left of it when it says it badly. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExchangeHost } from '../../src/address/index.ts';
import { createGuard } from '../../src/smtp/index.ts';
import { authority, certificate, key as trustedKey } from '../dns/policy/certificates.ts';
import { makeCertificate } from './big-certificate.ts';
import { HONEST, type Scenario, type ServerSide, startServer } from './scripted-server.ts';
import { ask, eventually, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const selfSigned = {
  cert: readFileSync(new URL('./mx.test.cert.pem', import.meta.url), 'utf8'),
  key: readFileSync(new URL('./mx.test.key.pem', import.meta.url), 'utf8'),
};
const withTls = [...HONEST, 'STARTTLS', 'SMTPUTF8', 'SIZE 1000'];

const hangUp = (side: ServerSide): null => {
  side.hangUp();
  return null;
};

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const prober = makeProber({ port: server.port, ...world });
  running.push(server, prober);
  const greet = (host = 'mx.test', fields: { deadline?: number; signal?: AbortSignal } = {}) =>
    prober.greet({
      host: host as ExchangeHost,
      deadline: Date.now() + 5_000,
      signal: new AbortController().signal,
      ...fields,
    });
  return { server, prober, greet };
};

describe('a greeting', () => {
  it('says banner and capabilities, asks about nobody, and quits', async () => {
    const { server, greet } = await start({ capabilities: [...HONEST, 'SIZE 35882577'] });
    expect(await greet()).toEqual({
      attempts: [{ host: 'mx.test', ip: '127.0.0.1', outcome: { kind: 'connected' } }],
      ip: '127.0.0.1',
      banner: 'mx.test ESMTP',
      capabilities: [...HONEST, 'SIZE 35882577'],
      supportsStartTls: false,
      supportsPipelining: true,
      supportsSmtpUtf8: false,
      maxMessageBytes: 35_882_577,
      tls: null,
      reply: expect.objectContaining({ code: 250 }),
      fault: null,
    });
    await eventually(() => server.lines[0]?.length === 2);
    expect(server.lines).toEqual([['EHLO prober.test', 'QUIT']]);
  });

  it('reports a certificate that nobody vouches for, and what is offered in TLS', async () => {
    const { server, greet } = await start({
      key: selfSigned,
      capabilities: withTls,
      answer: (line, { isSecure }) =>
        isSecure && /^EHLO/.test(line) ? '250-mx.test\r\n250 SIZE 2000' : undefined,
    });
    const greeting = await greet();
    expect(greeting).toMatchObject({
      banner: 'mx.test ESMTP',
      capabilities: ['SIZE 2000'],
      supportsStartTls: true,
      supportsPipelining: false,
      maxMessageBytes: 2_000,
      fault: null,
      tls: { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/), isTrusted: false },
    });
    expect(greeting.tls?.certificate).toMatchObject({ subject: 'CN=mx.test', issuer: 'CN=mx.test' });
    expect(greeting.tls?.certificate?.validTo.getTime()).toBeGreaterThan(Date.now());
    await eventually(() => server.lines[0]?.at(-1) === 'QUIT');
    expect(server.lines[0]).toEqual(['EHLO prober.test', 'STARTTLS', 'EHLO prober.test', 'QUIT']);
  });

  it('trusts a certificate of a known authority, and only for the name it is made out to', async () => {
    const known = getCACertificates('default');
    setDefaultCACertificates([authority]);
    try {
      const { greet } = await start({ key: { cert: certificate, key: trustedKey }, capabilities: withTls });
      expect((await greet('mta-sts.good.test')).tls).toMatchObject({
        isTrusted: true,
        certificate: { altNames: ['mta-sts.good.test', 'mta-sts.slow.test'] },
      });
      expect((await greet('mx.other.test')).tls?.isTrusted).toBe(false);
    } finally {
      setDefaultCACertificates(known);
    }
  });

  it('bounds what it keeps of a certificate with thousands of names', async () => {
    const names = Array.from({ length: 2_500 }, (_, n) => `name-${n}.mx.test`);
    const { greet } = await start({ key: makeCertificate(names), capabilities: withTls });
    const { tls, fault } = await greet();
    expect(fault).toBeNull();
    expect(tls?.certificate?.altNames).toEqual(names.slice(0, 100));
  });

  it('takes a certificate of more than 100 KB for a failed handshake', async () => {
    const names = Array.from({ length: 6_000 }, (_, n) => `name-${n}.mx.test`);
    const key = makeCertificate(names);
    expect(key.cert.length).toBeGreaterThan(150_000);
    const { greet } = await start({ key, capabilities: withTls });
    expect(await greet()).toMatchObject({
      banner: 'mx.test ESMTP',
      supportsStartTls: true,
      tls: null,
      fault: { kind: 'tls', phase: 'TLS_HANDSHAKE' },
    });
  });

  it.each<[string, Scenario, object]>([
    [
      'a refusal at the banner',
      { greeting: '554 5.7.1 Go away' },
      { banner: null, capabilities: [], reply: { code: 554 }, fault: null, ip: '127.0.0.1' },
    ],
    [
      'silence at the banner',
      { greeting: null },
      { banner: null, reply: null, fault: { kind: 'timeout', phase: 'GREETING' } },
    ],
    [
      'no SMTP at all',
      { greeting: 'HTTP/1.1 400 Bad Request' },
      { banner: null, fault: { kind: 'protocol', phase: 'GREETING' } },
    ],
    [
      'EHLO and HELO refused',
      { answer: (line) => (/^(EHLO|HELO)/.test(line) ? '502 5.5.1 No' : undefined) },
      { banner: 'mx.test ESMTP', capabilities: [], reply: { code: 502 }, fault: null },
    ],
    [
      'only HELO understood',
      { answer: (line) => (/^EHLO/.test(line) ? '500 What?' : undefined) },
      { banner: 'mx.test ESMTP', capabilities: [], reply: { code: 250 }, fault: null },
    ],
    [
      'STARTTLS offered and refused',
      { capabilities: withTls, answer: (line) => (/^STARTTLS/.test(line) ? '454 4.7.0 No TLS' : undefined) },
      { capabilities: withTls, supportsStartTls: true, tls: null, reply: { code: 454 }, fault: null },
    ],
    [
      'a hang-up after EHLO',
      { answer: (line, side) => (/^EHLO/.test(line) ? hangUp(side) : undefined) },
      { banner: 'mx.test ESMTP', capabilities: [], reply: { code: 250 }, fault: null },
    ],
    [
      'a hang-up after EHLO, and after HELO',
      { answer: (line, side) => (/^(EHLO|HELO)/.test(line) ? hangUp(side) : undefined) },
      { banner: 'mx.test ESMTP', fault: { kind: 'closed', phase: 'EHLO' } },
    ],
  ])('of %s', async (_what, scenario, expected) => {
    const { greet, server } = await start(scenario, { timeouts: { greetingMs: 150 } });
    expect(await greet()).toMatchObject(expected);
    await eventually(() => server.open === 0);
  });

  it('never connects where the guard says no', async () => {
    const { server, greet } = await start({}, { guard: createGuard([]) });
    expect(await greet()).toMatchObject({
      attempts: [{ outcome: { kind: 'unroutable', range: 'loopback' } }],
      ip: null,
      banner: null,
      reply: null,
      fault: null,
    });
    expect(server.lines).toHaveLength(0);
  });

  it('ends with its deadline, and with its asker', async () => {
    const { server, greet } = await start({ greeting: null }, { timeouts: { greetingMs: 60_000 } });
    expect(await greet('mx.test', { deadline: Date.now() + 150 })).toMatchObject({
      ip: '127.0.0.1',
      fault: { kind: 'timeout', phase: 'GREETING' },
    });
    const asker = new AbortController();
    const left = greet('other.test', { signal: asker.signal });
    await eventually(() => server.lines.length === 2);
    asker.abort();
    expect(await left).toMatchObject({ fault: { kind: 'timeout', phase: 'GREETING' } });
    expect(await greet('third.test', { deadline: Date.now() - 1 })).toMatchObject({ attempts: [], ip: null });
    await eventually(() => server.open === 0);
    expect(server.lines).toHaveLength(2);
  });

  it('is one visit for all who ask at once, and for those who ask within a minute', async () => {
    let now = Date.now();
    const { server, greet } = await start({}, { now: () => now });
    const deadline = now + 600_000;
    const all = await Promise.all(Array.from({ length: 20 }, () => greet('mx.test', { deadline })));
    expect(new Set(all.map(({ banner }) => banner))).toEqual(new Set(['mx.test ESMTP']));
    await greet('mx.test', { deadline });
    expect(server.lines).toHaveLength(1);
    now += 60_000;
    await greet('mx.test', { deadline });
    expect(server.lines).toHaveLength(2);
  });

  it('goes on for those who stay when one leaves, and ends with the last', async () => {
    let say = (): void => {};
    const { server, greet } = await start({
      greeting: null,
      onConnect: (side) => {
        say = () => side.write('220 mx.test ESMTP\r\n');
      },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const leaves = greet('mx.test', { signal: first.signal });
    const stays = greet('mx.test', { signal: second.signal });
    await eventually(() => server.open === 1);
    first.abort();
    expect(await leaves).toMatchObject({ banner: null, fault: { kind: 'timeout', phase: 'GREETING' } });
    say();
    expect(await stays).toMatchObject({ banner: 'mx.test ESMTP', fault: null });
    const last = greet('other.test', { signal: AbortSignal.any([second.signal]) });
    await eventually(() => server.lines.length === 2);
    second.abort();
    await last;
    await eventually(() => server.open === 0);
  });

  it('takes its place among the sessions of the process', async () => {
    let [open, most] = [0, 0];
    const { server, prober, greet } = await start(
      {
        onConnect: () => {
          open++;
          most = Math.max(most, open);
        },
        answer: (line) => {
          if (/^QUIT/.test(line)) open--;
          return undefined;
        },
      },
      { maxSessions: 2 },
    );
    const all = await Promise.all([
      prober.probe(ask('real@d.test')),
      ...Array.from({ length: 8 }, (_, n) => greet(`mx${n}.test`)),
    ]);
    expect(all.slice(1)).toEqual(
      all.slice(1).map(() => expect.objectContaining({ banner: 'mx.test ESMTP' })),
    );
    expect(most).toBe(2);
    expect(server.lines).toHaveLength(9);
  });

  it('gives up waiting for a place when its time is over', async () => {
    const { greet } = await start({ greeting: null }, { maxSessions: 1 });
    const first = greet();
    expect(await greet('other.test', { deadline: Date.now() + 100 })).toMatchObject({
      attempts: [],
      fault: { kind: 'budget', phase: 'CONNECT' },
    });
    expect((await first).fault).toMatchObject({ kind: 'timeout' });
  });

  it('is ended by the prober that closes', async () => {
    const { server, prober, greet } = await start({ greeting: null });
    const greeting = greet();
    await eventually(() => server.open === 1);
    await prober.close();
    expect(await greeting).toMatchObject({ fault: { kind: 'timeout' } });
    expect(await greet('other.test')).toMatchObject({ attempts: [], fault: { kind: 'budget' } });
    await eventually(() => server.open === 0);
  });
});
