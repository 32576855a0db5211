import { expect, test } from 'vitest';
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt } from '../smtp/index.ts';
import { createEgress } from './egress.ts';

const attempt = (host: string, kind: 'connected' | 'connectTimeout' | 'noAddress'): ConnectAttempt => ({
  host: host as ExchangeHost,
  ip: kind === 'noAddress' ? null : '192.0.2.1',
  outcome: { kind },
});

const start = () => {
  const clock = { ms: 0 };
  const egress = createEgress({
    now: () => clock.ms,
    ownerOf: (host) => host.split('.').slice(-2).join('.'),
  });
  return { clock, egress };
};

const failOwners = (egress: ReturnType<typeof createEgress>, count: number) => {
  for (let owner = 0; owner < count; owner += 1)
    egress.observe([attempt(`mx.owner${owner}.test`, 'connectTimeout')]);
};

test('many exchanges of different owners unreachable: the port is closed, not they', () => {
  const { egress } = start();
  failOwners(egress, 7);
  expect(egress.isOpen()).toBe(true);
  failOwners(egress, 8);
  expect(egress.isBlocked).toBe(true);
});

test('many dead exchanges of one owner prove nothing', () => {
  const { egress } = start();
  for (let n = 0; n < 100; n += 1) egress.observe([attempt(`mx${n}.owner.test`, 'connectTimeout')]);
  expect(egress.isBlocked).toBe(false);
});

test('hosts without an address prove nothing', () => {
  const { egress } = start();
  for (let n = 0; n < 100; n += 1) egress.observe([attempt(`mx.owner${n}.test`, 'noAddress')]);
  expect(egress.isBlocked).toBe(false);
});

test('one exchange reached is proof that the port is open', () => {
  const { egress } = start();
  failOwners(egress, 8);
  egress.observe([attempt('mx.dead.test', 'connectTimeout'), attempt('mx.living.test', 'connected')]);
  expect(egress.isBlocked).toBe(false);
  expect(egress.isOpen()).toBe(true);
});

test('while blocked, one trial a minute is let through', () => {
  const { clock, egress } = start();
  failOwners(egress, 8);
  expect([egress.isOpen(), egress.isOpen(), egress.isOpen()]).toEqual([true, false, false]);
  clock.ms += 59_999;
  expect(egress.isOpen()).toBe(false);
  clock.ms += 1;
  expect([egress.isOpen(), egress.isOpen()]).toEqual([true, false]);
});

test('old failures tell of another network and are forgotten', () => {
  const { clock, egress } = start();
  failOwners(egress, 8);
  clock.ms += 10 * 60_000 + 1;
  expect(egress.isBlocked).toBe(false);
});
