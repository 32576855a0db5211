import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printCommand } from './command.ts';
import type { Command } from './types.ts';

const good: readonly [Command, string][] = [
  [{ verb: 'EHLO', name: 'prober.example' }, 'EHLO prober.example\r\n'],
  [{ verb: 'HELO', name: '[192.0.2.1]' }, 'HELO [192.0.2.1]\r\n'],
  [{ verb: 'MAIL', reversePath: '', usesSmtpUtf8: false }, 'MAIL FROM:<>\r\n'],
  [{ verb: 'MAIL', reversePath: 'a@b.example', usesSmtpUtf8: true }, 'MAIL FROM:<a@b.example> SMTPUTF8\r\n'],
  [{ verb: 'RCPT', forwardPath: 'a@b.example' }, 'RCPT TO:<a@b.example>\r\n'],
  [{ verb: 'RCPT', forwardPath: '"a > b"@c.example' }, 'RCPT TO:<"a > b"@c.example>\r\n'],
  [{ verb: 'RCPT', forwardPath: '"a\\"b"@c.example' }, 'RCPT TO:<"a\\"b"@c.example>\r\n'],
  [{ verb: 'RCPT', forwardPath: 'пётр@c.example' }, 'RCPT TO:<пётр@c.example>\r\n'],
  [{ verb: 'RSET' }, 'RSET\r\n'],
  [{ verb: 'STARTTLS' }, 'STARTTLS\r\n'],
  [{ verb: 'QUIT' }, 'QUIT\r\n'],
];

const bugs: readonly Command[] = [
  { verb: 'EHLO', name: '' },
  { verb: 'EHLO', name: 'a b' },
  { verb: 'EHLO', name: 'a\r\nMAIL FROM:<>' },
  { verb: 'MAIL', reversePath: 'a@b\r\nDATA', usesSmtpUtf8: false },
  { verb: 'MAIL', reversePath: 'a@b> SIZE=1', usesSmtpUtf8: false },
  { verb: 'RCPT', forwardPath: '' },
  { verb: 'RCPT', forwardPath: 'a\u0000@b' },
  { verb: 'RCPT', forwardPath: 'a\n@b' },
  { verb: 'RCPT', forwardPath: '"a\r"@b' },
  { verb: 'RCPT', forwardPath: 'a@b> NOTIFY=NEVER' },
  { verb: 'RCPT', forwardPath: '"a"@b>,<c@d' },
];

describe('printCommand', () => {
  it.each(good)('prints %j', (command, text) => {
    expect(printCommand(command)).toBe(text);
  });
  it.each(bugs)('throws for %j, without its argument in the message', (command) => {
    expect(() => printCommand(command)).toThrow(/^(unprintable|empty)/);
  });
  it('never prints more than one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (path) => {
        let text = 'RSET\r\n';
        try {
          text = printCommand({ verb: 'RCPT', forwardPath: path });
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
        expect(text.split(/[\r\n]/)).toHaveLength(3);
        expect(text.endsWith('\r\n')).toBe(true);
      }),
    );
  });
});
