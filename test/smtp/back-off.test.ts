/** Told to slow down, refused, or at a dead host: what a lane does then, and that others do not notice. */
import { afterEach, describe, expect, it } from 'vitest';
import { RECOVERY_STEP_MS, RECOVERY_STEPS } from '../../src/smtp/limits.ts';
import { type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const clock = { now: 1_700_000_000_000 };
  const prober = makeProber({ port: server.port, now: () => clock.now, ...world });
  running.push(server, prober);
  /** The deadline is long by both clocks: what a test waits for is an answer. */
  const probe = (text: string, fields: Parameters<typeof ask>[1] = {}) =>
    prober.probe(ask(text, { deadline: clock.now + 10_000, ...fields }));
  const lane = (host = 'mx.test') => {
    const found = prober.lanes().find(({ exchanges }) => exchanges.some((one) => one === host));
    if (!found) throw new Error(`no lane of ${host}`);
    return found;
  };
  return { server, clock, prober, probe, lane };
};

const atRcpt =
  (reply: string, isMeant: (line: string) => boolean = () => true): NonNullable<Scenario['answer']> =>
  (line) =>
    /^RCPT/.test(line) && isMeant(line) ? reply : undefined;

describe('told to slow down', () => {
  it.each<[string, Scenario]>([
    ['450 4.7.1 to RCPT TO', { answer: atRcpt('450 4.7.1 Error: too much mail from 192.0.2.1') }],
    [
      '421 to RCPT TO',
      {
        answer: (line, side) => {
          if (!/^RCPT/.test(line)) return undefined;
          side.write('421 4.7.0 Try again later, closing connection\r\n');
          side.hangUp();
          return null;
        },
      },
    ],
    ['421 at the greeting', { greeting: '421 4.7.0 Too many connections from your IP' }],
    [
      '451 4.7.1 to MAIL FROM',
      { answer: (line) => (/^MAIL/.test(line) ? '451 4.7.1 Sending rate limit exceeded' : undefined) },
    ],
  ])('%s halves rate and sessions once, and they come back slowly', async (_name, scenario) => {
    const { clock, probe, lane } = await start(scenario, { probesPerSecondPerExchange: 20 });
    const evidence = await Promise.all([probe('user1@d.test'), probe('user2@d.test')]);
    for (const one of evidence) expect(one.reply?.code).toBeGreaterThanOrEqual(421);
    expect(lane().probesPerSecond).toBe(10);
    expect(lane().lastReply?.code).toBe(evidence[0]?.reply?.code);
    clock.now += RECOVERY_STEP_MS;
    expect(lane().probesPerSecond).toBe(10.5);
    clock.now += RECOVERY_STEP_MS * RECOVERY_STEPS;
    expect(lane().probesPerSecond).toBe(20);
  });

  it('shows nobody’s address in the last reply', async () => {
    const { probe, lane } = await start({
      answer: (line) =>
        /^RCPT/.test(line)
          ? `450 4.7.1 ${line.slice(8)}: rate limit exceeded for ${/<(.*)@/.exec(line)?.[1]}`
          : undefined,
    });
    await probe('jane@d.test');
    expect(lane().lastReply?.text).toContain('rate limit exceeded');
    expect(JSON.stringify(lane())).not.toContain('jane');
  });

  it('asks at the halved rate from then on', async () => {
    let isTold = false;
    const { server, probe, lane } = await start(
      {
        answer: (line) => {
          if (!/^RCPT/.test(line) || isTold) return undefined;
          isTold = true;
          return '450 4.7.1 rate limit exceeded';
        },
      },
      { probesPerSecondPerExchange: 40 },
    );
    await probe('user0@d.test');
    expect(lane().probesPerSecond).toBe(20);
    const startedAt = performance.now();
    const before = server.recipients().length;
    await Promise.all(Array.from({ length: 30 }, (_, n) => probe(`user${n + 1}@d.test`)));
    const seconds = (performance.now() - startedAt) / 1_000;
    expect((server.recipients().length - before) / (seconds + 1)).toBeLessThanOrEqual(21);
  });

  it('waits as long as the server says: newcomers are told at once, and asked after that', async () => {
    let isTelling = true;
    const { server, clock, probe, lane } = await start({
      answer: (line) =>
        /^RCPT/.test(line) && isTelling
          ? '450 4.7.1 Rate limit exceeded, try again in 120 seconds'
          : undefined,
    });
    expect((await probe('user1@d.test')).meaning).toMatchObject({
      kind: 'RATE_LIMITED',
      retryAfterSeconds: 120,
    });
    expect(lane()).toMatchObject({ state: 'PAUSED', pausedUntil: new Date(clock.now + 120_000) });
    const asked = server.recipients().length;
    clock.now += 50_000;
    const held = await probe('user2@e.test');
    expect(held).toMatchObject({ reply: { code: 450 }, meaning: { retryAfterSeconds: 70 } });
    expect(held.transcript.at(-1)).toMatchObject({ direction: 'NOTE' });
    expect(JSON.stringify(held)).not.toContain('user1');
    expect(server.recipients()).toHaveLength(asked);
    isTelling = false;
    clock.now += 70_000;
    expect(lane().pausedUntil).toBeNull();
    expect((await probe('user2@e.test')).reply?.code).toBe(250);
  });

  it('tells those who wait in the queue as well, and those who were to be asked again', async () => {
    const { probe, server } = await start({
      answer: (line, side) =>
        /^MAIL/.test(line) && side.recipients > 0
          ? '450 4.7.1 Rate limit exceeded, try again in 120 seconds'
          : undefined,
    });
    await probe('real@first.test');
    const startedAt = performance.now();
    const evidence = await Promise.all(Array.from({ length: 40 }, (_, n) => probe(`user${n}@d${n}.test`)));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    for (const one of evidence)
      expect(one).toMatchObject({ meaning: { kind: 'RATE_LIMITED', retryAfterSeconds: 120 }, fault: null });
    expect(server.lines).toHaveLength(1);
  });

  it('stops for a while where even the slowest is too fast, whatever is in the queue', async () => {
    const { server, clock, probe, lane } = await start(
      { answer: atRcpt('450 4.7.1 Error: too much mail from 192.0.2.1') },
      { probesPerSecondPerExchange: 4 },
    );
    for (let n = 0; n < 4; n++, clock.now += 1_000)
      expect((await probe(`user${n}@d${n}.test`)).reply?.code).toBe(450);
    expect(lane().state).toBe('PAUSED');
    expect(lane().pausedUntil?.getTime()).toBe(clock.now - 1_000 + 60_000);
    const asked = server.recipients().length;
    const evidence = await Promise.all(Array.from({ length: 50 }, (_, n) => probe(`late${n}@e.test`)));
    for (const one of evidence)
      expect(one).toMatchObject({ reply: { code: 450 }, meaning: { retryAfterSeconds: null } });
    expect(server.recipients()).toHaveLength(asked);
    clock.now += 60_000;
    expect(lane().pausedUntil).toBeNull();
  });

  it('waits a short stated delay out, with those in the queue', async () => {
    let isTelling = true;
    const { probe } = await start(
      {
        answer: (line) => {
          if (!/^RCPT/.test(line) || !isTelling) return undefined;
          isTelling = false;
          return '450 4.7.1 Rate limit exceeded, try again in 1 second';
        },
      },
      { now: Date.now },
    );
    const far = Date.now() + 10_000;
    const startedAt = performance.now();
    expect((await probe('user1@d.test', { deadline: far })).meaning?.retryAfterSeconds).toBe(1);
    expect((await probe('user2@e.test', { deadline: far })).reply?.code).toBe(250);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  });

  it.each([
    ['greylisting', '451 4.7.1 Greylisting in action, please come back later'],
    ['trouble of its own', '451 4.3.0 Temporary lookup failure'],
    ['a full mailbox', '452 4.2.2 Mailbox full'],
    ['a refusal', '550 5.1.1 User unknown'],
  ])('%s is no reason', async (_name, reply) => {
    const { probe, lane } = await start({ answer: atRcpt(reply) }, { probesPerSecondPerExchange: 20 });
    await probe('user1@d.test');
    expect(lane()).toMatchObject({ probesPerSecond: 20, lastReply: null, pausedUntil: null });
  });

  it('an idle session that is ended by 421 is no reason', async () => {
    let end: (() => void) | undefined;
    const { server, probe, lane } = await start({
      onConnect: (side) => {
        end = () => {
          side.write('421 4.4.2 mx.test Error: timeout exceeded\r\n');
          side.hangUp();
        };
      },
    });
    await probe('real@d.test');
    end?.();
    await eventually(() => server.open === 0);
    expect(lane()).toMatchObject({ probesPerSecond: null, lastReply: null });
  });

  it('other lanes do not notice', async () => {
    const { probe, lane } = await start({
      answer: atRcpt('450 4.7.1 Rate limit exceeded, try again in 3600 seconds', (line) =>
        line.includes('@slow.test'),
      ),
    });
    await probe('user1@slow.test', { exchanges: makeExchanges('slow.test') });
    expect((await probe('user1@d.test')).reply?.code).toBe(250);
    expect(lane('slow.test').state).toBe('PAUSED');
    expect(lane()).toMatchObject({ probesPerSecond: null, pausedUntil: null, lastReply: null });
  });
});

describe('exchanges that cannot be connected to', () => {
  const dead = { addresses: { 'mx.test': ['127.0.0.2'] } };

  it('are left alone after two openings, with the evidence and a note', async () => {
    const { prober, clock, probe, lane } = await start({}, dead);
    for (let n = 0; n < 2; n++) {
      expect((await probe(`user${n}@d.test`)).transcript.at(-1)?.text).not.toMatch(/a short while ago/);
    }
    expect(lane()).toMatchObject({ state: 'PAUSED', pausedUntil: new Date(clock.now + 30_000) });
    const opened = prober.stats.sessionsOpened;
    const evidence = await probe('user2@e.test');
    expect(evidence).toMatchObject({ exchange: null, phase: 'CONNECT', reply: null, fault: null });
    expect(evidence.attempts).toEqual([
      { host: 'mx.test', ip: '127.0.0.2', outcome: { kind: 'connectFailed', error: 'ECONNREFUSED' } },
    ]);
    expect(evidence.transcript.at(-1)).toMatchObject({
      direction: 'NOTE',
      text: 'not connected: no exchange could be reached a short while ago; tried again in 30 s',
    });
    expect(prober.stats.sessionsOpened).toBe(opened);
  });

  it('get one trial when the time is over, and a longer rest when it fails', async () => {
    const looked: number[] = [];
    const { clock, probe, lane } = await start(
      {},
      {
        ...dead,
        guard: {
          classifyAddress: () => {
            looked.push(1);
            return { isRoutable: true, range: 'unicast' };
          },
        } as never,
      },
    );
    await probe('user0@d.test');
    await probe('user1@d.test');
    clock.now += 30_000;
    const before = looked.length;
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => probe(`user${n}@d${n}.test`, { priority: 'bulk' })),
    );
    expect(looked.length - before).toBe(1);
    expect(lane().pausedUntil).toEqual(new Date(clock.now + 60_000));
  });

  it('are asked again once one trial connects, and all is forgotten', async () => {
    const addresses: Record<string, readonly string[]> = { 'mx.test': ['127.0.0.2'] };
    const { server, clock, probe, lane } = await start({}, { addresses, timeouts: { idleMs: 20 } });
    await probe('user0@d.test');
    await probe('user1@d.test');
    expect(lane().state).toBe('PAUSED');
    addresses['mx.test'] = ['127.0.0.1'];
    expect((await probe('user2@d.test')).reply).toBeNull();
    clock.now += 30_000;
    const evidence = await Promise.all(
      Array.from({ length: 200 }, (_, n) => probe(`user${n}@d${n % 5}.test`)),
    );
    expect(new Set(evidence.map(({ reply }) => reply?.code))).toEqual(new Set([250]));
    await eventually(() => server.open === 0 && lane().sessions === 0);
    addresses['mx.test'] = ['127.0.0.2'];
    await probe('user3@d.test');
    expect(lane().pausedUntil).toBeNull();
  });

  it('one that refuses in words is no dead one', async () => {
    const { server, probe, lane } = await start({ greeting: '421 4.3.2 Shutting down' });
    for (let n = 0; n < 4; n++) expect((await probe(`user${n}@d.test`)).reply?.code).toBe(421);
    expect(server.lines).toHaveLength(4);
    expect(lane().pausedUntil).toBeNull();
  });
});
