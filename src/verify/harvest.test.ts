import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAddress } from '../address/index.ts';
import type { Priority } from '../smtp/index.ts';
import { type Reason, reasonTable } from '../verdict/index.ts';
import { createHarvestGuard, type HarvestLimited, type HarvestOptions } from './harvest.ts';
import { createAccounts, type HarvestPass } from './harvest-account.ts';
import type { Verification } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const startedAt = Date.parse('2030-01-01T00:00:00Z');
const hour = 3_600_000;
const never = new AbortController().signal;

const addressOf = (text: string) => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text}: ${parsed.fault.code}`);
  return parsed.address;
};
/** As far as the guard looks at it. */
const told = (reason: Reason) => ({ reason, status: reasonTable[reason].status }) as Verification;

const start = (options: Partial<HarvestOptions> = {}) => {
  const clock = { ms: startedAt };
  const events: HarvestLimited[] = [];
  const guard = createHarvestGuard({
    limit: 3,
    now: () => clock.ms,
    onLimited: (event) => events.push(event),
    ...options,
  });
  type Asked = { owner?: string; priority?: Priority; signal?: AbortSignal; patienceMs?: number };
  const enter = (text: string, { owner = 'key', ...asked }: Asked = {}) =>
    guard.enter(owner, addressOf(text), {
      priority: 'interactive',
      signal: never,
      patienceMs: 10_000,
      ...asked,
    });
  /** Asked and told before the next one asks: the kind of the pass. */
  const ask = (text: string, reason: Reason = 'MAILBOX_NOT_FOUND', asked: Asked = {}) => {
    const pass = enter(text, asked);
    if (pass instanceof Promise) throw new Error(`${text} has to wait`);
    if (pass.kind === 'admitted') pass.settle(told(reason));
    return pass.kind;
  };
  /** Which of them are answered. */
  const askAll = (texts: readonly string[], reason?: Reason, asked?: Asked) =>
    texts.map((text) => ask(text, reason, asked));
  return { clock, events, guard, enter, ask, askAll };
};

const yes = 'admitted';
const no = 'limited';
const names = (count: number, domain = 'firm.test', prefix = 'guess') =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@${domain}`);
/** One of the 256 ways to write eight letters. */
const inCase = (letters: string, bits: number) =>
  [...letters].map((letter, n) => ((bits >> n) & 1 ? letter.toUpperCase() : letter)).join('');
const times = <Item>(count: number, item: Item): Item[] => Array(count).fill(item);

describe('what is counted', () => {
  /** Ten answers of one kind under a limit of three: how many of them are given. */
  test.each<[Reason, number]>([
    ['MAILBOX_NOT_FOUND', 3],
    ['MAILBOX_DISABLED', 3],
    ['MAILBOX_EXISTS', 10],
    ['CATCH_ALL', 10],
    ['MAILBOX_FULL', 10],
    ['GREYLISTED', 10],
    ['PROBER_BLOCKED', 10],
    ['TIMEOUT', 10],
    ['OUT_OF_BUDGET', 10],
    ['NULL_MX', 10],
    ['DOMAIN_NOT_FOUND', 10],
  ])('%s: %d of ten are told', (reason, count) => {
    expect(start().askAll(names(10), reason)).toEqual([...times(count, yes), ...times(10 - count, no)]);
  });

  test('past the limit nothing of the domain is told, known or unknown, and all of other domains is', () => {
    const { ask, askAll } = start();
    expect(askAll(['a@firm.test', 'b@firm.test', 'c@firm.test'])).toEqual(times(3, yes));
    expect(ask('a@firm.test')).toBe(no);
    expect(ask('ada@firm.test', 'MAILBOX_EXISTS')).toBe(no);
    expect(ask('ada@other.test')).toBe(yes);
  });

  test('one key does not pay for another', () => {
    const { ask, askAll } = start();
    askAll(names(3));
    expect(ask('d@firm.test', 'MAILBOX_NOT_FOUND', { owner: 'another' })).toBe(yes);
  });

  test('a mailbox is counted once, however often and however it is written', () => {
    const { ask, askAll } = start();
    expect(askAll(times(50, 'a@firm.test'))).toEqual(times(50, yes));
    expect(askAll(['a@FIRM.test', 'j.o@gmail.com', 'jo+1@gmail.com', 'JO@googlemail.com'])).toEqual(
      times(4, yes),
    );
    expect(askAll(['b@firm.test', 'c@firm.test', 'd@firm.test'])).toEqual([yes, yes, no]);
    expect(ask('k@gmail.com')).toBe(yes);
  });

  test.each([
    ['below one name', (n: number) => `x@guess${n}.firm.test`],
    ['deep below it', (n: number) => `guess@a${n}.b.firm.test`],
    ['below a suffix of two labels', (n: number) => `guess@a${n}.firm.co.uk`],
    ['of a provider with a domain a mailbox', (n: number) => `x@guess${n}.fastmail.com`],
    ['of its synonyms', (n: number) => `guess${n}@${n % 2 ? 'gmail.com' : 'googlemail.com'}`],
  ])('names %s are one domain', (_, print) => {
    expect(start().askAll(Array.from({ length: 5 }, (__, n) => print(n)))).toEqual([yes, yes, yes, no, no]);
  });

  test.each([
    ['of different owners', (n: number) => `guess@firm${n}.test`],
    ['below a suffix', (n: number) => `guess@firm${n}.co.uk`],
    ['of strangers below one name', (n: number) => `guess@firm${n}.eu.org`],
  ])('names %s are different domains', (_, print) => {
    expect(start().askAll(Array.from({ length: 9 }, (__, n) => print(n)))).toEqual(times(9, yes));
  });
});

describe('the window', () => {
  test('begins with the first unknown mailbox, ends an hour later, and then all begins anew', () => {
    const { clock, ask, askAll, enter } = start();
    ask('ada@firm.test', 'MAILBOX_EXISTS');
    clock.ms += 600_000;
    ask('a@firm.test');
    clock.ms += 1_800_000;
    askAll(['b@firm.test', 'c@firm.test']);
    const until = startedAt + 600_000 + hour;
    expect(enter('d@firm.test')).toEqual({ kind: 'limited', until });
    clock.ms = until - 1;
    expect(ask('d@firm.test')).toBe(no);
    clock.ms = until;
    expect(askAll(names(4))).toEqual([yes, yes, yes, no]);
  });

  test('is over when the clock was put back', () => {
    const { clock, askAll } = start();
    askAll(names(3));
    clock.ms -= 86_400_000;
    expect(askAll(names(4))).toEqual([yes, yes, yes, no]);
  });

  test('who was under way at its end is counted in the next one', () => {
    const { clock, ask, askAll, enter } = start();
    askAll(names(2));
    const pass = enter('late@firm.test') as Extract<HarvestPass, { kind: 'admitted' }>;
    clock.ms += hour;
    pass.settle(told('MAILBOX_NOT_FOUND'));
    expect(askAll(names(3))).toEqual([yes, yes, no]);
    clock.ms += hour - 1;
    expect(ask('a@firm.test')).toBe(no);
    clock.ms += 1;
    expect(ask('a@firm.test')).toBe(yes);
  });
});

describe('the audit event', () => {
  test('comes once for each key, domain and window, and holds no address', () => {
    const { clock, events, askAll } = start();
    askAll(names(3));
    expect(events).toEqual([]);
    askAll(['guess@eu.firm.test', ...names(20)]);
    const event = { owner: 'key', domain: 'firm.test', priority: 'interactive', unknownMailboxes: 3 };
    expect(events).toEqual([{ ...event, until: new Date(startedAt + hour) }]);
    askAll(names(5), undefined, { owner: 'another' });
    askAll(names(5, 'other.test'));
    expect(events.slice(1)).toMatchObject([{ owner: 'another' }, { domain: 'other.test' }]);
    clock.ms += hour;
    askAll(names(5));
    expect(events).toHaveLength(4);
    expect(JSON.stringify(events)).not.toContain('guess');
  });
});

describe('who asks at the same time', () => {
  type Enter = ReturnType<typeof start>['enter'];
  /** A crowd that begins at once; each one's pass is noted when it comes. */
  const crowd = (enter: Enter, texts: readonly string[], asked: Parameters<Enter>[1] = {}) => {
    const passes: (HarvestPass | null)[] = texts.map(() => null);
    for (const [n, text] of texts.entries()) {
      const pass = enter(text, asked);
      if (!(pass instanceof Promise)) passes[n] = pass;
      else
        void pass.then((later) => {
          passes[n] = later;
        });
    }
    const kinds = () => passes.map((pass) => pass?.kind ?? null);
    /** The first that is under way and untold is told so. */
    const settled = new Set<HarvestPass>();
    const settleNext = async (verification: Verification | null) => {
      const next = passes.find((pass) => pass?.kind === 'admitted' && !settled.has(pass));
      if (next?.kind !== 'admitted') return false;
      settled.add(next);
      next.settle(verification);
      await vi.advanceTimersByTimeAsync(0);
      return true;
    };
    return { kinds, settleNext };
  };

  test('a hundred guesses: as many are asked as the limit says, and the rest is limited', async () => {
    const { enter, events } = start({ limit: 50 });
    const { kinds, settleNext } = crowd(enter, names(100));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, null)]);
    for (let n = 0; n < 49; n += 1) await settleNext(told('MAILBOX_NOT_FOUND'));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, null)]);
    await settleNext(told('MAILBOX_NOT_FOUND'));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, no)]);
    expect(events).toHaveLength(1);
  });

  test('a hundred people: all are told, in the order of asking', async () => {
    const { enter, events, ask } = start({ limit: 50 });
    const { kinds, settleNext } = crowd(enter, names(100));
    for (let n = 1; await settleNext(told('MAILBOX_EXISTS')); n += 1)
      expect(kinds()).toEqual([...times(Math.min(100, 50 + n), yes), ...times(Math.max(0, 50 - n), null)]);
    expect(kinds()).toEqual(times(100, yes));
    expect(events).toEqual([]);
    expect(ask('guess@firm.test')).toBe(yes);
  });

  test.each([
    ['told that it is unknown', told('MAILBOX_NOT_FOUND'), false],
    ['told that it is there', told('MAILBOX_EXISTS'), true],
    ['told nothing', null, true],
  ])('who is %s gives its place back: %#', async (_, verification, isGivenBack) => {
    const { enter } = start();
    const { kinds, settleNext } = crowd(enter, names(5));
    await settleNext(verification);
    expect(kinds()).toEqual([yes, yes, yes, isGivenBack ? yes : null, null]);
    while (await settleNext(null));
    expect(kinds()).toEqual(times(5, yes));
  });

  test('who asks about a mailbox that is counted does not wait; a new one waits behind the line', async () => {
    const { enter } = start();
    const { kinds, settleNext } = crowd(enter, names(4));
    expect(crowd(enter, ['guess0@firm.test']).kinds()).toEqual([yes]);
    const late = crowd(enter, ['late@firm.test']);
    await settleNext(told('MAILBOX_EXISTS'));
    // The second one of `guess0` is still under way.
    expect([kinds()[3], late.kinds()]).toEqual([null, [null]]);
    await settleNext(told('MAILBOX_EXISTS'));
    expect([kinds()[3], late.kinds()]).toEqual([yes, [null]]);
    while (await settleNext(null));
    expect(late.kinds()).toEqual([yes]);
  });

  test('a window that ends lets in those who stand in line, before whoever comes then', async () => {
    const { clock, enter, ask } = start();
    ask('a@firm.test');
    ask('b@firm.test');
    const first = crowd(enter, ['under-way@firm.test']);
    const line = crowd(enter, names(2, 'firm.test', 'line'));
    expect([first.kinds(), line.kinds()]).toEqual([[yes], [null, null]]);
    clock.ms += hour;
    const late = crowd(enter, ['late@firm.test']);
    await vi.advanceTimersByTimeAsync(0);
    expect([line.kinds(), late.kinds()]).toEqual([[yes, yes], [null]]);
    await line.settleNext(null);
    expect(late.kinds()).toEqual([yes]);
  });

  test('who stands in line leaves with its signal or its time, and the others move up', async () => {
    const { enter } = start();
    const { kinds, settleNext } = crowd(enter, names(3));
    const leaving = new AbortController();
    const leaver = crowd(enter, ['leaver@firm.test'], { signal: leaving.signal });
    const hasty = crowd(enter, ['hasty@firm.test'], { patienceMs: 1_000 });
    const patient = crowd(enter, ['patient@firm.test'], { patienceMs: 5_000 });
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1);
    leaving.abort();
    await vi.advanceTimersByTimeAsync(1_020);
    expect([leaver.kinds(), hasty.kinds(), patient.kinds()]).toEqual([['left'], ['left'], [null]]);
    await settleNext(told('MAILBOX_EXISTS'));
    expect([kinds(), patient.kinds()]).toEqual([times(3, yes), [yes]]);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
  });

  test('who has left already does not stand in line', () => {
    const { enter } = start();
    crowd(enter, names(3));
    expect(enter('late@firm.test', { signal: AbortSignal.abort() })).toEqual({ kind: 'left' });
  });

  test('ten thousand stand in line and no more', async () => {
    const { enter } = start();
    const { kinds } = crowd(enter, names(3));
    const leaving = new AbortController();
    const line = crowd(enter, names(10_000, 'firm.test', 'line'), { signal: leaving.signal });
    expect(enter('late@firm.test')).toEqual({ kind: 'left' });
    leaving.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(new Set(line.kinds())).toEqual(new Set(['left']));
    expect(enter('late@firm.test', { patienceMs: 0 })).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(20);
    expect(kinds()).toEqual(times(3, yes));
  });
});

describe('lists', () => {
  const bulk = { priority: 'bulk' } as const;
  const unknowns = (count: number) => names(count, 'firm.test', 'unknown');
  const knowns = (count: number) => names(count, 'firm.test', 'known');

  test('are limited at ten times the limit, once, and until the window ends', () => {
    const { clock, events, ask, askAll, enter } = start();
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
    const { askAll } = start();
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
    const { askAll } = start();
    askAll(
      Array.from({ length: 200 }, (__, n) => print(n)),
      reason,
      bulk,
    );
    expect(askAll(unknowns(31), 'MAILBOX_NOT_FOUND', bulk)).toEqual([...times(30, yes), no]);
  });

  test('the same dead addresses in a second list count once', () => {
    const { askAll } = start();
    for (let list = 0; list < 5; list += 1)
      expect(askAll(unknowns(29), 'MAILBOX_NOT_FOUND', bulk)).toEqual(times(29, yes));
  });

  test('a long honest list is told whole, and a long dishonest one soon is not', () => {
    const { askAll } = start({ limit: 50 });
    for (let part = 0; part < 100; part += 1) {
      const people = names(70, 'honest.test', `people${part}-`);
      expect(askAll(people, 'MAILBOX_EXISTS', bulk)).toEqual(times(70, yes));
      const gone = names(30, 'honest.test', `gone${part}-`);
      expect(askAll(gone, 'MAILBOX_NOT_FOUND', bulk)).toEqual(times(30, yes));
    }
    expect(askAll(unknowns(600), 'MAILBOX_NOT_FOUND', bulk).filter((kind) => kind === yes)).toHaveLength(500);
  });

  test('do not wait: whoever is under way is told', () => {
    const { enter, ask } = start();
    const passes = unknowns(100).map((text) => enter(text, bulk) as HarvestPass);
    expect(new Set(passes.map(({ kind }) => kind))).toEqual(new Set([yes]));
    for (const pass of passes) if (pass.kind === 'admitted') pass.settle(told('MAILBOX_NOT_FOUND'));
    expect(ask('late@firm.test', 'MAILBOX_NOT_FOUND', bulk)).toBe(no);
  });

  test('do not count against persons, nor persons against lists', () => {
    const { ask, askAll } = start();
    askAll(unknowns(40), 'MAILBOX_NOT_FOUND', bulk);
    expect(askAll(unknowns(4))).toEqual([yes, yes, yes, no]);
    askAll(names(4, 'other.test'));
    expect(ask('late@other.test', 'MAILBOX_NOT_FOUND', bulk)).toBe(yes);
  });
});

describe('what it remembers is bounded', () => {
  test.each(['interactive', 'bulk'] as const)('the account used longest ago is forgotten: %s', (priority) => {
    const limit = priority === 'bulk' ? 30 : 3;
    const { ask, askAll } = start();
    const asked = { priority };
    askAll(names(limit, 'old.test'), undefined, asked);
    askAll(names(limit, 'kept.test'), undefined, asked);
    for (let n = 0; n < 10_000 - 1; n += 1) {
      ask(`a@filler${n}.test`, 'MAILBOX_NOT_FOUND', asked);
      if (n % 1_000 === 0) expect(ask('a@kept.test', 'MAILBOX_NOT_FOUND', asked)).toBe(no);
    }
    expect(ask('a@kept.test', 'MAILBOX_NOT_FOUND', asked)).toBe(no);
    expect(ask('a@old.test', 'MAILBOX_NOT_FOUND', asked)).toBe(yes);
  });

  test('so is one when there are half a million hashes', () => {
    const accounts = createAccounts<{ readonly name: string }>();
    for (const name of ['old', 'grows', 'new']) accounts.keep(name, { name }, 100_000);
    accounts.keep('grows', { name: 'grows' }, 299_000);
    expect(accounts.find('old')).toEqual({ name: 'old' });
    accounts.keep('one more', { name: 'one more' }, 1_000);
    expect(['new', 'grows', 'old', 'one more'].map((name) => accounts.find(name)?.name)).toEqual([
      undefined,
      'grows',
      'old',
      'one more',
    ]);
  });
});
