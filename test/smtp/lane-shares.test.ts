/** Several probers that share what one set of exchanges bears, and what becomes of it when the store fails. */
import { afterEach, describe, expect, it } from 'vitest';
import type { LaneShares } from '../../src/smtp/index.ts';
import { SHARES_JOIN_MS, SHARES_LIFE_MS } from '../../src/smtp/limits.ts';
import { memoryFacts, memoryShares } from './neighbours.ts';
import { startServer } from './scripted-server.ts';
import { ask, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const LANE = 'exchanges mx.test';
const SCOPE = 'source 192.0.2.1';

/** A server that takes its time with each recipient, so that whoever may open another session does. */
const start = async (rcptMs = 60) => {
  const times: number[] = [];
  const server = await startServer({
    answer: (line, side) => {
      if (!/^RCPT/.test(line)) return undefined;
      times.push(performance.now());
      setTimeout(() => side.write('250 2.1.5 Ok\r\n'), rcptMs);
      return null;
    },
  });
  running.push(server);
  const errors: unknown[] = [];
  const join = (shares: LaneShares | null, world: Partial<World> = {}) => {
    const prober = makeProber({
      port: server.port,
      shares,
      source: '192.0.2.1',
      onError: (error) => errors.push(error),
      ...world,
    });
    const state = { isOpen: true };
    const close = async () => {
      if (state.isOpen) await prober.close();
      state.isOpen = false;
    };
    running.push({ close });
    const request = { deadline: Date.now() + 15_000 };
    const probeMany = (name: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) => prober.probe(ask(`user${n}@${name}.test`, request))),
      );
    const sessions = () => prober.lanes()[0]?.sessions ?? 0;
    return { prober, close, probeMany, sessions };
  };
  return { server, times, errors, join };
};
const until = async (isTrue: () => boolean, ms = 5_000): Promise<void> => {
  const end = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error('it did not become true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const codes = (evidence: readonly { readonly reply: { readonly code: number } | null }[]) =>
  new Set(evidence.map(({ reply }) => reply?.code));

describe('a store in trouble', () => {
  it.each<[string, LaneShares['announce']]>([
    ['rejects', () => Promise.reject(new Error('the store is down'))],
    [
      'throws',
      () => {
        throw new Error('the store is broken');
      },
    ],
    ['never answers', () => new Promise(() => undefined)],
    ['answers with something else', async () => new Map([[LANE, 'four' as never]])],
    ['answers about others only', async () => new Map([[LANE, [{ node: 'somebody', sessions: 4 }]]])],
  ])('that %s gives the smallest share, and changes no verdict', async (_name, announce) => {
    const { server, errors, join } = await start(5);
    const { probeMany } = join({ announce, leave: () => Promise.reject(new Error('nor this')) });
    const startedAt = performance.now();
    expect(codes(await probeMany('d', 1))).toEqual(new Set([250]));
    expect(performance.now() - startedAt).toBeLessThan(SHARES_JOIN_MS + 1_000);
    expect(codes(await probeMany('e', 300))).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(1);
    expect(errors).toHaveLength(1);
  });

  it('that fails later leaves each with the share that it has', async () => {
    const { server, errors, join } = await start();
    const shares = memoryShares();
    let isDown = false;
    const { probeMany, sessions } = join({
      announce: (...args) => (isDown ? Promise.reject(new Error('down')) : shares.announce(...args)),
      leave: (...args) => (isDown ? Promise.reject(new Error('down')) : shares.leave(...args)),
    });
    shares.put(SCOPE, LANE, 'another', 2);
    const asked = probeMany('d', 1_500);
    await until(() => sessions() === 2);
    isDown = true;
    await until(() => errors.length > 0);
    expect(codes(await asked)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(2);
  });
});

describe('sessions', () => {
  it('one that is alone has all of them at once', async () => {
    const { server, join } = await start();
    const shares = memoryShares();
    const { probeMany } = join(shares);
    await probeMany('d', 400);
    expect(server.mostAtOnce).toBe(4);
    expect(shares.announced.length).toBeLessThanOrEqual(4);
  });

  it('three that start together never have more than the limit, and each has some', async () => {
    const { server, errors, join } = await start();
    const shares = memoryShares();
    const probers = [join(shares), join(shares), join(shares)];
    const asked = Promise.all(probers.map(({ probeMany }, n) => probeMany(`d${n}`, 700)));
    await until(() => probers.every(({ sessions }) => sessions() > 0));
    await until(() => probers.reduce((sum, { sessions }) => sum + sessions(), 0) === 4);
    for (const evidence of await asked) expect(codes(evidence)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(4);
    expect(errors).toEqual([]);
  });

  it('one that comes late waits until the others made room', async () => {
    const { server, join } = await start();
    const shares = memoryShares();
    const [first, second] = [join(shares), join(shares)];
    const asked = [first.probeMany('d', 1_200)];
    await until(() => first.sessions() === 4);
    asked.push(second.probeMany('e', 400));
    await until(() => first.sessions() === 2 && second.sessions() === 2);
    for (const evidence of await Promise.all(asked)) expect(codes(evidence)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(4);
  });

  it('one that vanished is forgotten, and its part falls to the others', async () => {
    const { server, join } = await start();
    const clock = { skippedMs: 0 };
    const shares = memoryShares(() => performance.now() + clock.skippedMs);
    let isGone = false;
    const dead = join({
      announce: (...args) => (isGone ? new Promise(() => undefined) : shares.announce(...args)),
      leave: () => Promise.reject(new Error('killed')),
    });
    await dead.probeMany('d', 400);
    isGone = true;
    await dead.close();
    const { probeMany, sessions } = join(shares);
    const asked = probeMany('e', 1_200);
    await until(() => shares.list(SCOPE, LANE).length === 2);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(sessions()).toBe(0);
    clock.skippedMs = SHARES_LIFE_MS;
    await until(() => sessions() === 4);
    expect(codes(await asked)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(4);
  });

  it('with more processes than sessions the last one waits, until another leaves', async () => {
    const { server, join } = await start();
    const shares = memoryShares();
    const two = { maxSessionsPerExchange: 2 };
    const [first, second, third] = [join(shares, two), join(shares, two), join(shares, two)];
    const asked = [first.probeMany('d', 200)];
    await until(() => shares.list(SCOPE, LANE).length === 1);
    asked.push(second.probeMany('e', 1_000));
    await until(() => shares.list(SCOPE, LANE).length === 2);
    asked.push(third.probeMany('f', 20));
    for (const evidence of await Promise.all(asked)) expect(codes(evidence)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(2);
  }, 30_000);

  it('a session that is kept for whoever comes is claimed, and no more', async () => {
    const { join } = await start(1);
    const shares = memoryShares();
    const { probeMany, sessions } = join(shares);
    await probeMany('d', 1);
    await until(() => shares.list(SCOPE, LANE)[0]?.sessions === 1);
    expect(sessions()).toBe(1);
    const calls = shares.announced.length;
    await probeMany('e', 1);
    await until(() => shares.announced.length > calls);
    expect(sessions()).toBe(1);
  });

  it.each([
    ['source', 8],
    ['cluster', 4],
  ] as const)('limits by %s let two sources have %d', async (limitScope, most) => {
    const { server, join } = await start();
    const shares = memoryShares();
    const probers = ['192.0.2.1', '192.0.2.2'].map((source) => join(shares, { source, limitScope }));
    const asked = Promise.all(probers.map(({ probeMany }, n) => probeMany(`d${n}`, 900)));
    await until(() => probers.reduce((sum, { sessions }) => sum + sessions(), 0) === most);
    for (const evidence of await asked) expect(codes(evidence)).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBe(most);
  });

  it('facts and shares are waited for together', async () => {
    const { join } = await start(1);
    const { probeMany } = join(memoryShares(), { facts: memoryFacts() });
    expect(codes(await probeMany('d', 10))).toEqual(new Set([250]));
  });
});

describe('the rate', () => {
  it('of all together is that of the setting, with a second’s worth to begin with', async () => {
    const perSecond = 60;
    const { times, join } = await start(1);
    const shares = memoryShares();
    const probers = [0, 1, 2].map(() => join(shares, { probesPerSecondPerExchange: perSecond }));
    const asked = Promise.all(probers.map(({ probeMany }, n) => probeMany(`d${n}`, 70)));
    await asked;
    const [firstAt = 0] = times;
    // The canaries may go on credit: one for each prober and domain.
    for (const [index, at] of times.entries())
      expect(index + 1).toBeLessThanOrEqual(perSecond + ((at - firstAt) / 1_000) * perSecond + 6);
    expect(((times.at(-1) ?? 0) - firstAt) / 1_000).toBeLessThan(8);
  });
});
