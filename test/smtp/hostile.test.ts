/** What a peer can do wrong: each ends as one finding with evidence, in its time, and the next one asked is served. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Phase, ProbeEvidence } from '../../src/smtp/index.ts';
import { HONEST, honestly, type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
/** Self-signed, for a hundred years, of nobody. */
const key = { cert: read('mx.test.cert.pem'), key: read('mx.test.key.pem') };

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
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@d.test`);
const codes = (evidence: readonly ProbeEvidence[]) => evidence.map(({ reply }) => reply?.code ?? null);
const silentAt =
  (verb: string): Scenario['answer'] =>
  (line) =>
    line.startsWith(verb) ? null : undefined;

describe('silence', () => {
  const timeouts = {
    GREETING: { greetingMs: 150 },
    EHLO: { ehloMs: 150 },
    MAIL_FROM: { mailFromMs: 150 },
    RCPT_TO: { rcptToMs: 150 },
    STARTTLS: { startTlsMs: 150 },
    TLS_HANDSHAKE: { tlsHandshakeMs: 150 },
  };
  const rows: readonly [keyof typeof timeouts, Scenario][] = [
    ['GREETING', { greeting: null }],
    ['EHLO', { answer: silentAt('EHLO') }],
    ['MAIL_FROM', { capabilities: [], answer: silentAt('MAIL') }],
    ['RCPT_TO', { answer: silentAt('RCPT') }],
    [
      'STARTTLS',
      {
        capabilities: ['STARTTLS'],
        answer: (line) =>
          /^MAIL/.test(line)
            ? '530 5.7.0 Must issue a STARTTLS command first'
            : /^STARTTLS/.test(line)
              ? null
              : undefined,
      },
    ],
    [
      'TLS_HANDSHAKE',
      {
        capabilities: ['STARTTLS'],
        answer: (line) =>
          line.startsWith('MAIL')
            ? '530 5.7.0 Must issue a STARTTLS command first'
            : /^(EHLO|RCPT|STARTTLS)/.test(line)
              ? undefined
              : null,
      },
    ],
  ];
  it.each(rows)('at %s ends there, in time', async (phase, scenario) => {
    const { server, prober } = await start(scenario, { timeouts: timeouts[phase] });
    const startedAt = performance.now();
    const evidence = await prober.probe(ask('real@d.test'));
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(evidence).toMatchObject({
      phase,
      reply: null,
      fault: { kind: phase === 'TLS_HANDSHAKE' ? 'tls' : 'timeout', phase },
      exchange: 'mx.test',
      ip: '127.0.0.1',
    });
    await eventually(() => server.open === 0);
  });

  it('of an asker that waits less long than the server may: its deadline, with the phase it was in', async () => {
    const { prober } = await start({ answer: silentAt('RCPT') }, { timeouts: { rcptToMs: 60_000 } });
    const evidence = await prober.probe(ask('real@d.test', { deadline: Date.now() + 150 }));
    expect(evidence.fault).toEqual({ kind: 'timeout', phase: 'RCPT_TO' });
    expect(evidence.transcript.at(-1)).toMatchObject({ direction: 'SERVER' });
    expect(evidence.durationMs).toBeLessThan(1_000);
  });

  it('of a greeting, to an asker that leaves: its phase, and the connection ends', async () => {
    const { server, prober } = await start({ greeting: null }, { timeouts: { greetingMs: 60_000 } });
    const controller = new AbortController();
    const asked = prober.probe(ask('real@d.test', { signal: controller.signal }));
    await eventually(() => server.open === 1);
    controller.abort();
    expect(await asked).toMatchObject({ fault: { kind: 'timeout', phase: 'GREETING' } });
    await eventually(() => server.open === 0);
  });

  it('does not hold up those who can be served by another session', async () => {
    let silent = true;
    const { server, prober } = await start(
      { answer: (line, side) => (/^RCPT/.test(line) && side.number === 0 && silent ? null : undefined) },
      { timeouts: { rcptToMs: 60_000, patienceMs: 50 } },
    );
    const stuck = prober.probe(ask('user@d.test', { deadline: Date.now() + 1_000 }));
    await eventually(() => server.recipients().length > 0);
    const served = await prober.probe(ask('user@e.test'));
    expect(served.reply?.code).toBe(250);
    silent = false;
    expect((await stuck).fault).toEqual({ kind: 'timeout', phase: 'RCPT_TO' });
  });
});

describe('an asker that leaves', () => {
  it('harms nobody else of its batch', async () => {
    let release: (() => void) | undefined;
    const { prober } = await start({
      answer: (line, side) => {
        if (!line.startsWith('RCPT')) return undefined;
        release = () => side.write('250 ok\r\n250 ok\r\n550 5.1.1 no\r\n');
        return null;
      },
    });
    const controller = new AbortController();
    const left = prober.probe(ask('user-left@d.test', { signal: controller.signal }));
    const stays = prober.probe(ask('user-stays@d.test'));
    await eventually(() => release !== undefined);
    controller.abort();
    expect((await left).fault).toMatchObject({ phase: 'RCPT_TO' });
    release?.();
    expect(await stays).toMatchObject({ reply: { code: 250 } });
  });

  it('that had left before it asked costs nothing', async () => {
    const { server, prober } = await start({});
    const evidence = await prober.probe(ask('real@d.test', { signal: AbortSignal.abort() }));
    expect(evidence).toMatchObject({ reply: null, fault: { kind: 'budget' } });
    await prober.probe(ask('real@d.test', { deadline: Date.now() - 1 }));
    expect(server.lines).toHaveLength(0);
  });

  it('before its turn came is out of budget', async () => {
    const { prober } = await start(
      { answer: silentAt('RCPT') },
      { maxSessions: 1, timeouts: { rcptToMs: 60_000 } },
    );
    const first = prober.probe(ask('real@d.test', { deadline: Date.now() + 400 }));
    const second = prober.probe(
      ask('real@e.test', { exchanges: makeExchanges('other.test'), deadline: Date.now() + 200 }),
    );
    expect(await second).toMatchObject({ attempts: [], fault: { kind: 'budget' }, transcript: [] });
    expect((await first).fault?.kind).toBe('timeout');
  });
});

describe('not SMTP', () => {
  const flood = (text: string) => (side: { write(text: string): void }) => side.write(text);
  const rows: readonly [name: string, phase: Phase, scenario: Scenario][] = [
    ['HTTP at the greeting', 'GREETING', { greeting: 'HTTP/1.1 400 Bad Request' }],
    ['binary at the greeting', 'GREETING', { greeting: '\u0000\u0001\u0002' }],
    ['1xx at the greeting', 'GREETING', { greeting: '150 wait' }],
    ['a second greeting', 'EHLO', { greeting: '220 a\r\n220 b\r\n220 c' }],
    ['garbage to EHLO', 'EHLO', { answer: (line) => (/^EHLO/.test(line) ? 'yes?' : undefined) }],
    ['codes that differ', 'EHLO', { answer: (line) => (/^EHLO/.test(line) ? '250-a\r\n251 b' : undefined) }],
    [
      'a reply that never ends',
      'GREETING',
      { greeting: null, onConnect: flood('220-more\r\n'.repeat(10_000)) },
    ],
    [
      'a line that never ends',
      'GREETING',
      { greeting: null, onConnect: flood(`220 ${'x'.repeat(1_000_000)}`) },
    ],
    [
      'a reply of 1 MB to EHLO',
      'EHLO',
      { answer: (line) => (/^EHLO/.test(line) ? `250-${'x'.repeat(4000)}\r\n`.repeat(250) : undefined) },
    ],
    ['garbage to RCPT', 'RCPT_TO', { answer: (line) => (/^RCPT/.test(line) ? 'maybe' : undefined) }],
    ['NUL to RCPT', 'RCPT_TO', { answer: (line) => (/^RCPT/.test(line) ? '\u0000250 ok' : undefined) }],
  ];
  it.each(rows)('%s is a fault at %s', async (_name, phase, scenario) => {
    const { server, prober } = await start(scenario);
    const evidence = await prober.probe(ask('real@d.test'));
    if (_name === 'a second greeting') expect(evidence.fault?.kind).toBe('protocol');
    else expect(evidence).toMatchObject({ phase, reply: null, fault: { kind: 'protocol', phase } });
    await eventually(() => server.open === 0);
  });

  it('an octet at a time is read as a whole, when it is in time', async () => {
    const { prober } = await start({
      greeting: null,
      onConnect: (side) => {
        for (const octet of '220 mx.test\r\n') side.write(octet);
      },
    });
    expect((await prober.probe(ask('real@d.test'))).reply?.code).toBe(250);
  });

  it('an octet now and then does not move the deadline', async () => {
    let drip: NodeJS.Timeout | undefined;
    const { prober } = await start(
      {
        greeting: null,
        onConnect: (side) => {
          drip = setInterval(() => side.write('2'), 20);
        },
      },
      { timeouts: { greetingMs: 200 } },
    );
    const startedAt = performance.now();
    const { fault } = await prober.probe(ask('real@d.test'));
    clearInterval(drip);
    expect(fault).toEqual({ kind: 'timeout', phase: 'GREETING' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('refused before anybody is asked', () => {
  it('a block at the banner is everybody’s evidence, and nobody knocks again for a while', async () => {
    const { server, prober } = await start({
      greeting: '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example',
    });
    const evidence = await Promise.all(names('user', 10).map((text) => prober.probe(ask(text))));
    for (const one of evidence)
      expect(one).toMatchObject({
        phase: 'GREETING',
        reply: { code: 554 },
        meaning: { kind: 'IP_BLOCKED' },
        fault: null,
        exchange: 'mx.test',
      });
    expect(prober.lanes()[0]?.state).toBe('PAUSED');
    const later = await prober.probe(ask('later@e.test'));
    expect(later).toMatchObject({ phase: 'GREETING', reply: { code: 554 } });
    expect(later.transcript.at(-1)?.direction).toBe('NOTE');
    expect(server.lines).toHaveLength(1);
    await eventually(() => server.lines[0]?.length === 1);
    expect(server.lines[0]).toEqual(['QUIT']);
  });

  it('a block ends', async () => {
    const clock = { now: 1_700_000_000_000 };
    let isBlocked = true;
    const server = await startServer({
      answer: (line) =>
        /^EHLO/.test(line) && isBlocked
          ? '421 4.7.0 Try again later'
          : /^MAIL/.test(line) && isBlocked
            ? null
            : undefined,
      greeting: '220 mx',
    });
    running.push(server);
    const prober = makeProber({ port: server.port, now: () => clock.now });
    running.push(prober);
    await prober.probe(ask('a@d.test', { deadline: clock.now + 5_000 }));
    isBlocked = false;
    clock.now += 10 * 60_000;
    expect((await prober.probe(ask('user@d.test', { deadline: clock.now + 5_000 }))).reply?.code).toBe(250);
  });

  it.each<[Phase, Scenario, number]>([
    ['GREETING', { greeting: '421 4.3.2 Too busy' }, 421],
    [
      'EHLO',
      { answer: (line) => (/^EHLO|^HELO/.test(line) ? '550 5.7.1 Your name is not yours' : undefined) },
      550,
    ],
    ['EHLO', { answer: (line) => (/^EHLO/.test(line) ? '451 4.7.1 Later' : undefined) }, 451],
    [
      'MAIL_FROM',
      {
        answer: (line) =>
          /^MAIL/.test(line)
            ? '550 5.7.1 Null sender refused'
            : /^RCPT/.test(line)
              ? '503 5.5.1 Need MAIL'
              : undefined,
      },
      550,
    ],
    [
      'MAIL_FROM',
      {
        answer: (line) =>
          /^MAIL/.test(line)
            ? '451 4.7.1 Greylisted, try again in 300 seconds'
            : /^RCPT/.test(line)
              ? '503 5.5.1 Need MAIL'
              : undefined,
      },
      451,
    ],
  ])('%s: each who waits gets the reply', async (phase, scenario, code) => {
    const { server, prober } = await start(scenario);
    const evidence = await Promise.all(names('user', 30).map((text) => prober.probe(ask(text))));
    for (const one of evidence) expect(one).toMatchObject({ phase, reply: { code }, fault: null });
    expect(server.lines.length).toBeLessThanOrEqual(1);
    expect(new Set(evidence.map(({ meaning }) => meaning?.kind)).size).toBe(1);
  });
});

describe('blocked at RCPT TO', () => {
  const blocked = (line: string) =>
    /^RCPT TO:<(.*)>/.test(line)
      ? `554 5.7.1 ${line.slice(8)}: Client host [192.0.2.1] blocked using zen.example`
      : undefined;

  it('stops asking about the domain, and shows nobody the address of another', async () => {
    const { server, prober } = await start({ answer: blocked });
    const evidence = await Promise.all(names('user', 60).map((text) => prober.probe(ask(text))));
    for (const [index, one] of evidence.entries()) {
      expect(one).toMatchObject({ phase: 'RCPT_TO', reply: { code: 554 }, meaning: { kind: 'IP_BLOCKED' } });
      const shown = JSON.stringify([one.reply, one.transcript]);
      const others = [...shown.matchAll(/user\d+@d\.test/g)]
        .map(([text]) => text)
        .filter((text) => text !== `user${index}@d.test`);
      expect(others).toEqual([]);
    }
    expect(server.recipients().length).toBeLessThanOrEqual(8);
    expect(prober.lanes()[0]?.state).not.toBe('PAUSED');
  });

  it('stops the whole lane when two domains say so', async () => {
    const { server, prober } = await start({ answer: blocked });
    await prober.probe(ask('user@d.test'));
    await prober.probe(ask('user@e.test'));
    expect(prober.lanes()[0]?.state).toBe('PAUSED');
    const count = server.recipients().length;
    await prober.probe(ask('user@f.test'));
    expect(server.recipients()).toHaveLength(count);
  });
});

describe('hanging up', () => {
  it('after each refusal: everybody is still answered', async () => {
    const { server, prober } = await start({
      answer: (line, side) => {
        if (!/^RCPT TO:<no/.test(line)) return undefined;
        side.write('550 5.1.1 User unknown\r\n');
        side.hangUp();
        return null;
      },
    });
    const texts = ['no1', 'user1', 'no2', 'user2', 'no3', 'user3'].map((name) => `${name}@d.test`);
    const evidence = await Promise.all(texts.map((text) => prober.probe(ask(text))));
    expect(codes(evidence)).toEqual([550, 250, 550, 250, 550, 250]);
    for (const [index, one] of evidence.entries()) if (index % 2 === 1) expect(one.catchAll).not.toBeNull();
    expect(server.lines.length).toBeLessThanOrEqual(8);
  });

  it('with 421 after two refusals: the rest are asked in another session', async () => {
    const { server, prober } = await start({
      answer: (line, side) => {
        if (!/^RCPT/.test(line) || side.recipients < 2) return undefined;
        side.write('421 4.7.0 Too many errors\r\n');
        side.hangUp();
        return null;
      },
    });
    const evidence = await Promise.all(names('no', 6).map((text) => prober.probe(ask(text))));
    expect(codes(evidence)).toEqual(Array(6).fill(550));
    expect(server.lines.length).toBeGreaterThan(2);
  });

  it('before anybody is answered: one session, evidence for all', async () => {
    const { server, prober } = await start({
      answer: (line, side) => {
        if (!/^RCPT/.test(line)) return undefined;
        side.hangUp();
        return null;
      },
    });
    const evidence = await Promise.all(names('user', 30).map((text) => prober.probe(ask(text))));
    for (const one of evidence)
      expect(one).toMatchObject({ reply: null, fault: { kind: 'closed', phase: 'RCPT_TO' } });
    expect(server.lines).toHaveLength(1);
  });

  it('with 421 to the first recipient: it is the evidence, with its words in the transcript', async () => {
    const { prober } = await start({
      answer: (line, side) => {
        if (!/^RCPT/.test(line)) return undefined;
        side.write('421 4.7.28 Our system has detected an unusual rate\r\n');
        side.hangUp();
        return null;
      },
    });
    const evidence = await prober.probe(ask('user@d.test'));
    expect(evidence).toMatchObject({ phase: 'RCPT_TO', reply: { code: 421 }, fault: null });
    expect(evidence.meaning).not.toBeNull();
    expect(evidence.transcript.at(-1)?.text).toContain('unusual rate');
  });

  it('of a kept session between two questions is not noticed by the second', async () => {
    let first: (() => void) | undefined;
    const { server, prober } = await start({
      onConnect: (side) => {
        first ??= () => {
          side.write('421 4.4.2 Timeout\r\n');
          side.hangUp();
        };
      },
    });
    await prober.probe(ask('real@d.test'));
    first?.();
    await eventually(() => server.open === 0);
    expect((await prober.probe(ask('real2@d.test'))).reply?.code).toBe(250);
    expect(server.lines).toHaveLength(2);
  });

  it.each(['at the greeting', 'at EHLO', 'at MAIL FROM'] as const)('%s is a closed fault', async (when) => {
    const hangUpAt = (verb: RegExp): Scenario => ({
      answer: (line, side) => {
        if (!verb.test(line)) return undefined;
        side.hangUp();
        return null;
      },
    });
    const scenario =
      when === 'at the greeting'
        ? { greeting: null, onConnect: (side: { hangUp(): void }) => side.hangUp() }
        : hangUpAt(when === 'at EHLO' ? /^(EHLO|HELO)/ : /^MAIL/);
    const phase = when === 'at the greeting' ? 'GREETING' : when === 'at EHLO' ? 'EHLO' : 'MAIL_FROM';
    const { prober } = await start(scenario);
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({ phase, fault: { kind: 'closed', phase } });
  });
});

describe('tarpit', () => {
  it('a canary that is never answered does not take the acceptance back', async () => {
    const { server, prober } = await start(
      { answer: (line) => (/^RCPT TO:<(?!real)/.test(line) ? null : undefined) },
      { timeouts: { rcptToMs: 200 } },
    );
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({
      phase: 'RCPT_TO',
      reply: { code: 250 },
      meaning: { kind: 'ACCEPTED' },
      catchAll: { answer: 'UNKNOWN' },
    });
    expect(server.recipients()).toHaveLength(2);
  });

  it('a session has an end, however slowly the server answers', async () => {
    const { server, prober } = await start(
      {
        answer: (line, side) => {
          if (!/^RCPT/.test(line)) return undefined;
          setTimeout(() => side.write('250 2.1.5 Ok\r\n'), 150);
          return null;
        },
        capabilities: [],
      },
      { timeouts: { sessionMs: 500, rcptToMs: 60_000 }, maxSessionsPerExchange: 1 },
    );
    await Promise.all(
      names('user', 6).map((text) => prober.probe(ask(text, { deadline: Date.now() + 4_000 }))),
    );
    expect(server.lines.length).toBeGreaterThan(1);
  });
});

describe('TLS', () => {
  const demands = (line: string, side: { readonly isSecure: boolean }, verb: string): string | undefined =>
    line.startsWith(verb) && !side.isSecure ? '530 5.7.0 Must issue a STARTTLS command first' : undefined;
  const capabilities = [...HONEST, 'STARTTLS'];

  it.each(['MAIL', 'RCPT'])('is begun when %s demands it, and everything asked again in it', async (verb) => {
    const { server, prober } = await start({
      key,
      capabilities,
      answer: (line, side) => demands(line, side, verb),
    });
    const evidence = await Promise.all(
      ['real@d.test', 'nobody@d.test'].map((text) => prober.probe(ask(text))),
    );
    expect(codes(evidence)).toEqual([250, 550]);
    expect(evidence[0]?.catchAll?.answer).toBe('NO');
    expect(server.lines).toHaveLength(1);
    expect(server.lines[0]?.filter((line) => line.startsWith('EHLO'))).toHaveLength(2);
    const texts = evidence[0]?.transcript.map(({ text }) => text).join('\n');
    expect(texts).toMatch(/TLSv1\.3 with .*certificate of mx\.test, not trusted/);
  });

  it('is begun at once in the next session of the lane', async () => {
    const { server, prober } = await start(
      { key, capabilities, answer: (line, side) => demands(line, side, 'MAIL') },
      { timeouts: { idleMs: 20 } },
    );
    await prober.probe(ask('real@d.test'));
    await eventually(() => server.open === 0);
    await prober.probe(ask('real2@d.test'));
    expect(server.lines[1]?.slice(0, 4)).toEqual([
      'EHLO prober.test',
      'STARTTLS',
      'EHLO prober.test',
      'MAIL FROM:<>',
    ]);
  });

  it('that is demanded and not offered leaves the reply as evidence', async () => {
    const { prober } = await start({ answer: (line, side) => demands(line, side, 'MAIL') });
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({
      phase: 'MAIL_FROM',
      reply: { code: 530 },
      meaning: { kind: 'TLS_REQUIRED' },
    });
  });

  it('that fails is a TLS fault', async () => {
    const { server, prober } = await start({
      capabilities,
      answer: (line, side) => {
        if (/^STARTTLS/.test(line)) {
          side.write('220 go\r\nthis is no TLS at all, whatever was said before\r\n');
          return null;
        }
        return demands(line, side, 'MAIL');
      },
    });
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence.reply).toBeNull();
    expect(evidence.fault?.kind).toBe('tls');
    expect(evidence.phase).toBe('TLS_HANDSHAKE');
    await eventually(() => server.open === 0);
  });

  it('refused with 454 leaves that reply as evidence', async () => {
    const { prober } = await start({
      capabilities,
      answer: (line, side) =>
        /^STARTTLS/.test(line) ? '454 4.7.0 TLS not available' : demands(line, side, 'MAIL'),
    });
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({ phase: 'STARTTLS', reply: { code: 454 } });
  });

  it('believes nothing that was slipped in behind the 220 (CVE-2011-0411)', async () => {
    const { server, prober } = await start({
      key,
      capabilities,
      answer: (line, side) =>
        /^STARTTLS/.test(line)
          ? '220 go\r\n250-evil\r\n250 SMTPUTF8'
          : /^EHLO/.test(line)
            ? honestly(line, side.isSecure ? HONEST : capabilities)
            : demands(line, side, 'MAIL'),
    });
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence.transcript.map(({ text }) => text).join('\n')).not.toContain('evil');
    expect(evidence.reply?.code).toBe(250);
    expect(server.lines[0]?.[0]).toBe('EHLO prober.test');
  });
});

describe('SMTPUTF8', () => {
  it('is asked for only where the address needs it', async () => {
    const { server, prober } = await start({ capabilities: [...HONEST, 'SMTPUTF8'] });
    await Promise.all(['real@d.test', 'userü@d.test', 'user2@d.test'].map((text) => prober.probe(ask(text))));
    const mail = server.lines[0]?.filter((line) => line.startsWith('MAIL')) ?? [];
    expect(mail).toContain('MAIL FROM:<> SMTPUTF8');
    expect(mail).toContain('MAIL FROM:<>');
    expect(server.recipients()).toContain('userü@d.test');
  });

  it('that is not offered is a fault of that address alone', async () => {
    const { server, prober } = await start({});
    const [ascii, other] = await Promise.all(
      ['real@d.test', 'userü@d.test'].map((text) => prober.probe(ask(text))),
    );
    expect(ascii?.reply?.code).toBe(250);
    expect(other).toMatchObject({
      phase: 'MAIL_FROM',
      reply: null,
      fault: { kind: 'needsSmtpUtf8' },
      exchange: 'mx.test',
    });
    expect(server.recipients()).not.toContain('userü@d.test');
  });
});
