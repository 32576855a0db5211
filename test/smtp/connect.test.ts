/** Which exchange and address is asked, and what is kept of those that were not reached. */
import { afterEach, describe, expect, it } from 'vitest';
import { createGuard, type ProbeEvent } from '../../src/smtp/index.ts';
import { type Scenario, startServer } from './scripted-server.ts';
import { startSilentListener } from './silent-listener.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const prober = makeProber({ port: server.port, ...world });
  running.push(server, prober);
  return { server, prober };
};
const kinds = (attempts: readonly { readonly outcome: { readonly kind: string } }[]) =>
  attempts.map(({ outcome }) => outcome.kind);

describe('connecting', () => {
  it('goes from address to address and from exchange to exchange', async () => {
    const { prober } = await start(
      {},
      {
        addresses: { 'dead.test': ['127.0.0.2', '127.0.0.3'], 'empty.test': [], 'alive.test': ['127.0.0.1'] },
        answers: { 'servfail.test': { kind: 'failure', failure: 'SERVFAIL' } },
      },
    );
    const evidence = await prober.probe(
      ask('real@d.test', {
        exchanges: makeExchanges('servfail.test', 'empty.test', 'dead.test', 'alive.test'),
      }),
    );
    expect(evidence).toMatchObject({ reply: { code: 250 }, exchange: 'alive.test', ip: '127.0.0.1' });
    expect(evidence.attempts).toEqual([
      { host: 'servfail.test', ip: null, outcome: { kind: 'dnsFailure', failure: 'SERVFAIL' } },
      { host: 'empty.test', ip: null, outcome: { kind: 'noAddress' } },
      { host: 'dead.test', ip: '127.0.0.2', outcome: { kind: 'connectFailed', error: 'ECONNREFUSED' } },
      { host: 'dead.test', ip: '127.0.0.3', outcome: { kind: 'connectFailed', error: 'ECONNREFUSED' } },
      { host: 'alive.test', ip: '127.0.0.1', outcome: { kind: 'connected' } },
    ]);
  });

  it('does not wait for a dead exchange twice', async () => {
    const { prober } = await start(
      {},
      { addresses: { 'dead.test': ['127.0.0.2'] }, timeouts: { idleMs: 10 } },
    );
    const exchanges = makeExchanges('dead.test', 'alive.test');
    await prober.probe(ask('real@d.test', { exchanges }));
    await eventually(() => prober.lanes()[0]?.sessions === 0);
    const again = await prober.probe(ask('real2@d.test', { exchanges }));
    expect(again.attempts).toEqual([{ host: 'alive.test', ip: '127.0.0.1', outcome: { kind: 'connected' } }]);
  });

  it('never connects to an address that the guard refuses', async () => {
    const { server, prober } = await start(
      {},
      {
        guard: createGuard([]),
        addresses: { 'mx.test': ['127.0.0.1', '169.254.169.254', '::ffff:127.0.0.1'] },
      },
    );
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({ phase: 'RESOLVE', exchange: null, ip: null, reply: null, fault: null });
    expect(evidence.attempts.map(({ outcome }) => outcome)).toEqual([
      { kind: 'unroutable', range: 'loopback' },
      { kind: 'unroutable', range: 'loopback' },
      { kind: 'unroutable', range: 'metadata' },
    ]);
    expect(server.lines).toHaveLength(0);
    expect(prober.stats).toEqual({ sessionsOpened: 0, commandsSent: 0 });
  });

  it('says so when nobody could be reached', async () => {
    const { prober } = await start({}, { addresses: { 'mx.test': ['127.0.0.2'] } });
    const evidence = await Promise.all(['a@d.test', 'b@d.test'].map((text) => prober.probe(ask(text))));
    for (const one of evidence)
      expect(one).toMatchObject({
        phase: 'CONNECT',
        exchange: null,
        reply: null,
        fault: null,
        attempts: [{ outcome: { kind: 'connectFailed' } }],
      });
  });

  it('gives up an address that does not answer at all', async () => {
    const silent = await startSilentListener('127.0.0.1');
    const prober = makeProber({ port: silent.port, timeouts: { connectMs: 200 } });
    running.push(silent, prober);
    const startedAt = performance.now();
    const evidence = await prober.probe(ask('real@d.test'));
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(evidence).toMatchObject({
      phase: 'CONNECT',
      exchange: null,
      fault: null,
      attempts: [{ host: 'mx.test', ip: '127.0.0.1', outcome: { kind: 'connectTimeout' } }],
    });
    expect(prober.stats.sessionsOpened).toBe(0);
  });

  it('goes on after a quarter of a second without an answer, and speaks to whoever connects first', async () => {
    const { server, prober } = await start({}, { addresses: { 'mx.test': ['127.0.0.2', '127.0.0.1'] } });
    running.push(await startSilentListener('127.0.0.2', server.port));
    const startedAt = performance.now();
    const evidence = await prober.probe(ask('real@d.test'));
    expect(performance.now() - startedAt).toBeGreaterThan(240);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(evidence).toMatchObject({
      ip: '127.0.0.1',
      reply: { code: 250 },
      attempts: [{ ip: '127.0.0.1', outcome: { kind: 'connected' } }],
    });
    expect(prober.stats.sessionsOpened).toBe(1);
    expect(evidence.transcript.map(({ text }) => text)).toContain('connected to [127.0.0.1]');
  });

  it('falls back from IPv6 to IPv4 at once', async () => {
    const { prober } = await start({}, { addresses: { 'mx.test': ['::1', '127.0.0.1'] } });
    expect((await prober.probe(ask('real@d.test'))).attempts).toEqual([
      { host: 'mx.test', ip: '::1', outcome: { kind: 'connectFailed', error: expect.any(String) } },
      { host: 'mx.test', ip: '127.0.0.1', outcome: { kind: 'connected' } },
    ]);
  });

  it('tells those who watch what the opening comes to', async () => {
    const { prober } = await start(
      { greeting: '554 5.7.1 no' },
      { addresses: { 'dead.test': ['127.0.0.2'] } },
    );
    const events: ProbeEvent[] = [];
    await prober.probe(
      ask('real@d.test', {
        exchanges: makeExchanges('dead.test', 'mx.test'),
        observe: (event) => events.push(event),
      }),
    );
    expect(events.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        'connecting to dead.test [127.0.0.2]',
        'dead.test [127.0.0.2] is not connected: ECONNREFUSED',
        'connecting to mx.test [127.0.0.1]',
        'mx.test greets with 554',
        'mx.test refuses us: 554',
      ]),
    );
    expect(events.filter(({ reply }) => reply).map(({ phase }) => phase)).toContain('GREETING');
  });

  it('asks at most four addresses of ten exchanges', async () => {
    const hosts = Array.from({ length: 14 }, (_, n) => `mx${n}.test`);
    const ips = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7'];
    const { prober } = await start({}, { addresses: Object.fromEntries(hosts.map((host) => [host, ips])) });
    const evidence = await prober.probe(ask('real@d.test', { exchanges: makeExchanges(...hosts) }));
    expect(evidence.attempts).toHaveLength(40);
  });

  it('tries the next exchange when one refuses at its banner', async () => {
    const { prober } = await start({}, { addresses: { 'busy.test': ['127.0.0.2'] } });
    const busy = await startServer({ greeting: '421 4.3.2 Busy' }, '127.0.0.2');
    running.push(busy);
    const both = makeProber({
      port: busy.port,
      addresses: { 'busy.test': ['127.0.0.2'], 'gone.test': ['127.0.0.3'] },
    });
    running.push(both, prober);
    const evidence = await both.probe(
      ask('real@d.test', { exchanges: makeExchanges('busy.test', 'gone.test') }),
    );
    expect(evidence).toMatchObject({
      phase: 'GREETING',
      reply: { code: 421 },
      exchange: 'busy.test',
      ip: '127.0.0.2',
    });
    expect(kinds(evidence.attempts)).toEqual(['connected', 'connectFailed']);
  });

  it('keeps the first refusal, and knocks at three doors at most', async () => {
    const { server, prober } = await start({ greeting: '554 5.7.1 blocked' });
    const evidence = await prober.probe(
      ask('real@d.test', { exchanges: makeExchanges('a.test', 'b.test', 'c.test', 'd.test') }),
    );
    expect(evidence).toMatchObject({ phase: 'GREETING', reply: { code: 554 }, exchange: 'a.test' });
    expect(server.lines).toHaveLength(3);
  });

  it('ends within its deadline however many exchanges are silent', async () => {
    const { prober } = await start({ greeting: null }, { timeouts: { greetingMs: 200, openMs: 500 } });
    const startedAt = performance.now();
    const evidence = await prober.probe(
      ask('real@d.test', { exchanges: makeExchanges('a.test', 'b.test', 'c.test', 'd.test', 'e.test') }),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(evidence).toMatchObject({ phase: 'GREETING', fault: { kind: 'timeout', phase: 'GREETING' } });
  });

  it('fails the one question, and lives, when a port of ours breaks its promise', async () => {
    const server = await startServer({});
    let isBroken = true;
    const { createProber } = await import('../../src/smtp/index.ts');
    const prober = createProber({
      lookupAddresses: async () => {
        if (isBroken) throw new Error('a bug');
        return { kind: 'addresses', addresses: [{ ip: '127.0.0.1', family: 4 }] };
      },
      guard: createGuard(['127.0.0.0/8']),
      port: server.port,
      heloName: 'prober.test',
      mailFrom: '',
      maxSessions: 1,
      maxSessionsPerExchange: 1,
      probesPerSecondPerExchange: 0,
    });
    running.push(server, prober);
    await expect(prober.probe(ask('real@d.test'))).rejects.toThrow('a bug');
    isBroken = false;
    expect((await prober.probe(ask('real@d.test'))).reply?.code).toBe(250);
  });
});

describe('bugs', () => {
  it('of a caller fail its own question alone, with no address in the message', async () => {
    const { server, prober } = await start({});
    const [bad, good] = await Promise.allSettled(
      ['a\r\nRCPT TO:<b@d.test', 'real@d.test'].map((text) =>
        prober.probe({
          ...ask('real@d.test'),
          address: { ...ask('real@d.test').address, localPart: text.replace(/@d.test$/, '') },
        }),
      ),
    );
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { message: 'unprintable path in an SMTP command' },
    });
    expect(good).toMatchObject({ status: 'fulfilled', value: { reply: { code: 250 } } });
    expect(server.recipients()).not.toContain('b@d.test');
  });

  it.each([
    ['heloName', 'me\r\nDATA'],
    ['heloName', ''],
    ['mailFrom', 'a@b> SIZE=1'],
  ])('in %s (%j) show at start', (name, value) => {
    expect(() => makeProber({ port: 1, [name]: value })).toThrow('unprintable');
  });
});

describe('closing', () => {
  it('answers everybody and leaves no connection', async () => {
    const { server, prober } = await start(
      { answer: (line) => (/^RCPT/.test(line) ? null : undefined) },
      { timeouts: { rcptToMs: 60_000 } },
    );
    const asked = Promise.all(['a', 'b', 'c'].map((name) => prober.probe(ask(`${name}@${name}.test`))));
    await eventually(() => server.recipients().length > 0);
    await prober.close();
    for (const one of await asked) expect(one.fault?.kind).toBe('budget');
    await eventually(() => server.open === 0);
    expect(await prober.probe(ask('late@d.test'))).toMatchObject({ fault: { kind: 'budget' }, attempts: [] });
  });

  it('says QUIT in an idle session, and does not wait long for a server that ignores it', async () => {
    const { server, prober } = await start({ answer: (line) => (/^QUIT/.test(line) ? null : undefined) });
    await prober.probe(ask('real@d.test'));
    const startedAt = performance.now();
    await prober.close();
    expect(performance.now() - startedAt).toBeLessThan(600);
    expect(server.lines[0]?.at(-1)).toBe('QUIT');
  });
});
