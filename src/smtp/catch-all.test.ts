import { describe, expect, it } from 'vitest';
import type { DomainName } from '../address/index.ts';
import { classifyCanary, createCatchAllMemory } from './catch-all.ts';
import { CATCH_ALL_LIFE_MS, CATCH_ALL_UNKNOWN_LIFE_MS } from './limits.ts';
import { makeUpLocalPart, makeUpNamedLocalPart } from './made-up.ts';
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

describe('makeUpNamedLocalPart', () => {
  it('is two words of letters, whatever the octets', () => {
    for (let octet = 0; octet < 256; octet++)
      expect(makeUpNamedLocalPart((length) => new Uint8Array(length).fill(octet))).toMatch(
        /^[a-z]{5}\.[a-z]{8}$/,
      );
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
    memory.conclude(domain, finding(answer, clock.now));
    clock.now += lifeMs - 1;
    expect(memory.recall(domain)?.answer).toBe(answer);
    clock.now += 1;
    expect(memory.recall(domain)).toBeNull();
  });

  it('asks again with the same local part while it does not know, and with another a day later', () => {
    const { clock, memory } = world();
    const first = memory.readLocalPart(domain);
    memory.conclude(domain, finding('UNKNOWN', clock.now));
    clock.now += CATCH_ALL_UNKNOWN_LIFE_MS;
    expect(memory.readLocalPart(domain)).toBe(first);
    expect(memory.readLocalPart('e.test' as DomainName)).not.toBe(first);
    clock.now += CATCH_ALL_LIFE_MS;
    expect(memory.readLocalPart(domain)).not.toBe(first);
  });

  describe('of a domain that has refused a real mailbox', () => {
    const doubtful = () => {
      const { clock, memory } = world();
      memory.noteRefusal(domain);
      const first = memory.readLocalPart(domain);
      expect(memory.conclude(domain, finding('YES', clock.now))).toBeNull();
      expect(memory.recall(domain)).toBeNull();
      return { clock, memory, first };
    };

    it('asks a second one of another shape before it is a catch-all', () => {
      const { clock, memory, first } = doubtful();
      expect(first).toMatch(/^[a-z][a-z0-9]{15}$/);
      expect(memory.readLocalPart(domain)).toMatch(/^[a-z]{5}\.[a-z]{8}$/);
      expect(memory.conclude(domain, finding('YES', clock.now))?.answer).toBe('YES');
      clock.now += CATCH_ALL_LIFE_MS - 1;
      expect(memory.recall(domain)?.answer).toBe('YES');
    });

    it('does not know, for a day, when the second one is refused', () => {
      const { clock, memory } = doubtful();
      expect(memory.conclude(domain, finding('NO', clock.now))?.answer).toBe('UNKNOWN');
      clock.now += CATCH_ALL_LIFE_MS - 1;
      expect(memory.recall(domain)?.answer).toBe('UNKNOWN');
    });

    it('asks the second one again when it was put off', () => {
      const { clock, memory } = doubtful();
      const second = memory.readLocalPart(domain);
      expect(memory.conclude(domain, finding('UNKNOWN', clock.now), 1_000)?.answer).toBe('UNKNOWN');
      clock.now += 1_000;
      expect(memory.recall(domain)).toBeNull();
      expect(memory.readLocalPart(domain)).toBe(second);
    });

    it('doubts a catch-all that was found before the refusal', () => {
      const { clock, memory } = world();
      expect(memory.conclude(domain, finding('YES', clock.now))?.answer).toBe('YES');
      memory.noteRefusal(domain);
      expect(memory.recall(domain)).toBeNull();
      expect(memory.conclude(domain, finding('YES', clock.now))?.answer).toBe('YES');
      expect(memory.recall(domain)?.answer).toBe('YES');
    });

    it('needs no second one for NO', () => {
      const { clock, memory } = world();
      memory.noteRefusal(domain);
      expect(memory.conclude(domain, finding('NO', clock.now))?.answer).toBe('NO');
    });
  });
});
