import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createReplyReader,
  MAX_LINE_OCTETS,
  MAX_REPLY_LINES,
  MAX_REPLY_OCTETS,
  printReplyLines,
  type ReadReplies,
} from './reply-reader.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const octets = (...values: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [...(typeof value === 'string' ? encode(value) : value)]));

const readAll = (pieces: readonly Uint8Array[]): ReadReplies => {
  const reader = createReplyReader();
  const read = pieces.map((piece) => reader.push(piece));
  return { replies: read.flatMap(({ replies }) => replies), fault: read.at(-1)?.fault ?? null };
};
const oneByOne = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from(bytes, (octet) => Uint8Array.of(octet));

const good: readonly [name: string, bytes: Uint8Array, expected: readonly object[]][] = [
  [
    'a greeting',
    octets('220 mx.example ESMTP\r\n'),
    [{ code: 220, enhancedCode: null, lines: ['mx.example ESMTP'] }],
  ],
  ['a bare code', octets('250\r\n'), [{ code: 250, lines: [''], text: '' }]],
  ['a code and a space', octets('250 \r\n'), [{ code: 250, lines: [''] }]],
  ['a bare LF', octets('250 ok\n'), [{ code: 250, text: 'ok' }]],
  ['CR CR LF', octets('250 ok\r\r\n'), [{ code: 250, text: 'ok' }]],
  ['two replies at once', octets('250 a\r\n550 b\r\n'), [{ code: 250 }, { code: 550 }]],
  [
    'lines with one enhanced code',
    octets('550-5.1.1 No such user\r\n550 5.1.1 gsmtp\r\n'),
    [{ code: 550, enhancedCode: '5.1.1', lines: ['No such user', 'gsmtp'], text: 'No such user gsmtp' }],
  ],
  [
    'an enhanced code on the first line only is text',
    octets('550-5.1.1 No such user\r\n550 gsmtp\r\n'),
    [{ enhancedCode: null, lines: ['5.1.1 No such user', 'gsmtp'] }],
  ],
  [
    'an enhanced code of another class is text',
    octets('450 5.1.1 hm\r\n'),
    [{ enhancedCode: null, text: '5.1.1 hm' }],
  ],
  ['an enhanced code alone', octets('250 2.0.0\r\n'), [{ enhancedCode: '2.0.0', text: '' }]],
  [
    'an address is no enhanced code',
    octets('550 5.1.1.2 refused\r\n'),
    [{ enhancedCode: null, text: '5.1.1.2 refused' }],
  ],
  ['three digits in subject and detail', octets('451 4.720.999 x\r\n'), [{ enhancedCode: '4.720.999' }]],
  ['UTF-8 is kept', octets('550 Empfänger unbekannt 不存在\r\n'), [{ text: 'Empfänger unbekannt 不存在' }]],
  ['what is not UTF-8 is replaced', octets('550 ', [0xe9, 0xff], '\r\n'), [{ text: '\ufffd\ufffd' }]],
  [
    'controls are replaced, the tab is not',
    octets('550 a\tb', [0, 7, 27], 'c\r\n'),
    [{ text: 'a\tb\ufffd\ufffd\ufffdc' }],
  ],
  ['a CR inside is replaced', octets('550 a\rb\r\n'), [{ text: 'a\ufffdb' }]],
  ['what turns text around is replaced', octets('550 \u202egpj\r\n'), [{ text: '\ufffdgpj' }]],
  ['599 is the last code', octets('599 x\r\n'), [{ code: 599 }]],
  ['a reply that is not whole yet', octets('250-a\r\n250'), []],
  ['the longest line', octets(`250 ${'x'.repeat(MAX_LINE_OCTETS - 4)}\r\n`), [{ code: 250 }]],
  ['the most lines', octets(`${'250-a\r\n'.repeat(MAX_REPLY_LINES - 1)}250 a\r\n`), [{ code: 250 }]],
];

const bad: readonly [name: string, bytes: Uint8Array, kind: string][] = [
  ['an HTTP server', octets('HTTP/1.1 400 Bad Request\r\n'), 'notAReply'],
  ['an SSH server', octets('SSH-2.0-OpenSSH_9.9\r\n'), 'notAReply'],
  ['a blank line', octets('\r\n'), 'notAReply'],
  ['two digits', octets('25 ok\r\n'), 'notAReply'],
  ['four digits', octets('2500 ok\r\n'), 'notAReply'],
  ['1xx', octets('150 ok\r\n'), 'notAReply'],
  ['6xx', octets('600 ok\r\n'), 'notAReply'],
  ['another separator', octets('250_ok\r\n'), 'notAReply'],
  ['a byte order mark', octets([0xef, 0xbb, 0xbf], '220 hi\r\n'), 'notAReply'],
  ['NUL first', octets([0], '220 hi\r\n'), 'notAReply'],
  ['TLS without having asked', octets([0x15, 3, 1, 0, 2, 2, 10, 10]), 'notAReply'],
  ['a code that changes', octets('250-a\r\n251 b\r\n'), 'codeChanged'],
  ['a line one octet too long', octets(`250 ${'x'.repeat(MAX_LINE_OCTETS - 3)}\r\n`), 'lineTooLong'],
  ['a line that does not end', octets('250 ', 'x'.repeat(MAX_LINE_OCTETS)), 'lineTooLong'],
  ['a line too many', octets('250-a\r\n'.repeat(MAX_REPLY_LINES + 1)), 'tooManyLines'],
  ['too many octets', octets(`250-${'x'.repeat(4000)}\r\n`.repeat(17)), 'replyTooLong'],
];

describe('createReplyReader', () => {
  it.each(good)('reads %s, in one piece and octet by octet', (_name, bytes, expected) => {
    expect(readAll([bytes])).toMatchObject({ replies: expected, fault: null });
    expect(readAll(oneByOne(bytes))).toEqual(readAll([bytes]));
  });

  it.each(bad)('faults %s, in one piece and octet by octet', (_name, bytes, kind) => {
    expect(readAll([bytes]).fault).toMatchObject({ kind });
    expect(readAll(oneByOne(bytes)).fault).toEqual(readAll([bytes]).fault);
  });

  it('shows little of what it could not read, without controls', () => {
    const { fault } = readAll([octets([27], `[31m${'x'.repeat(3000)}\r\n`)]);
    expect(fault?.detail).not.toContain('\u001b');
    expect(fault?.detail.length).toBeLessThan(120);
  });

  it('gives the replies before a fault, then the same fault for ever', () => {
    const reader = createReplyReader();
    expect(reader.push(octets('250 ok\r\nnonsense\r\n250 ok\r\n'))).toMatchObject({
      replies: [{ code: 250 }],
      fault: { kind: 'notAReply' },
    });
    expect(reader.push(octets('250 ok\r\n'))).toMatchObject({ replies: [], fault: { kind: 'notAReply' } });
  });

  it('discards half a reply', () => {
    const reader = createReplyReader();
    reader.push(octets('220-half'));
    reader.discard();
    expect(reader.push(octets('250 ok\r\n'))).toMatchObject({
      replies: [{ code: 250, text: 'ok' }],
      fault: null,
    });
  });

  const noise = fc.uint8Array({ maxLength: 6000 });
  const nearlyReplies = fc
    .array(
      fc.oneof(
        fc.tuple(
          fc.constantFrom('2', '25', '250', '550', '999', ''),
          fc.constantFrom('-', ' ', '', '+'),
          fc.string(),
        ),
        fc.tuple(fc.constant(''), fc.constantFrom('\r\n', '\n', '\r', '\0'), fc.constant('')),
      ),
    )
    .map((parts) =>
      encode(parts.map(([code, separator, text]) => `${code}${separator}${text}\r\n`).join('')),
    );

  it('gives the same for every way to split any stream, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(noise, nearlyReplies), fc.array(fc.nat({ max: 700 })), (bytes, cuts) => {
        const pieces: Uint8Array[] = [];
        let start = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(start, start + cut));
          start += cut;
        }
        pieces.push(bytes.subarray(start));
        expect(readAll(pieces)).toEqual(readAll([bytes]));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps every reply within its ceilings', () => {
    fc.assert(
      fc.property(fc.oneof(noise, nearlyReplies), (bytes) => {
        for (const { code, lines, text } of readAll([bytes]).replies) {
          expect(code).toBeGreaterThanOrEqual(200);
          expect(code).toBeLessThan(600);
          expect(lines.length).toBeLessThanOrEqual(MAX_REPLY_LINES);
          expect(text.length).toBeLessThanOrEqual(MAX_REPLY_OCTETS);
          for (const control of ['\r', '\n', '\0', '\u001b']) expect(text).not.toContain(control);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('printReplyLines', () => {
  it.each(['220 mx.example ESMTP', '250-a\r\n250-b\r\n250 c', '550-5.1.1 No\r\n550 5.1.1 such', '250'])(
    'prints %j as it was',
    (text) => {
      const [reply] = readAll([encode(`${text}\r\n`)]).replies;
      expect(reply && printReplyLines(reply).join('\r\n')).toBe(text);
    },
  );
});
