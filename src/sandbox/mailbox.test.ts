import { describe, expect, it } from 'vitest';
import { isKnownMailbox, parsePath } from './mailbox.ts';

describe('paths', () => {
  const rows: readonly [line: string, localPart: string, domain: string][] = [
    ['RCPT TO:<user1@accepts.test>', 'user1', 'accepts.test'],
    ['rcpt to: <User1@Accepts.TEST> NOTIFY=NEVER', 'User1', 'accepts.test'],
    ['MAIL FROM:<>', '', ''],
    ['MAIL FROM:<> SIZE=10 BODY=8BITMIME', '', ''],
    ['RCPT TO:<"a@b"@c.test>', '"a@b"', 'c.test'],
    ['RCPT TO:<"a>b"@c.test>', '"a>b"', 'c.test'],
    ['RCPT TO:<@relay.test,@other.test:a@b.test>', 'a', 'b.test'],
    ['RCPT TO:<josé@b.test>', 'josé', 'b.test'],
    ['RCPT TO:<a@[192.0.2.1]>', 'a', '[192.0.2.1]'],
  ];
  it.each(rows)('%s', (line, localPart, domain) => {
    expect(parsePath(line)).toEqual({ localPart, domain });
  });

  it.each(['RCPT TO:user1@accepts.test', 'RCPT TO:<user1>', 'RCPT', 'RCPT TO:', ''])('%s is none', (line) => {
    expect(parsePath(line)).toBeNull();
  });
});

describe('mailboxes', () => {
  it.each(['user1', 'USER-2', 'user.name+tag', 'anna.schmidt', 'josé', 'jose\u0301', 'info', 'Postmaster'])(
    '%s is there',
    (localPart) => expect(isKnownMailbox(localPart)).toBe(true),
  );
  it.each(['nobody', 'gone1', 'full7', 'x', '', 'a-user'])('%s is not', (localPart) =>
    expect(isKnownMailbox(localPart)).toBe(false),
  );
});
