import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt } from '../smtp/index.ts';
import { createEgress } from './egress.ts';

type Outcome = ConnectAttempt['outcome'];
const timeout: Outcome = { kind: 'connectTimeout' };
const refused: Outcome = { kind: 'connectFailed', error: 'ECONNREFUSED' };
const connected: Outcome = { kind: 'connected' };

const attempt = (host: string, outcome: Outcome, ip: string | null = '192.0.2.1'): ConnectAttempt => ({
  host: host as ExchangeHost,
  ip,
  outcome,
});

const start = () => {
  const clock = { ms: 1_000_000_000 };
  /** Who waits, and for how long: time passes when the test says so. */
  const waits: { readonly ms: number; readonly pass: () => void }[] = [];
  const egress = createEgress({
    now: () => clock.ms,
    ownerOf: (host) => host.split('.').slice(-2).join('.'),
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, pass: resolve });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  const pass = async () => {
    const last = waits.at(-1);
    if (last === undefined) throw new Error('nobody waits');
    clock.ms += last.ms;
    last.pass();
    await turn();
  };
  return { clock, egress, waits, pass };
};
type Egress = ReturnType<typeof createEgress>;

/** `count` owners, each in a network of its own, that cannot be reached. */
const failOwners = (egress: Egress, count: number, outcome: Outcome = timeout) => {
  for (let owner = 0; owner < count; owner += 1)
    egress.observe([attempt(`mx.owner${owner}.test`, outcome, `198.${owner}.0.1`)]);
};

/** What a hundred verifications each saw, none of which may be proof. */
const proofless: readonly (readonly [string, (n: number) => readonly ConnectAttempt[]])[] = [
  ['exchanges of one owner', (n) => [attempt(`mx${n}.owner.test`, timeout, `198.${n}.0.1`)]],
  ['domains parked in one network', (n) => [attempt(`mx.parked${n}.test`, timeout, `198.51.${n}.1`)]],
  ['hosts without an address', (n) => [attempt(`mx.owner${n}.test`, { kind: 'noAddress' }, null)]],
  [
    'special-purpose addresses',
    (n) => [attempt(`mx.owner${n}.test`, { kind: 'unroutable', range: 'private' }, `10.${n}.0.1`)],
  ],
  [
    'IPv6 where there is none',
    (n) => [
      attempt(`mx.owner${n}.test`, { kind: 'connectFailed', error: 'ENETUNREACH' }, `2001:${n + 1}::1`),
    ],
  ],
  [
    'a process out of descriptors',
    (n) => [attempt(`mx.owner${n}.test`, { kind: 'connectFailed', error: 'EMFILE' }, `198.${n}.0.1`)],
  ],
  [
    'new names beside a dead one that is known',
    (n) => [
      attempt('mx.backup.test', timeout, '203.0.113.1'),
      attempt(`mx.owner${n}.test`, timeout, `198.${n}.0.1`),
    ],
  ],
];

describe('the port is found closed', () => {
  test.each([
    ['time-outs', timeout],
    ['refusals', refused],
    ['no route for IPv4', { kind: 'connectFailed', error: 'ENETUNREACH' } as const],
  ])('by eight witnesses who do not know each other: %s', (_, outcome) => {
    const { egress } = start();
    failOwners(egress, 7, outcome);
    expect(egress.isOpen()).toBe(true);
    failOwners(egress, 8, outcome);
    expect(egress.isBlocked).toBe(true);
  });

  test.each(proofless)('but not by %s', (_, see) => {
    const { egress } = start();
    for (let n = 0; n < 100; n += 1) egress.observe(see(n));
    expect(egress.isBlocked).toBe(false);
  });

  test('by one domain that lists exchanges of eight owners, it is not', () => {
    const { egress } = start();
    for (let n = 0; n < 100; n += 1)
      egress.observe(
        Array.from({ length: 10 }, (_, k) => attempt(`mx.owner${k}.test`, timeout, `198.${k}.0.1`)),
      );
    expect(egress.isBlocked).toBe(false);
  });

  test('while exchanges were reached a moment ago, the dead are dead', () => {
    const { clock, egress } = start();
    egress.observe([attempt('mx.living.test', connected)]);
    clock.ms += 119_999;
    failOwners(egress, 20);
    expect(egress.isBlocked).toBe(false);
    clock.ms += 1;
    failOwners(egress, 1);
    expect(egress.isBlocked).toBe(true);
  });
});

describe('while it is closed', () => {
  test('one trial a minute is let through', () => {
    const { clock, egress } = start();
    failOwners(egress, 8);
    expect(egress.isOpen()).toBe(false);
    clock.ms += 59_999;
    expect(egress.isOpen()).toBe(false);
    clock.ms += 1;
    expect([egress.isOpen(), egress.isOpen()]).toEqual([true, false]);
  });

  test('a trial that fails keeps it closed for as long as trials fail', () => {
    const { clock, egress } = start();
    failOwners(egress, 8);
    for (let minute = 0; minute < 60; minute += 1) {
      clock.ms += 60_000;
      expect(egress.isOpen()).toBe(true);
      egress.observe([attempt('mx.owner1.test', timeout, '198.1.0.1')]);
      expect(egress.isOpen()).toBe(false);
    }
  });

  test('one exchange reached is proof that the port is open', () => {
    const { egress } = start();
    failOwners(egress, 8);
    egress.observe([attempt('mx.dead.test', timeout), attempt('mx.living.test', connected)]);
    expect(egress.isBlocked).toBe(false);
    expect(egress.isOpen()).toBe(true);
  });

  test('what was found out long ago tells of another network', () => {
    const { clock, egress } = start();
    failOwners(egress, 8);
    clock.ms += 10 * 60_000 + 1;
    expect(egress.isBlocked).toBe(false);
    failOwners(egress, 1);
    expect(egress.isBlocked).toBe(false);
  });
});

describe('while it is not known', () => {
  const never = new AbortController().signal;
  const soon = (clock: { ms: number }) => clock.ms + 60_000;
  const watch = (settled: Promise<void>) => {
    const state = { isSettled: false };
    void settled.then(() => {
      state.isSettled = true;
    });
    return state;
  };

  test.each([
    ['nothing was tried', () => undefined],
    ['it was found closed', (egress: Egress) => failOwners(egress, 8)],
    [
      'an exchange was reached a moment ago',
      (egress: Egress) => {
        egress.observe([attempt('mx.living.test', connected)]);
        failOwners(egress, 3);
      },
    ],
    [
      'what failed tells nothing',
      (egress: Egress) => egress.observe([attempt('mx.none.test', { kind: 'noAddress' }, null)]),
    ],
  ])('there is no doubt when %s', async (_, before) => {
    const { clock, egress, waits } = start();
    before(egress);
    await egress.settle(soon(clock), never);
    expect(waits).toEqual([]);
  });

  test.each([
    ['the eighth witness', (egress: Egress) => failOwners(egress, 8)],
    [
      'an exchange that is reached',
      (egress: Egress) => egress.observe([attempt('mx.living.test', connected)]),
    ],
  ])('%s ends the wait of all', async (_, then) => {
    const { clock, egress } = start();
    failOwners(egress, 3);
    const waiting = Array.from({ length: 500 }, () => watch(egress.settle(soon(clock), never)));
    await turn();
    expect(waiting.some(({ isSettled }) => isSettled)).toBe(false);
    then(egress);
    await turn();
    expect(waiting.every(({ isSettled }) => isSettled)).toBe(true);
  });

  test('it ends ten seconds after the last new witness', async () => {
    const { clock, egress, waits, pass } = start();
    failOwners(egress, 1);
    const row = watch(egress.settle(soon(clock), never));
    clock.ms += 4_000;
    failOwners(egress, 2);
    clock.ms += 1_000;
    // One that is known already is none that is new.
    failOwners(egress, 2);
    clock.ms -= 5_000;
    await pass();
    expect([row.isSettled, waits.map(({ ms }) => ms)]).toEqual([false, [10_000, 4_000]]);
    await pass();
    expect(row.isSettled).toBe(true);
    await egress.settle(soon(clock), never);
    expect(waits).toHaveLength(2);
  });

  test('it ends with the time of who waits, and with its signal', async () => {
    const { clock, egress, waits, pass } = start();
    failOwners(egress, 1);
    const hasty = watch(egress.settle(clock.ms + 500, never));
    expect(waits.map(({ ms }) => ms)).toEqual([500]);
    await pass();
    expect(hasty.isSettled).toBe(true);
    const leaving = new AbortController();
    const leaver = watch(egress.settle(soon(clock), leaving.signal));
    leaving.abort();
    await turn();
    expect(leaver.isSettled).toBe(true);
    await egress.settle(soon(clock), AbortSignal.abort());
  });
});

test('what it tells of itself', () => {
  const { clock, egress } = start();
  expect(egress.read()).toMatchObject({ smtp: 'UNKNOWN', checkedAt: null });
  failOwners(egress, 3);
  expect(egress.read()).toMatchObject({ smtp: 'UNKNOWN', checkedAt: new Date(clock.ms) });
  failOwners(egress, 8);
  expect(egress.read()).toMatchObject({ smtp: 'BLOCKED', checkedAt: new Date(clock.ms) });
  clock.ms += 1;
  egress.observe([attempt('mx.living.test', connected)]);
  const reachedAt = new Date(clock.ms);
  clock.ms += 1;
  failOwners(egress, 2);
  expect(egress.read()).toMatchObject({ smtp: 'OPEN', checkedAt: reachedAt });
});
