import { describe, expect, test } from 'vitest';
import type { HarvestPass } from './harvest-account.ts';
import { hour, names, no, startedAt, startHarvest, times, verdictOf, yes } from './harvest-samples.ts';

/** One of the 256 ways to write eight letters. */
const inCase = (letters: string, bits: number) =>
  [...letters].map((letter, n) => ((bits >> n) & 1 ? letter.toUpperCase() : letter)).join('');

describe('lists', () => {
  const bulk = { priority: 'bulk' } as const;
  const unknowns = (count: number) => names(count, 'firm.test', 'unknown');
  const knowns = (count: number) => names(count, 'firm.test', 'known');

  test('are limited at ten times the limit, once, and until the window ends', () => {
    const { clock, events, ask, askAll, enter } = startHarvest();
    expect(askAll(unknowns(40), 'MAILBOX_NOT_FOUND', bulk)).toEqual([...times(30, yes), ...times(10, no)]);
    expect(ask('ada@firm.test', 'MAILBOX_EXISTS', bulk)).toBe(no);
    expect(enter('ada@firm.test', bulk)).toEqual({ kind: 'limited', until: startedAt + hour });
    expect(ask('ada@other.test', 'MAILBOX_NOT_FOUND', bulk)).toBe(yes);
    expect(events).toMatchObject([{ priority: 'bulk', unknownMailboxes: 30 }]);
    clock.ms += hour;
    expect(askAll(unknowns(40), 'MAILBOX_NOT_FOUND', bulk)).toEqual([...times(30, yes), ...times(10, no)]);
    expect(events).toHaveLength(2);
  });

  /** Known and unknown mailboxes of an old list, in this order → how many of the unknown are told. */
  test.each([
    ['half of it known', 40, 40, 40],
    ['one known fewer', 39, 41, 40],
    ['most of it unknown, but few', 0, 29, 29],
    ['far more known', 300, 200, 200],
  ])('%s', (_, known, unknown, expected) => {
    const { askAll } = startHarvest();
    expect(new Set(askAll(knowns(known), 'MAILBOX_EXISTS', bulk))).not.toContain(no);
    const passes = askAll(unknowns(unknown), 'MAILBOX_NOT_FOUND', bulk);
    expect(passes.filter((kind) => kind === yes)).toHaveLength(expected);
  });

  test.each([
    ['tags', (n: number) => `ada+${n}@firm.test`, 'MAILBOX_EXISTS' as const],
    ['case', (n: number) => `${inCase('lovelace', n)}@firm.test`, 'MAILBOX_EXISTS' as const],
    ['addresses that need SMTPUTF8', (n: number) => `ä${n}@firm.test`, 'SMTPUTF8_UNSUPPORTED' as const],
    ['what could not be found out', (n: number) => `x${n}@firm.test`, 'TEMPORARY_FAILURE' as const],
  ])('a list of guesses does not look honest by %s', (_, print, reason) => {
    const { askAll } = startHarvest();
    askAll(
      Array.from({ length: 200 }, (__, n) => print(n)),
      reason,
      bulk,
    );
    expect(askAll(unknowns(31), 'MAILBOX_NOT_FOUND', bulk)).toEqual([...times(30, yes), no]);
  });

  test('the same dead addresses in a second list count once', () => {
    const { askAll } = startHarvest();
    for (let list = 0; list < 5; list += 1)
      expect(askAll(unknowns(29), 'MAILBOX_NOT_FOUND', bulk)).toEqual(times(29, yes));
  });

  test('a long honest list is told whole, and a long dishonest one soon is not', () => {
    const { askAll } = startHarvest({ limit: 50 });
    for (let part = 0; part < 100; part += 1) {
      const people = names(70, 'honest.test', `people${part}-`);
      expect(askAll(people, 'MAILBOX_EXISTS', bulk)).toEqual(times(70, yes));
      const gone = names(30, 'honest.test', `gone${part}-`);
      expect(askAll(gone, 'MAILBOX_NOT_FOUND', bulk)).toEqual(times(30, yes));
    }
    expect(askAll(unknowns(600), 'MAILBOX_NOT_FOUND', bulk).filter((kind) => kind === yes)).toHaveLength(500);
  });

  test('do not wait: whoever is under way is told', () => {
    const { enter, ask } = startHarvest();
    const passes = unknowns(100).map((text) => enter(text, bulk) as HarvestPass);
    expect(new Set(passes.map(({ kind }) => kind))).toEqual(new Set([yes]));
    for (const pass of passes) if (pass.kind === 'admitted') pass.settle(verdictOf('MAILBOX_NOT_FOUND'));
    expect(ask('late@firm.test', 'MAILBOX_NOT_FOUND', bulk)).toBe(no);
  });

  test('do not count against persons, nor persons against lists', () => {
    const { ask, askAll } = startHarvest();
    askAll(unknowns(40), 'MAILBOX_NOT_FOUND', bulk);
    expect(askAll(unknowns(4))).toEqual([yes, yes, yes, no]);
    askAll(names(4, 'other.test'));
    expect(ask('late@other.test', 'MAILBOX_NOT_FOUND', bulk)).toBe(yes);
  });
});
