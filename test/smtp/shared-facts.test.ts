/** Several probers with one store: what the second one is told before it asks, and what a bad store costs. */
import { afterEach, describe, expect, it } from 'vitest';
import type { SharedFacts } from '../../src/smtp/index.ts';
import { CATCH_ALL_LIFE_MS, FACTS_DEADLINE_MS, LEARNED_LIFE_MS } from '../../src/smtp/limits.ts';
import { memoryFacts } from './neighbours.ts';
import { HONEST, honestly, type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario = {}) => {
  const server = await startServer(scenario);
  running.push(server);
  const clock = { now: 1_700_000_000_000 };
  const errors: unknown[] = [];
  /** A process of its own. */
  const join = (facts: SharedFacts | null, source = '192.0.2.1', world: Partial<World> = {}) => {
    const prober = makeProber({
      port: server.port,
      now: () => clock.now,
      facts,
      source,
      onError: (error) => errors.push(error),
      ...world,
    });
    running.push(prober);
    const probe = (text: string) => prober.probe(ask(text, { deadline: clock.now + 5_000 }));
    return { prober, probe };
  };
  const canaries = () => server.recipients().filter((path) => !/^(user|real|no)/.test(path));
  return { server, clock, errors, join, canaries };
};
const isWritten = (facts: ReturnType<typeof memoryFacts>, kind: string) =>
  eventually(() => facts.list().some((fact) => fact.kind === kind));

describe('a store in trouble', () => {
  it.each<[string, SharedFacts['recall']]>([
    ['rejects', () => Promise.reject(new Error('the store is down'))],
    [
      'throws',
      () => {
        throw new Error('the store is broken');
      },
    ],
    ['never answers', () => new Promise(() => undefined)],
  ])('that %s costs a moment, once, and no verdict', async (_name, recall) => {
    const { errors, join } = await start();
    let calls = 0;
    const facts: SharedFacts = {
      recall: (subjects) => {
        calls++;
        return recall(subjects);
      },
      remember: () => Promise.reject(new Error('nor does it take anything')),
    };
    const { prober, probe } = join(facts);
    const startedAt = performance.now();
    expect((await probe('user1@d.test')).reply?.code).toBe(250);
    expect(performance.now() - startedAt).toBeLessThan(FACTS_DEADLINE_MS + 1_000);
    for (let n = 0; n < 20; n++) {
      const at = performance.now();
      expect((await probe(`user${n}@d${n}.test`)).catchAll?.answer).toBe('NO');
      expect(performance.now() - at).toBeLessThan(FACTS_DEADLINE_MS);
    }
    expect(calls).toBe(1);
    await prober.close();
    expect(errors.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors.map(String))).not.toContain('user');
  });

  it('an asker that leaves while the store is silent is answered at once', async () => {
    const { server, clock, join } = await start();
    const { prober } = join({ recall: () => new Promise(() => undefined), remember: async () => undefined });
    const leave = new AbortController();
    const asked = prober.probe(ask('user1@d.test', { signal: leave.signal, deadline: clock.now + 5_000 }));
    leave.abort();
    expect((await asked).fault).toEqual({ kind: 'budget', phase: 'CONNECT' });
    await new Promise((resolve) => setTimeout(resolve, FACTS_DEADLINE_MS + 50));
    expect(server.lines).toHaveLength(0);
  });

  it('what it tells too late still spares the question, and leaves nobody waiting', async () => {
    const greeted = Promise.withResolvers<void>();
    const { clock, canaries, join } = await start({
      greeting: null,
      capabilities: ['8BITMIME'],
      onConnect: (side) => void greeted.promise.then(() => side.write('220 mx.test ESMTP\r\n')),
    });
    const late = Promise.withResolvers<Awaited<ReturnType<SharedFacts['recall']>>>();
    const { prober } = join({ recall: () => late.promise, remember: async () => undefined });
    const request = ask('user1@d.test', { deadline: clock.now + 4_000 });
    // The made-up mailbox is due, and waits for a session.
    const found = prober.probeCatchAll({ ...request, domain: request.address.domain });
    const asked = prober.probe(request);
    await eventually(() => prober.stats.sessionsOpened > 0);
    const value = { answer: 'YES', accepted: 1, reply: null };
    late.resolve([{ subject: 'domain d.test', kind: 'catchAll', value, leftMs: 60_000 }]);
    expect((await found).answer).toBe('YES');
    greeted.resolve();
    expect(await asked).toMatchObject({ reply: { code: 250 }, catchAll: { answer: 'YES' } });
    expect(canaries()).toEqual([]);
  });

  it.each<[string, string, unknown]>([
    ['domain d.test', 'catchAll', null],
    ['domain d.test', 'catchAll', 'YES'],
    ['domain d.test', 'catchAll', { answer: 'PERHAPS', accepted: 1, reply: null }],
    ['domain d.test', 'catchAll', { answer: 'YES', accepted: 7, reply: null }],
    ['domain d.test', 'catchAll', { answer: 'YES', accepted: 0, reply: null }],
    ['domain d.test', 'catchAll', { answer: 'YES', accepted: 1 }],
    ['domain d.test', 'catchAll', { answer: 'YES', accepted: 1, reply: { code: 9, lines: [] } }],
    ['domain d.test', 'refusal', 'yes'],
    ['domain d.test from 192.0.2.1', 'madeUp', "x'; drop table fact --"],
    ['domain d.test from 192.0.2.1', 'madeUp', 'user1'],
    ['exchanges mx.test', 'recipientsPerTransaction', 0],
    ['exchanges mx.test', 'recipientsPerTransaction', '3'],
    ['exchanges mx.test', 'refusalsPerSession', -1],
    ['exchanges mx.test', 'pipelineDepth', 1.5],
    ['exchanges mx.test', 'needsHelo', 1],
    ['exchanges mx.test', 'toString', true],
    ['exchanges mx.test', '__proto__', true],
    ['exchanges mx.test', 'block', { phase: 'RCPT_TO', exchange: 'mx.test', ip: '127.0.0.1', reply: null }],
    [
      'exchanges mx.test from 192.0.2.1',
      'block',
      {
        phase: 'GREETING',
        exchange: 'mx.test',
        ip: '127.0.0.1',
        reply: { code: 250, enhancedCode: null, lines: ['Ok'] },
      },
    ],
    ['exchanges mx.test from 192.0.2.1', 'greylistDelayMs', 1e12],
  ])('%s: %s of %j is ignored', async (subject, kind, value) => {
    const { server, errors, join } = await start();
    const facts = memoryFacts();
    facts.put(subject, kind, value);
    const { probe } = join(facts);
    const evidence = await Promise.all(['user1', 'user2', 'nobody'].map((name) => probe(`${name}@d.test`)));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual([250, 250, 550]);
    expect(evidence.slice(0, 2).map(({ catchAll }) => catchAll?.answer)).toEqual(['NO', 'NO']);
    expect(server.lines).toHaveLength(1);
    expect(server.lines[0]?.[0]).toMatch(/^EHLO/);
    expect(errors).toEqual([]);
  });

  it.each([0, -5, Number.NaN])('a fact that has %d ms left is none', async (leftMs) => {
    const { canaries, join } = await start();
    const value = { answer: 'YES', accepted: 1, reply: null };
    const { probe } = join({
      recall: async (subjects) => subjects.map((subject) => ({ subject, kind: 'catchAll', value, leftMs })),
      remember: async () => undefined,
    });
    expect((await probe('user1@d.test')).catchAll?.answer).toBe('NO');
    expect(canaries()).toHaveLength(1);
  });
});

describe('look-ups', () => {
  it('of one turn are one call, and of one subject one in its time, found or not', async () => {
    const { clock, join } = await start({ capabilities: ['8BITMIME'] });
    const facts = memoryFacts();
    const { probe } = join(facts);
    const texts = Array.from({ length: 60 }, (_, n) => `nobody${n}@d${n % 20}.test`);
    await Promise.all(texts.map((text) => probe(text)));
    expect(facts.lookUps).toHaveLength(1);
    expect(new Set(facts.lookUps[0]).size).toBe(2 + 2 * 20);
    // Nobody was accepted, so no made-up mailbox was asked: still nothing is known of the domains.
    await Promise.all(texts.map((text) => probe(`nox${text}`)));
    expect(facts.lookUps).toHaveLength(1);
    clock.now += 60_000;
    await probe('nobody@d1.test');
    expect(facts.lookUps.flat()).toHaveLength(2 + 2 * 20 + 4);
  });

  it('without a store there are none', async () => {
    const { join } = await start();
    expect((await join(null).probe('user1@d.test')).reply?.code).toBe(250);
  });
});

describe('a catch-all', () => {
  const acceptsAll: Scenario = {
    answer: (line) => (/^RCPT/.test(line) && !/<no-/.test(line) ? '250 2.1.5 Ok' : undefined),
  };

  it.each<[string, Scenario, string]>([
    ['NO', {}, '550'],
    ['YES', acceptsAll, '250'],
  ])('that is %s is not asked by the second process', async (answer, scenario, code) => {
    const { clock, server, canaries, join } = await start(scenario);
    const facts = memoryFacts();
    const first = await join(facts).probe('user1@d.test');
    await isWritten(facts, 'catchAll');
    const other = join(facts, '192.0.2.2');
    const second = await other.probe('user2@d.test');
    expect([first, second].map(({ catchAll }) => catchAll?.answer)).toEqual([answer, answer]);
    expect(String(second.catchAll?.reply?.code)).toBe(code);
    expect(Math.abs((second.catchAll?.checkedAt.getTime() ?? 0) - clock.now)).toBeLessThan(2_000);
    expect(canaries()).toHaveLength(1);
    const before = server.recipients().length;
    const { domain } = ask('user2@d.test').address;
    const request = ask('user2@d.test', { deadline: clock.now + 5_000 });
    expect((await other.prober.probeCatchAll({ ...request, domain })).answer).toBe(answer);
    const third = join(facts, '192.0.2.3');
    expect((await third.prober.probeCatchAll({ ...request, domain })).answer).toBe(answer);
    expect(server.recipients()).toHaveLength(before);
  });

  it('is believed no longer than by who asked', async () => {
    const { clock, canaries, join } = await start();
    const facts = memoryFacts(() => clock.now);
    await join(facts).probe('user1@d.test');
    await isWritten(facts, 'catchAll');
    clock.now += CATCH_ALL_LIFE_MS / 2;
    const { probe } = join(facts);
    await probe('user2@d.test');
    clock.now += CATCH_ALL_LIFE_MS / 2 + 1_000;
    await probe('user3@d.test');
    expect(canaries()).toHaveLength(2);
  });

  it('that was accepted once is doubted where another process saw a refusal', async () => {
    const { canaries, join } = await start(acceptsAll);
    const facts = memoryFacts();
    await join(facts).probe('no-body@d.test');
    await isWritten(facts, 'refusal');
    facts.put('domain d.test', 'catchAll', { answer: 'YES', accepted: 1, reply: null }, CATCH_ALL_LIFE_MS);
    expect((await join(facts).probe('user1@d.test')).catchAll?.answer).toBe('YES');
    expect(canaries().at(-1)).toMatch(/^[a-z]{5}\.[a-z]{8}@d\.test$/);
    await eventually(() => facts.list().some(({ value }) => JSON.stringify(value).includes('"accepted":2')));
    const asked = canaries().length;
    expect((await join(facts).probe('user2@d.test')).catchAll?.answer).toBe('YES');
    expect(canaries()).toHaveLength(asked);
  });

  it('greylisted, it is the same triplet for our source and another for any other', async () => {
    let isOver = false;
    const { clock, canaries, join } = await start({
      answer: (line) =>
        !/^RCPT/.test(line) || /<user/.test(line) || isOver
          ? undefined
          : '450 4.2.0 Greylisted, come back later',
    });
    const facts = memoryFacts();
    expect((await join(facts).probe('user1@d.test')).catchAll?.answer).toBe('UNKNOWN');
    await isWritten(facts, 'madeUp');
    isOver = true;
    clock.now += 10 * 60_000;
    expect((await join(facts).probe('user2@d.test')).catchAll?.answer).toBe('NO');
    facts.clear();
    expect((await join(facts, '192.0.2.2').probe('user2@d.test')).catchAll?.answer).toBe('NO');
    const [first, second, third] = canaries();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});

describe('what a lane learned', () => {
  it('recipients of a transaction are respected by the second process from the first', async () => {
    const { server, join } = await start({
      answer: (line, side) =>
        /^RCPT/.test(line) && side.recipientsInTransaction >= 3 ? '452 4.5.3 Too many recipients' : undefined,
    });
    const facts = memoryFacts();
    const texts = Array.from({ length: 8 }, (_, n) => `user${n}@d.test`);
    const first = join(facts);
    await Promise.all(texts.map((text) => first.probe(text)));
    await isWritten(facts, 'recipientsPerTransaction');
    const before = server.lines.length;
    const second = join(facts, '192.0.2.2');
    const evidence = await Promise.all(texts.map((text) => second.probe(text)));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual(Array(8).fill(250));
    const transactions = server.lines
      .slice(before)
      .flatMap((lines) =>
        lines
          .join('\n')
          .split(/^MAIL .*$/m)
          .slice(1),
      )
      .map((part) => part.match(/^RCPT/gm)?.length ?? 0);
    expect(Math.max(...transactions)).toBeLessThanOrEqual(3);
  });

  it('a server that hangs up on EHLO is greeted with HELO, until that is tried anew', async () => {
    const { server, clock, join } = await start({
      answer: (line, side) => {
        if (!/^EHLO/.test(line)) return undefined;
        side.hangUp();
        return null;
      },
    });
    const facts = memoryFacts(() => clock.now);
    expect((await join(facts).probe('user1@d.test')).reply?.code).toBe(250);
    await isWritten(facts, 'needsHelo');
    const before = server.lines.length;
    const second = join(facts, '192.0.2.2', { timeouts: { idleMs: 20 } });
    expect((await second.probe('user2@d.test')).reply?.code).toBe(250);
    expect(server.lines.slice(before).flat().join()).not.toContain('EHLO');
    clock.now += LEARNED_LIFE_MS + 1_000;
    await eventually(() => second.prober.lanes()[0]?.sessions === 0);
    const later = server.lines.length;
    expect((await second.probe('user3@d.test')).reply?.code).toBe(250);
    expect(server.lines.slice(later).flat().join()).toContain('EHLO');
  });

  it('how long it greylists is told to those who share the source, and to nobody else', async () => {
    const firstAt = new Map<string, number>();
    const { clock, join } = await start({
      answer: (line) => {
        if (!/^RCPT/.test(line)) return undefined;
        const at = firstAt.get(line) ?? clock.now;
        firstAt.set(line, at);
        return clock.now - at >= 60_000 ? honestly(line, HONEST) : '450 4.2.0 Greylisted, come back later';
      },
    });
    const facts = memoryFacts();
    const { probe } = join(facts);
    await probe('user1@d.test');
    clock.now += 60_000;
    expect((await probe('user1@d.test')).meaning?.kind).toBe('ACCEPTED');
    await isWritten(facts, 'greylistDelayMs');
    const told = async (source: string) =>
      (await join(facts, source).probe(`user-${source}@e.test`)).meaning?.retryAfterSeconds;
    expect(await told('192.0.2.1')).toBe(60);
    expect(await told('192.0.2.2')).toBeNull();
  });

  it('a block is told to those who share the source: they do not knock again', async () => {
    const { server, join } = await start({
      greeting: '554 5.7.1 Client host [192.0.2.1] blocked using zen.dnsbl.test',
    });
    const facts = memoryFacts();
    const first = await join(facts).probe('user1@d.test');
    await isWritten(facts, 'block');
    const second = await join(facts).probe('user2@d.test');
    expect(second.meaning).toEqual(first.meaning);
    expect(second.reply?.text).toBe(first.reply?.text);
    expect(second.transcript.map(({ text }) => text).join()).toContain('another process');
    expect(server.lines).toHaveLength(1);
    await join(facts, '192.0.2.2').probe('user3@d.test');
    expect(server.lines).toHaveLength(2);
  });
});

describe('what is written', () => {
  it('holds no address that anybody asked about, whatever the server echoes', async () => {
    let count = 0;
    const { join } = await start({
      answer: (line) => {
        const path = /^RCPT TO:<(.*)>$/.exec(line)?.[1];
        if (path === undefined) return undefined;
        return [
          `550 5.1.1 <${path}>: User unknown`,
          `450 4.2.0 <${path}>: Greylisted`,
          `250 2.1.5 ${path} Ok`,
          `554 5.7.1 ${path}: Client host blocked using zen.dnsbl.test`,
        ][count++ % 4];
      },
    });
    const facts = memoryFacts();
    const { prober, probe } = join(facts);
    const texts = Array.from({ length: 12 }, (_, n) => `somebody${n}x@d${n % 3}.test`);
    await Promise.all(texts.map((text) => probe(text)));
    await prober.close();
    expect(facts.writes.flat().length).toBeGreaterThan(0);
    expect(JSON.stringify(facts.writes)).not.toContain('somebody');
  });

  it('is gathered: many facts are few writes, and the last ones are written when the process ends', async () => {
    const { join } = await start();
    const facts = memoryFacts();
    const { prober, probe } = join(facts);
    await Promise.all(Array.from({ length: 100 }, (_, n) => probe(`user@d${n}.test`)));
    await prober.close();
    expect(facts.list().filter(({ kind }) => kind === 'catchAll')).toHaveLength(100);
    expect(facts.writes.length).toBeLessThanOrEqual(3);
  });
});
