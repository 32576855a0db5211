/** OpenSMTPD 6.8: offers no PIPELINING and answers 500 to whoever does it all the same. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Prober } from '../../src/smtp/index.ts';
import { makeProber } from '../smtp/world.ts';
import { type Box, describeServer, findPort, makeBox } from './box.ts';
import type { ServerProcess } from './server-process.ts';
import { names, verify, verifyAll } from './verdict.ts';

const IP = '127.0.0.31';

const writeConfig = (port: number): string => `
table known { ${names('user', 60, 'known.test')
  .map((name) => `"${name}" = "jo"`)
  .join(', ')} }
table all { "@all.test" = "jo" }
listen on ${IP} port ${port} hostname mx.test
action "known" maildir virtual <known>
action "all" maildir virtual <all>
match from any for domain "known.test" action "known"
match from any for domain "all.test" action "all"
match from any for domain "closed.test" reject
`;

describeServer('OpenSMTPD', ['opensmtpd'], () => {
  let box: Box;
  let server: ServerProcess;
  let port: number;
  let prober: Prober;

  beforeAll(async () => {
    box = await makeBox(['opensmtpd'], { opensmtpd: 901, opensmtpq: 902, jo: 1001 });
    await box.run('chmod', '711', 'var/spool');
    port = await findPort();
    await box.write({ 'etc/smtpd.conf': writeConfig(port) });
    server = await box.start('/usr/sbin/smtpd', ['-d', '-v', '-f', '/etc/smtpd.conf'], /smtp: will accept/);
  });
  afterAll(async () => {
    await server?.stop();
    await box?.remove();
  });
  beforeEach(() => {
    prober = makeProber({ port, addresses: { 'mx.test': [IP] } });
  });
  afterEach(() => prober.close());

  const count = (pattern: RegExp): number => server.log.filter((line) => pattern.test(line)).length;

  it.each([
    ['user1@known.test', 'MAILBOX_EXISTS', '250 2.1.5 Destination address valid: Recipient ok'],
    [
      'nobody@known.test',
      'MAILBOX_NOT_FOUND',
      '524 5.2.4 Mailing list expansion problem: <nobody@known.test>',
    ],
    ['anybody@all.test', 'CATCH_ALL', '250 2.1.5 Destination address valid: Recipient ok'],
    ['jo@elsewhere.test', 'MAILBOX_NOT_FOUND', '550 Invalid recipient: <jo@elsewhere.test>'],
    ['jo@closed.test', 'MAILBOX_NOT_FOUND', '550 Invalid recipient: <jo@closed.test>'],
  ])('says of %s %s', async (text, reason, said) => {
    expect(await verify(prober, text)).toMatchObject({ said, reason });
  });

  it('takes fifty, one command at a time, eight refusals a session', async () => {
    const before = count(/smtp connected/);
    const texts = [...names('user', 30, 'known.test'), ...names('nobody', 20, 'known.test')];
    const answered = await verifyAll(prober, texts, { priority: 'bulk' });
    expect(answered.map(({ reason }) => reason)).toEqual([
      ...Array(30).fill('MAILBOX_EXISTS'),
      ...Array(20).fill('MAILBOX_NOT_FOUND'),
    ]);
    await prober.close();
    await server.line(/smtp disconnected reason=quit/);
    expect(count(/smtp connected/) - before).toBe(prober.stats.sessionsOpened);
    const refusals = new Map<string, number>();
    for (const line of server.log) {
      const [, session = ''] = /^(\w{16}) smtp failed-command/.exec(line) ?? [];
      if (session !== '') refusals.set(session, (refusals.get(session) ?? 0) + 1);
    }
    expect([...refusals.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...refusals.values())).toBeLessThanOrEqual(8);
    expect(count(/Pipelining not supported|too many errors|reason=(?!quit)/i)).toBe(0);
  });
});
