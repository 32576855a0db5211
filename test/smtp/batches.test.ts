/** How addresses share a conversation: what goes over the wire, in which order, over how many connections. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeEvidence } from '../../src/smtp/index.ts';
import { HONEST, type Scenario, type ScriptedServer, startServer } from './scripted-server.ts';
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

const isCanary = (path: string): boolean => /^[a-z][a-z0-9]{15}@/.test(path) && !/^(user|real|no)/.test(path);
const canaries = (server: ScriptedServer): string[] => server.recipients().filter(isCanary);
const codes = (evidence: readonly ProbeEvidence[]) => evidence.map(({ reply }) => reply?.code ?? null);
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@d.test`);

describe('one conversation, many addresses', () => {
  it('writes MAIL FROM, the recipients and last the canary at once', async () => {
    const { server, prober } = await start({});
    const evidence = await Promise.all(
      ['real@d.test', 'nobody@d.test'].map((text) => prober.probe(ask(text))),
    );
    expect(codes(evidence)).toEqual([250, 550]);
    const [ehlo, batch = ''] = server.chunks[0] ?? [];
    expect(ehlo).toBe('EHLO prober.test\r\n');
    expect(batch).toMatch(
      /^MAIL FROM:<>\r\nRCPT TO:<real@d\.test>\r\nRCPT TO:<nobody@d\.test>\r\nRCPT TO:<[a-z][a-z0-9]{15}@d\.test>\r\n$/,
    );
    expect(evidence[0]?.catchAll).toMatchObject({ answer: 'NO', reply: { code: 550 } });
    expect(prober.stats).toEqual({ sessionsOpened: 1, commandsSent: 5 });
  });

  it('needs one connection for fifty addresses of one domain asked at once', async () => {
    const { server, prober } = await start({});
    const texts = [...names('user', 45), ...names('no', 5)];
    const evidence = await Promise.all(texts.map((text) => prober.probe(ask(text))));
    expect(codes(evidence)).toEqual([...Array(45).fill(250), ...Array(5).fill(550)]);
    expect(server.lines).toHaveLength(1);
    expect(
      server
        .recipients()
        .filter((path) => !isCanary(path))
        .sort(),
    ).toEqual([...texts].sort());
  });

  it('asks the canary once a domain, however many ask and whenever', async () => {
    const { server, prober } = await start({});
    await Promise.all(names('user', 30).map((text) => prober.probe(ask(text))));
    await prober.probe(ask('real@d.test'));
    await prober.probeCatchAll({ ...ask('x@d.test'), domain: ask('x@d.test').address.domain });
    expect(canaries(server)).toHaveLength(1);
    await prober.probe(ask('real@e.test'));
    expect(canaries(server)).toHaveLength(2);
  });

  it('asks the canary again after a day, with another name', async () => {
    const clock = { now: 1_700_000_000_000 };
    const { server, prober } = await start({}, { now: () => clock.now });
    await prober.probe(ask('real@d.test', { deadline: clock.now + 5_000 }));
    clock.now += 24 * 60 * 60_000;
    await prober.probe(ask('real@d.test', { deadline: clock.now + 5_000 }));
    expect(new Set(canaries(server)).size).toBe(2);
  });

  it('finds a catch-all, alone or beside an address', async () => {
    const { server, prober } = await start({
      answer: (line) => (/^RCPT/.test(line) ? '250 2.1.5 Ok' : undefined),
    });
    const { domain } = ask('x@d.test').address;
    const findings = await Promise.all(
      [1, 2, 3].map(() => prober.probeCatchAll({ ...ask('x@d.test'), domain })),
    );
    expect(findings.map(({ answer }) => answer)).toEqual(['YES', 'YES', 'YES']);
    expect(server.recipients()).toHaveLength(1);
    expect((await prober.probe(ask('real@d.test'))).catchAll?.answer).toBe('YES');
    expect(server.recipients()).toHaveLength(2);
  });

  it('keeps the session for the next address, with RSET between domains', async () => {
    const { server, prober } = await start({});
    await prober.probe(ask('real@d.test'));
    await prober.probe(ask('real@e.test'));
    await prober.probe(ask('real2@d.test'));
    expect(server.lines).toHaveLength(1);
    expect(server.lines[0]?.filter((line) => !line.startsWith('RCPT'))).toEqual([
      'EHLO prober.test',
      'MAIL FROM:<>',
      'RSET',
      'MAIL FROM:<>',
      'RSET',
      'MAIL FROM:<>',
    ]);
  });

  it('never mixes domains in a transaction', async () => {
    const { server, prober } = await start({});
    await Promise.all(
      ['d', 'e', 'f'].flatMap((domain) =>
        ['a', 'b'].map((name) => prober.probe(ask(`user${name}@${domain}.test`))),
      ),
    );
    expect(server.lines).toHaveLength(1);
    const transactions = (server.lines[0] ?? []).join('\n').split('MAIL FROM:<>').slice(1);
    expect(transactions).toHaveLength(3);
    for (const transaction of transactions) {
      const domains = [...transaction.matchAll(/@(\w)\.test>/g)].map(([, domain]) => domain);
      expect(new Set(domains).size).toBe(1);
      expect(domains).toHaveLength(3);
    }
  });

  it('shares a lane among domains with the same exchanges in any order', async () => {
    const { server, prober } = await start({});
    await prober.probe(ask('real@d.test', { exchanges: makeExchanges('a.test', 'b.test') }));
    await prober.probe(ask('real@e.test', { exchanges: makeExchanges('b.test', 'a.test') }));
    await prober.probe(ask('real@f.test', { exchanges: makeExchanges('c.test') }));
    expect(server.lines).toHaveLength(2);
    expect(prober.lanes()).toHaveLength(2);
  });

  it('takes interactive before bulk, and domains in turn', async () => {
    const { server, prober } = await start({ capabilities: [] });
    await prober.probe(ask('real@d.test'));
    await Promise.all([
      ...names('user', 5).map((text) => prober.probe(ask(text, { priority: 'bulk' }))),
      prober.probe(ask('userbulk@e.test', { priority: 'bulk' })),
      prober.probe(ask('userinteractive@f.test', { priority: 'interactive' })),
    ]);
    const asked = server.recipients().filter((path) => path.startsWith('user'));
    expect(asked[0]).toBe('userinteractive@f.test');
    expect(asked).toHaveLength(7);
  });

  it('leaves an unused session with QUIT', async () => {
    const { server, prober } = await start({}, { timeouts: { idleMs: 30 } });
    await prober.probe(ask('real@d.test'));
    await eventually(() => server.open === 0);
    expect(server.lines[0]?.at(-1)).toBe('QUIT');
    expect(prober.lanes()[0]).toMatchObject({ state: 'IDLE', sessions: 0 });
  });
});

describe('without PIPELINING', () => {
  it('writes one command at a time, and the canary only after an acceptance', async () => {
    const { server, prober } = await start({ capabilities: [] });
    const refused = await prober.probe(ask('nobody@d.test'));
    expect(refused).toMatchObject({ reply: { code: 550 }, catchAll: null });
    expect(canaries(server)).toEqual([]);
    const accepted = await prober.probe(ask('real@d.test'));
    expect(accepted.catchAll?.answer).toBe('NO');
    expect(canaries(server)).toHaveLength(1);
    for (const chunk of server.chunks[0] ?? []) expect(chunk.match(/\r\n/g)).toHaveLength(1);
  });

  it('says HELO where EHLO is refused', async () => {
    const { server, prober } = await start({
      answer: (line) => (/^EHLO/.test(line) ? '502 5.5.1 What?' : undefined),
    });
    expect((await prober.probe(ask('real@d.test'))).reply?.code).toBe(250);
    expect(server.lines[0]?.slice(0, 3)).toEqual(['EHLO prober.test', 'HELO prober.test', 'MAIL FROM:<>']);
    for (const chunk of server.chunks[0] ?? []) expect(chunk.match(/\r\n/g)).toHaveLength(1);
  });
});

describe('a good neighbour', () => {
  it.each([[HONEST], [[]]])('no session sees more than 8 refusals (%j)', async (capabilities) => {
    const { server, prober } = await start({ capabilities });
    const evidence = await Promise.all(
      names('no', 40).map((text) => prober.probe(ask(text, { priority: 'bulk' }))),
    );
    expect(codes(evidence)).toEqual(Array(40).fill(550));
    await prober.close();
    await eventually(() => server.open === 0);
    expect(server.lines.length).toBeGreaterThan(4);
    for (const lines of server.lines) {
      expect(lines.filter((line) => line.startsWith('RCPT')).length).toBeLessThanOrEqual(8);
      expect(lines.at(-1)).toBe('QUIT');
    }
  });

  it('counts refusals over transactions, and does not count acceptances', async () => {
    const { server, prober } = await start({ capabilities: HONEST });
    const texts = Array.from({ length: 60 }, (_, n) => `${n % 10 === 0 ? 'no' : 'user'}${n}@d${n % 3}.test`);
    await Promise.all(texts.map((text) => prober.probe(ask(text))));
    for (const lines of server.lines)
      expect(lines.filter((line) => /^RCPT TO:<(?!user)/.test(line)).length).toBeLessThanOrEqual(8);
    expect(server.lines.length).toBeLessThanOrEqual(2);
  });

  it('opens no more sessions to an exchange, and in all, than it may', async () => {
    const { server, prober } = await start({}, { maxSessionsPerExchange: 3, maxSessions: 4 });
    const ofLane = (lane: string, count: number) =>
      Array.from({ length: count }, (_, n) =>
        prober.probe(
          ask(`user${n}@${lane}${n % 7}.test`, {
            exchanges: makeExchanges(`mx.${lane}.test`),
            priority: 'bulk',
          }),
        ),
      );
    await Promise.all([...ofLane('a', 600), ...ofLane('b', 600)]);
    expect(server.mostAtOnce).toBeLessThanOrEqual(4);
    expect(server.mostAtOnce).toBeGreaterThan(1);
  });

  it('gives an idle session of another lane back when none is free', async () => {
    const { server, prober } = await start({}, { maxSessions: 1 });
    await prober.probe(ask('real@d.test', { exchanges: makeExchanges('a.test') }));
    const evidence = await prober.probe(ask('real@d.test', { exchanges: makeExchanges('b.test') }));
    expect(evidence.reply?.code).toBe(250);
    expect(server.mostAtOnce).toBe(1);
    expect(server.lines[0]?.at(-1)).toBe('QUIT');
  });

  it('takes a session from a huge job for others who wait', async () => {
    const { server, prober } = await start({}, { maxSessions: 1, timeouts: { shareMs: 20 } });
    const leave = new AbortController();
    let answered = 0;
    const job = names('user', 20_000).map(async (text) => {
      const exchanges = makeExchanges('huge.test');
      await prober.probe(
        ask(text, { exchanges, priority: 'bulk', signal: leave.signal, deadline: Date.now() + 20_000 }),
      );
      answered++;
    });
    await eventually(() => answered > 0);
    expect(
      (await prober.probe(ask('real@d.test', { exchanges: makeExchanges('small.test') }))).reply?.code,
    ).toBe(250);
    expect(answered).toBeLessThan(20_000);
    leave.abort();
    await Promise.all(job);
    expect(server.mostAtOnce).toBe(1);
  });

  it('keeps to its rate of probes', async () => {
    const { server, prober } = await start({}, { probesPerSecondPerExchange: 40 });
    const startedAt = performance.now();
    await Promise.all(names('user', 55).map((text) => prober.probe(ask(text))));
    const seconds = (performance.now() - startedAt) / 1000;
    expect(server.recipients()).toHaveLength(56);
    expect(seconds).toBeGreaterThan(0.35);
    expect(server.recipients().length / (seconds + 1)).toBeLessThanOrEqual(42);
  });

  it('learns how many recipients a transaction takes, and asks the rest in the next', async () => {
    const { server, prober } = await start({
      answer: (line, side) =>
        /^RCPT/.test(line) && side.recipientsInTransaction >= 2 ? '452 4.5.3 Too many recipients' : undefined,
    });
    const evidence = await Promise.all(names('user', 6).map((text) => prober.probe(ask(text))));
    expect(codes(evidence)).toEqual(Array(6).fill(250));
    const warm = server.recipients().length;
    await Promise.all(names('userx', 4).map((text) => prober.probe(ask(text))));
    expect(server.recipients().length).toBe(warm + 4);
  });

  it('takes a server at its word about recipients of a transaction (RFC 9422)', async () => {
    const { server, prober } = await start({ capabilities: [...HONEST, 'LIMITS RCPTMAX=3'] });
    await Promise.all(names('user', 9).map((text) => prober.probe(ask(text))));
    const transactions = (server.lines[0] ?? []).join('\n').split('MAIL FROM:<>').slice(1);
    for (const transaction of transactions) expect(transaction.match(/RCPT/g)?.length).toBeLessThanOrEqual(3);
  });

  it('believes 452 4.5.3 to the first recipient to be about that one', async () => {
    const { prober } = await start({
      answer: (line) => (/^RCPT/.test(line) ? '452 4.5.3 Too many recipients' : undefined),
    });
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({
      reply: { code: 452 },
      phase: 'RCPT_TO',
      fault: null,
    });
  });
});

describe('receipts', () => {
  it('show the conversation up to the own recipient and nobody else', async () => {
    const { prober } = await start({});
    const texts = ['user-one@d.test', 'nobody-two@d.test', 'user-three@d.test'];
    const evidence = await Promise.all(texts.map((text) => prober.probe(ask(text))));
    const later = await prober.probe(ask('user-four@e.test'));
    for (const [index, { transcript }] of evidence.entries()) {
      const lines = transcript.map(({ direction, text }) => `${direction[0]} ${text}`);
      for (const [other, text] of texts.entries())
        expect(lines.join('\n').includes(text)).toBe(other === index);
      expect(lines[0]).toMatch(/^N connecting to mx\.test \[127\.0\.0\.1\]/);
      expect(lines).toContain('C EHLO prober.test');
      expect(lines).toContain('S 250-PIPELINING');
      expect(lines).toContain('C MAIL FROM:<>');
    }
    expect(evidence[2]?.transcript.map(({ text }) => text)).toContain(
      '2 other recipients asked in the same transaction',
    );
    expect(later.transcript.map(({ text }) => text)).toContain(
      'kept session: 3 other recipients asked before',
    );
    expect(later.transcript.map(({ text }) => text).join('\n')).not.toMatch(/one@|two@|three@/);
  });

  it('say what was escaped', async () => {
    const { prober } = await start({ greeting: '220 \u001b[31mred\u0007' });
    const { transcript } = await prober.probe(ask('real@d.test'));
    expect(transcript[1]?.text).toBe('220 \ufffd[31mred\ufffd');
  });
});
