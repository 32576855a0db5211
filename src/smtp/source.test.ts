import { expect, test } from 'vitest';
import type { ExchangeHost } from '../address/index.ts';
import { createSourcePool } from './source.ts';

const hosts = (...names: readonly string[]) => names as ExchangeHost[];
const four = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
const lanes = Array.from({ length: 400 }, (_, n) => hosts(`mx.d${n}.test`));

test('without sources the system chooses', () => {
  expect(createSourcePool([]).choose(hosts('mx.test'), '198.51.100.1')).toBeUndefined();
});

test('one set of exchanges has one source, in whatever order they come, after a restart too', () => {
  const chosen = createSourcePool(four).choose(hosts('a.test', 'b.test'), '198.51.100.1');
  expect(four).toContain(chosen);
  expect(createSourcePool(four.toReversed()).choose(hosts('b.test', 'a.test'), '198.51.100.2')).toBe(chosen);
});

test('the source is of the family that is connected to, or there is none', () => {
  const pool = createSourcePool([...four, '2001:db8::1']);
  expect(pool.choose(hosts('mx.test'), '2001:db8:1::1')).toBe('2001:db8::1');
  expect(four).toContain(pool.choose(hosts('mx.test'), '198.51.100.1'));
  expect(createSourcePool(four).choose(hosts('mx.test'), '2001:db8:1::1')).toBeNull();
});

test('all sources get their share', () => {
  const pool = createSourcePool(four);
  const shares = Map.groupBy(lanes, (lane) => pool.choose(lane, '198.51.100.1'));
  expect(shares.size).toBe(4);
  for (const share of shares.values()) expect(share.length).toBeGreaterThan(60);
});

test('a source that is taken away moves its own sets and no others', () => {
  const before = createSourcePool(four);
  const after = createSourcePool(four.slice(1));
  for (const lane of lanes) {
    const held = before.choose(lane, '198.51.100.1');
    if (held !== four[0]) expect(after.choose(lane, '198.51.100.1')).toBe(held);
  }
});

test('what is no address shows at start', () => {
  expect(() => createSourcePool(['192.0.2.1', 'eth0'])).toThrow('eth0');
});
