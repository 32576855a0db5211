import { describe, expect, it } from 'vitest';
import type { DomainName } from '../address/index.ts';
import { classifyCanary, createCatchAllMemory, makeUpLocalPart } from './catch-all.ts';
import { CATCH_ALL_LIFE_MS, CATCH_ALL_UNKNOWN_LIFE_MS } from './limits.ts';
import type { MeaningKind } from './meaning/index.ts';
import type { CatchAllFinding } from './types.ts';

const domain = 'd.test' as DomainName;
const finding = (answer: CatchAllFinding['answer'], at: number): CatchAllFinding => ({
  answer,
  reply: null,
  checkedAt: new Date(at),
});

describe('makeUpLocalPart', () => {
  it('is a letter and then 15 letters and digits, whatever the octets', () => {
    for (let octet = 0; octet < 256; octet++)
      expect(makeUpLocalPart((length) => new Uint8Array(length).fill(octet))).toMatch(/^[a-z][a-z0-9]{15}$/);
  });
});

describe('classifyCanary', () => {
  it.each<[MeaningKind, string]>([
    ['ACCEPTED', 'YES'],
    ['MAILBOX_NOT_FOUND', 'NO'],
    ['MAILBOX_DISABLED', 'NO'],
    ['GREYLISTED', 'UNKNOWN'],
    ['IP_BLOCKED', 'UNKNOWN'],
    ['POLICY', 'UNKNOWN'],
    ['TEMPORARY', 'UNKNOWN'],
    ['NOT_UNDERSTOOD', 'UNKNOWN'],
  ])('%s says %s', (kind, answer) => {
    expect(classifyCanary({ kind, rule: 'x', retryAfterSeconds: null })).toBe(answer);
  });
});

describe('createCatchAllMemory', () => {
  const world = () => {
    let octet = 0;
    const clock = { now: 1_000_000 };
    const memory = createCatchAllMemory(
      () => clock.now,
      (length) => new Uint8Array(length).fill(octet++),
    );
    return { clock, memory };
  };

  it.each<[CatchAllFinding['answer'], number]>([
    ['YES', CATCH_ALL_LIFE_MS],
    ['NO', CATCH_ALL_LIFE_MS],
    ['UNKNOWN', CATCH_ALL_UNKNOWN_LIFE_MS],
  ])('remembers %s for %d ms', (answer, lifeMs) => {
    const { clock, memory } = world();
    expect(memory.recall(domain)).toBeNull();
    memory.remember(domain, finding(answer, clock.now));
    clock.now += lifeMs - 1;
    expect(memory.recall(domain)?.answer).toBe(answer);
    clock.now += 1;
    expect(memory.recall(domain)).toBeNull();
  });

  it('asks again with the same local part while it does not know, and with another a day later', () => {
    const { clock, memory } = world();
    const first = memory.readLocalPart(domain);
    memory.remember(domain, finding('UNKNOWN', clock.now));
    clock.now += CATCH_ALL_UNKNOWN_LIFE_MS;
    expect(memory.readLocalPart(domain)).toBe(first);
    expect(memory.readLocalPart('e.test' as DomainName)).not.toBe(first);
    clock.now += CATCH_ALL_LIFE_MS;
    expect(memory.readLocalPart(domain)).not.toBe(first);
  });
});
