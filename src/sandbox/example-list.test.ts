import { expect, it } from 'vitest';
import { parseAddress } from '../address/index.ts';
import { countExamples, exampleList } from './example-list.ts';
import { personalities } from './personalities/index.ts';

it('begins as every longer list does, and repeats nobody', () => {
  const list = exampleList(10_000);
  expect(exampleList(317)).toEqual(list.slice(0, 317));
  expect(new Set(list).size).toBe(list.length);
  expect(exampleList(0)).toEqual([]);
});

it('is skewed as real lists are: one domain has a third, the twentieth next to nothing', () => {
  const counts = new Map<string, number>();
  for (const address of exampleList(10_000)) {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  const of = (domain: string): number => counts.get(domain) ?? 0;
  expect(of('bulk.test')).toBeGreaterThan(3_000);
  expect(of('bulk1.test')).toBeGreaterThan(of('bulk5.test'));
  expect(of('bulk5.test')).toBeGreaterThan(of('bulk20.test'));
  for (let number = 1; number <= 20; number += 1) expect(of(`bulk${number}.test`)).toBeGreaterThan(0);
});

it('counts each row once, whatever the length', () => {
  for (const count of [0, 1, 99, 100, 5_000])
    for (const isRetried of [true, false])
      expect(Object.values(countExamples(count, { isRetried })).reduce((sum, n) => sum + n, 0)).toBe(count);
  expect(countExamples(100, { isRetried: false })).toEqual({
    MAILBOX_EXISTS: 61,
    MAILBOX_NOT_FOUND: 14,
    CATCH_ALL: 9,
    GREYLISTED: 3,
    MAILBOX_FULL: 2,
    MAILBOX_DISABLED: 2,
    PROBER_BLOCKED: 2,
    DOMAIN_NOT_FOUND: 2,
    NULL_MX: 1,
    NO_MAIL_HOST: 1,
    UNROUTABLE_MAIL_HOST: 1,
    HOST_UNREACHABLE: 1,
    INVALID_SYNTAX: 1,
  });
  expect(countExamples(100, { isRetried: true })).toMatchObject({ MAILBOX_EXISTS: 64 });
  expect(countExamples(100, { isRetried: true })).not.toHaveProperty('GREYLISTED');
});

it('holds as many faults of syntax as it says, by the parser that will judge them', () => {
  const faults = exampleList(1_000).filter((address) => parseAddress(address).kind === 'fault');
  expect(faults).toHaveLength(countExamples(1_000, { isRetried: false }).INVALID_SYNTAX ?? 0);
});

it('names of personalities and addresses of examples are unique', () => {
  const names = personalities.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const addresses = personalities.flatMap(({ name, examples }) =>
    examples.map(({ address }) => (address.includes('@') ? address : `${address}@${name}.test`)),
  );
  expect(new Set(addresses).size).toBe(addresses.length);
});
