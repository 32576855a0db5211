/** The engine against a mail server that others wrote and others run: what it is told, and what it is not bothered with. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Prober } from '../../src/smtp/index.ts';
import { isCanary, names, verify, verifyAll } from '../mta/verdict.ts';
import { eventually, makeProber } from '../smtp/world.ts';
import { type Haraka, startHaraka } from './haraka.ts';

let haraka: Haraka;
let prober: Prober;

beforeEach(async () => {
  haraka = await startHaraka();
  prober = makeProber({ port: haraka.port });
});

afterEach(async () => {
  await prober.close();
  await haraka.stop();
});

/** The recipients of one session, without the made-up one. */
const recipients = (session: readonly string[]): string[] =>
  session.flatMap((line) => /^RCPT TO:<(.*)>$/.exec(line)?.[1] ?? []).filter((path) => !isCanary(path));

describe('Haraka', () => {
  it.each([
    ['user1@known.test', 'MAILBOX_EXISTS', '250 recipient <user1@known.test> OK'],
    ['nobody@known.test', 'MAILBOX_NOT_FOUND', '550 5.1.1 No such user'],
    ['anybody@all.test', 'CATCH_ALL', '250 recipient <anybody@all.test> OK'],
    ['later@known.test', 'GREYLISTED', '450 Greylisted, please try again in 5 minutes'],
    ['jo@elsewhere.test', 'POLICY_REFUSED', '550 I cannot deliver mail for <jo@elsewhere.test>'],
    ['userä@known.test', 'MAILBOX_EXISTS', '250 recipient <userä@known.test> OK'],
  ])('says of %s %s', async (text, reason, said) => {
    expect(await verify(prober, text)).toMatchObject({ said, reason });
    await prober.close();
    await eventually(() => haraka.ended() === 1);
    const [session = []] = haraka.sessions();
    expect(session[0]).toBe('EHLO prober.test');
    expect(session.at(-1)).toBe('QUIT');
    expect(session.filter((line) => /^DATA|^BDAT|^VRFY|^EXPN/.test(line))).toEqual([]);
  });

  it('takes fifty in one session, real ones first and one made-up mailbox for all of them', async () => {
    const texts = [...names('user', 45, 'known.test'), ...names('nobody', 5, 'known.test')];
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    expect(answered.map(({ reason }) => reason)).toEqual([
      ...Array(45).fill('MAILBOX_EXISTS'),
      ...Array(5).fill('MAILBOX_NOT_FOUND'),
    ]);
    await prober.close();
    await eventually(() => haraka.ended() === 1);
    const [session = [], ...others] = haraka.sessions();
    expect(others).toEqual([]);
    expect(recipients(session).sort()).toEqual([...texts].sort());
    expect(session.filter((line) => line.startsWith('RCPT')).length).toBe(51);
    expect(isCanary(/<(.*)>/.exec(session[2] ?? '')?.[1] ?? '')).toBe(false);
  });

  it('is refused at most eight times in a session, and left with QUIT each time', async () => {
    const texts = names('nobody', 50, 'known.test');
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    expect(new Set(answered.map(({ reason }) => reason))).toEqual(new Set(['MAILBOX_NOT_FOUND']));
    await prober.close();
    await eventually(() => haraka.ended() === prober.stats.sessionsOpened);
    const sessions = haraka.sessions();
    expect(sessions).toHaveLength(prober.stats.sessionsOpened);
    expect(sessions.length).toBeGreaterThanOrEqual(7);
    for (const session of sessions) {
      expect(session.filter((line) => line.startsWith('RCPT')).length).toBeLessThanOrEqual(8);
      expect(session.at(-1)).toBe('QUIT');
    }
    expect(sessions.flatMap(recipients).sort()).toEqual([...texts].sort());
  });

  it('hangs up after a refusal, and those who came after it are asked again', async () => {
    const texts = ['user1@known.test', 'hangup@known.test', ...names('user', 6, 'known.test').slice(2)];
    const answered = await verifyAll(prober, texts);
    expect(answered.map(({ reason }) => reason)).toEqual([
      'MAILBOX_EXISTS',
      'MAILBOX_NOT_FOUND',
      ...Array(4).fill('MAILBOX_EXISTS'),
    ]);
  });

  it('shares a session between domains', async () => {
    const answered = await verifyAll(prober, ['user1@known.test', 'jo@all.test', 'nobody@known.test']);
    expect(answered.map(({ reason }) => reason)).toEqual([
      'MAILBOX_EXISTS',
      'CATCH_ALL',
      'MAILBOX_NOT_FOUND',
    ]);
    expect(haraka.sessions()).toHaveLength(1);
  });
});
