import { describe, expect, test } from 'vitest';
import type { Reason } from '../verdict/index.ts';
import type { HarvestPass } from './harvest-account.ts';
import { hour, names, no, startedAt, startHarvest, times, verdictOf, yes } from './harvest-samples.ts';

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
    expect(startHarvest().askAll(names(10), reason)).toEqual([
      ...times(count, yes),
      ...times(10 - count, no),
    ]);
  });

  test('past the limit nothing of the domain is told, known or unknown, and all of other domains is', () => {
    const { ask, askAll } = startHarvest();
    expect(askAll(['a@firm.test', 'b@firm.test', 'c@firm.test'])).toEqual(times(3, yes));
    expect(ask('a@firm.test')).toBe(no);
    expect(ask('ada@firm.test', 'MAILBOX_EXISTS')).toBe(no);
    expect(ask('ada@other.test')).toBe(yes);
  });

  test('one key does not pay for another', () => {
    const { ask, askAll } = startHarvest();
    askAll(names(3));
    expect(ask('d@firm.test', 'MAILBOX_NOT_FOUND', { owner: 'another' })).toBe(yes);
  });

  test('a mailbox is counted once, however often and however it is written', () => {
    const { ask, askAll } = startHarvest();
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
    expect(startHarvest().askAll(Array.from({ length: 5 }, (__, n) => print(n)))).toEqual([
      yes,
      yes,
      yes,
      no,
      no,
    ]);
  });

  test.each([
    ['of different owners', (n: number) => `guess@firm${n}.test`],
    ['below a suffix', (n: number) => `guess@firm${n}.co.uk`],
    ['of strangers below one name', (n: number) => `guess@firm${n}.eu.org`],
  ])('names %s are different domains', (_, print) => {
    expect(startHarvest().askAll(Array.from({ length: 9 }, (__, n) => print(n)))).toEqual(times(9, yes));
  });
});

describe('the window', () => {
  test('begins with the first unknown mailbox, ends an hour later, and then all begins anew', () => {
    const { clock, ask, askAll, enter } = startHarvest();
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

  test.each([1_000, 86_400_000])('may be of %d ms', (windowMs) => {
    const { clock, askAll } = startHarvest({ windowMs });
    askAll(names(3));
    clock.ms += windowMs - 1;
    expect(askAll(names(1))).toEqual([no]);
    clock.ms += 1;
    expect(askAll(names(1))).toEqual([yes]);
  });

  test('is over when the clock was put back', () => {
    const { clock, askAll } = startHarvest();
    askAll(names(3));
    clock.ms -= 86_400_000;
    expect(askAll(names(4))).toEqual([yes, yes, yes, no]);
  });

  test('who was under way at its end is counted in the next one', () => {
    const { clock, ask, askAll, enter } = startHarvest();
    askAll(names(2));
    const pass = enter('late@firm.test') as Extract<HarvestPass, { kind: 'admitted' }>;
    clock.ms += hour;
    pass.settle(verdictOf('MAILBOX_NOT_FOUND'));
    expect(askAll(names(3))).toEqual([yes, yes, no]);
    clock.ms += hour - 1;
    expect(ask('a@firm.test')).toBe(no);
    clock.ms += 1;
    expect(ask('a@firm.test')).toBe(yes);
  });
});

describe('the audit event', () => {
  test('comes once for each key, domain and window, and holds no address', () => {
    const { clock, events, askAll } = startHarvest();
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

describe('clients that share a key', () => {
  /** Asked and told one after another, each as soon as it may. */
  const askAs = async (
    { enter }: ReturnType<typeof startHarvest>,
    client: string,
    texts: readonly string[],
    reason: Reason = 'MAILBOX_NOT_FOUND',
  ) => {
    const kinds: string[] = [];
    for (const text of texts) {
      const pass = await enter(text, { client });
      if (pass.kind === 'admitted') pass.settle(verdictOf(reason));
      kinds.push(pass.kind);
    }
    return kinds;
  };
  const guesses = (client: number, count: number) => names(count, 'firm.test', `by${client}-`);

  test('one that guesses is answered no more, and the others are', async () => {
    const harvest = startHarvest();
    expect(await askAs(harvest, 'one', guesses(1, 5))).toEqual([...times(3, yes), ...times(2, no)]);
    expect(await askAs(harvest, 'two', guesses(2, 3))).toEqual(times(3, yes));
    expect(await askAs(harvest, 'three', names(50), 'MAILBOX_EXISTS')).toEqual(times(50, yes));
    expect(harvest.events).toMatchObject([{ owner: 'key', domain: 'firm.test', unknownMailboxes: 3 }]);
    expect(JSON.stringify(harvest.events)).not.toContain('one');
  });

  test('all of them together have twenty times the limit, and not one more', async () => {
    const harvest = startHarvest();
    for (let client = 0; client < 20; client++)
      expect(await askAs(harvest, `client ${client}`, guesses(client, 3))).toEqual(times(3, yes));
    expect(await askAs(harvest, 'another', ['ada@firm.test'], 'MAILBOX_EXISTS')).toEqual([no]);
    expect(harvest.events).toMatchObject([{ owner: 'key', unknownMailboxes: 60 }]);
    harvest.clock.ms += hour;
    expect(await askAs(harvest, 'another', ['ada@firm.test'])).toEqual([yes]);
  });

  test('what several guess is one mailbox of the sixty', async () => {
    const harvest = startHarvest();
    for (let client = 0; client < 40; client++)
      expect(await askAs(harvest, `client ${client}`, names(3))).toEqual(times(3, yes));
  });

  test('one that the key has no more room for keeps its own', async () => {
    const harvest = startHarvest({ limit: 1 });
    const under = await Promise.all(
      Array.from({ length: 20 }, (_, client) =>
        harvest.enter(`g${client}@firm.test`, { client: `${client}` }),
      ),
    );
    const leaving = new AbortController();
    const late = harvest.enter('late@firm.test', { client: 'late', signal: leaving.signal });
    leaving.abort();
    expect((await late).kind).toBe('left');
    for (const pass of under) if (pass.kind === 'admitted') pass.settle(verdictOf('MAILBOX_EXISTS'));
    expect(await askAs(harvest, 'late', ['late@firm.test'])).toEqual([yes]);
  });
});
