/** Postfix 3.7 and each of its habits that a prober may take for something else; and Postgrey. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Prober } from '../../src/smtp/index.ts';
import { makeProber } from '../smtp/world.ts';
import { describeServer } from './box.ts';
import { addressOf, type Habit, type Postfix, startPostfix } from './postfix.ts';
import { startPostgrey } from './postgrey.ts';
import { names, verify, verifyAll } from './verdict.ts';

describeServer('Postfix', ['postfix', 'postgrey'], () => {
  let postgrey: Awaited<ReturnType<typeof startPostgrey>>;
  let postfix: Postfix;
  const probers: Prober[] = [];

  beforeAll(async () => {
    postgrey = await startPostgrey();
    postfix = await startPostfix(postgrey.port);
  });
  afterAll(async () => {
    await postfix?.stop();
    await postgrey?.stop();
  });
  afterEach(async () => {
    for (const prober of probers.splice(0)) await prober.close();
  });

  const open = (habit: Habit, idleMs = 5_000): Prober => {
    const prober = makeProber({
      port: postfix.port,
      addresses: { 'mx.test': [addressOf(habit)] },
      timeouts: { rcptToMs: 15_000, greetingMs: 10_000, patienceMs: 5_000, idleMs },
    });
    probers.push(prober);
    return prober;
  };

  it.each<[Habit, string, string, RegExp]>([
    ['plain', 'user1@known.test', 'MAILBOX_EXISTS', /^250 2\.1\.5 Ok/],
    [
      'plain',
      'nobody@known.test',
      'MAILBOX_NOT_FOUND',
      /^550 5\.1\.1 .* User unknown in virtual mailbox table/,
    ],
    ['plain', 'anybody@all.test', 'CATCH_ALL', /^250 2\.1\.5 Ok/],
    ['plain', 'jo@elsewhere.test', 'POLICY_REFUSED', /^554 5\.7\.1 .* Relay access denied/],
    ['client', 'nobody@known.test', 'PROBER_BLOCKED', /^554 5\.7\.1 .*blocked using bl\.example/],
    ['helo', 'nobody@known.test', 'PROBER_BLOCKED', /^554 5\.7\.1 <prober\.test>: Helo command rejected/],
    ['sender', 'nobody@known.test', 'PROBER_BLOCKED', /^554 5\.7\.1 <>: Sender address rejected/],
    [
      'unverified',
      'jo@verified.test',
      'TEMPORARY_FAILURE',
      /^450 4\.1\.1 .*unverified address|^450 4\.1\.1 .*in progress/,
    ],
    ['tls', 'user1@known.test', 'MAILBOX_EXISTS', /^250 2\.1\.5 Ok/],
    ['tls', 'nobody@known.test', 'MAILBOX_NOT_FOUND', /^550 5\.1\.1/],
    ['discards', 'user1@known.test', 'MAILBOX_EXISTS', /^250 2\.1\.5 Ok/],
    ['discards', 'nobody@known.test', 'MAILBOX_NOT_FOUND', /^550 5\.1\.1/],
  ])('%s says of %s %s', async (habit, text, reason, said) => {
    const answered = await verify(open(habit), text);
    expect({ reason: answered.reason, said: answered.said }).toEqual({
      reason,
      said: expect.stringMatching(said),
    });
  });

  // Postfix counts each refusal that a pipelined batch met before STARTTLS, and stalls a client at ten of them.
  it('insists on TLS before a cold batch of fifty, and is not annoyed into stalling', async () => {
    const prober = open('tls');
    const startedAt = performance.now();
    const answered = await verifyAll(prober, names('user', 50, 'known.test'), { priority: 'bulk' });
    expect(new Set(answered.map(({ reason }) => reason))).toEqual(new Set(['MAILBOX_EXISTS']));
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await prober.close();
  });

  it('is spoken to in TLS where it insists, from the start once that is known', async () => {
    const prober = open('tls', 30);
    await verifyAll(prober, names('user', 4, 'known.test'));
    await expect.poll(() => prober.lanes()[0]?.sessions, { timeout: 5_000 }).toBe(0);
    const before = (await postfix.log('tls')).length;
    const texts = [...names('user', 12, 'known.test'), ...names('nobody', 12, 'known.test')];
    const answered = await verifyAll(prober, texts);
    expect(answered.map(({ reason }) => reason)).toEqual([
      ...Array(12).fill('MAILBOX_EXISTS'),
      ...Array(12).fill('MAILBOX_NOT_FOUND'),
    ]);
    await prober.close();
    const since = (await postfix.log('tls')).slice(before);
    expect(since.filter((line) => /TLS connection established/.test(line))).toHaveLength(
      prober.stats.sessionsOpened - 1,
    );
    expect(since.filter((line) => /STARTTLS command first/.test(line))).toEqual([]);
  });

  it.each<[Habit, number]>([
    ['plain', 8],
    ['discards', 8],
  ])('%s: fifty, at most %i refusals a session, QUIT at the end of each', async (habit, most) => {
    const before = (await postfix.log(habit)).length;
    const prober = open(habit);
    const texts = [...names('user', 25, 'known.test'), ...names('nobody', 25, 'known.test')];
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    expect(answered.map(({ reason }) => reason)).toEqual([
      ...Array(25).fill('MAILBOX_EXISTS'),
      ...Array(25).fill('MAILBOX_NOT_FOUND'),
    ]);
    await prober.close();
    const since = async (pattern: RegExp) =>
      (await postfix.log(habit)).slice(before).filter((line) => pattern.test(line));
    const opened = prober.stats.sessionsOpened;
    await expect.poll(async () => (await since(/^disconnect/)).length, { timeout: 10_000 }).toBe(opened);
    expect(await since(/^connect from/)).toHaveLength(opened);
    for (const line of await since(/^disconnect/)) {
      const [, accepted, asked] = / rcpt=(?:(\d+)\/)?(\d+)/.exec(line) ?? [];
      expect(Number(asked) - Number(accepted ?? asked)).toBeLessThanOrEqual(most);
      expect(line).toMatch(/ quit=1 /);
    }
    expect(await since(/too many errors|lost connection|improper command pipelining/)).toEqual([]);
  });

  it('takes ten recipients a transaction: forty are asked in four and more', async () => {
    const answered = await verifyAll(open('tenRecipients'), names('user', 40, 'known.test'));
    expect(new Set(answered.map(({ reason }) => reason))).toEqual(new Set(['MAILBOX_EXISTS']));
  });

  it('hangs up after four errors, and nobody is blamed for it', async () => {
    const before = (await postfix.log('fourErrors')).length;
    const prober = open('fourErrors');
    const texts = [...names('nobody', 30, 'known.test'), ...names('user', 10, 'known.test')];
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    const said = new Map<string, number>();
    for (const [index, { reason }] of answered.entries()) {
      const who = `${index < 30 ? 'nobody' : 'user'} ${reason}`;
      said.set(who, (said.get(who) ?? 0) + 1);
    }
    expect(Object.fromEntries(said)).toEqual({ 'nobody MAILBOX_NOT_FOUND': 30, 'user MAILBOX_EXISTS': 10 });
    await prober.close();
    // Only the sessions that were open before anything was learned run into it.
    const log = (await postfix.log('fourErrors')).slice(before);
    expect(log.filter((line) => /too many errors/.test(line)).length).toBeLessThanOrEqual(4);
  });

  it('greylists whom it does not know, and lets us pass when we come back', async () => {
    const text = 'user7@known.test';
    const first = await verify(open('greylists'), text);
    expect({ reason: first.reason, said: first.said }).toEqual({
      reason: 'GREYLISTED',
      said: expect.stringMatching(/^450 4\.2\.0 .*Greylisted/),
    });
    expect(first.evidence.meaning?.kind).toBe('GREYLISTED');
    await expect
      .poll(async () => (await verify(open('greylists'), text)).evidence.reply?.code, {
        timeout: 15_000,
        interval: 300,
      })
      .toBe(250);
  });
});
