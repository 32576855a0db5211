import { describe, expect, test } from 'vitest';
import { parseAddress } from './index.ts';
import type { SyntaxFaultCode } from './types.ts';

const read = (input: string) => {
  const parsed = parseAddress(input);
  return parsed.kind === 'address'
    ? { normalized: parsed.address.normalized, requiresSmtpUtf8: parsed.address.requiresSmtpUtf8 }
    : { code: parsed.fault.code, position: parsed.fault.position };
};

describe('good addresses, and their normal form', () => {
  const rows: readonly (readonly [input: string, normalized: string, requiresSmtpUtf8?: true])[] = [
    ['ada@example.com', 'ada@example.com'],
    ['Ada.Lovelace@Example.COM', 'Ada.Lovelace@example.com'],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"],
    ['0@0.example', '0@0.example'],
    // Quotes that say nothing are left out, backslashes too (RFC 5321 §4.1.2)
    ['"ada"@example.com', 'ada@example.com'],
    ['"a\\d\\a"@example.com', 'ada@example.com'],
    ['"ada.l"@example.com', 'ada.l@example.com'],
    ['"ada l"@example.com', '"ada l"@example.com'],
    ['"a\\ b"@example.com', '"a b"@example.com'],
    ['".a"@example.com', '".a"@example.com'],
    ['"a."@example.com', '"a."@example.com'],
    ['"a..b"@example.com', '"a..b"@example.com'],
    ['""@example.com', '""@example.com'],
    ['"\\""@example.com', '"\\""@example.com'],
    ['"\\\\"@example.com', '"\\\\"@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['"(a)"@example.com', '"(a)"@example.com'],
    // RFC 6531: UTF-8 in the local part, in NFC
    ['jörg@example.com', 'jörg@example.com', true],
    ['jo\u0308rg@example.com', 'j\u00f6rg@example.com', true],
    ['用户@example.com', '用户@example.com', true],
    ['उपयोगकर्ता@example.com', 'उपयोगकर्ता@example.com', true],
    ['👩‍💻@example.com', '👩‍💻@example.com', true],
    ['"jörg"@example.com', 'jörg@example.com', true],
    ['"j örg"@example.com', '"j örg"@example.com', true],
    ['"j\u00a0g"@example.com', '"j\u00a0g"@example.com', true],
    // In NFC the Kelvin sign is a K and U+1FEF a grave accent: what is sent is ASCII
    ['\u212a@example.com', 'K@example.com'],
    ['\u1fef@example.com', '`@example.com'],
    // In NFC two characters that would need quotes are one that does not
    ['"<\u0338"@example.com', '\u226e@example.com', true],
    ['"\u037e"@example.com', '";"@example.com'],
    // A domain in Unicode needs no SMTPUTF8: it travels as A-labels (RFC 6531 §3.2)
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['jörg@bücher.example', 'jörg@xn--bcher-kva.example', true],
  ];

  test.each(
    rows.map(([input, normalized, utf8]) => ({ input, normalized, requiresSmtpUtf8: utf8 === true })),
  )('$input', ({ input, ...expected }) => {
    expect(read(input)).toEqual(expected);
  });

  test('the parts of an address', () => {
    expect(parseAddress('"J\\o"@BÜCHER.example')).toEqual({
      kind: 'address',
      address: {
        input: '"J\\o"@BÜCHER.example',
        localPart: 'Jo',
        domain: 'xn--bcher-kva.example',
        unicodeDomain: 'bücher.example',
        normalized: 'Jo@xn--bcher-kva.example',
        requiresSmtpUtf8: false,
      },
    });
  });
});

describe('faults, with their code and position', () => {
  const rows: readonly (readonly [input: string, code: SyntaxFaultCode, position: number])[] = [
    ['', 'EMPTY', 0],
    ['ada', 'MISSING_AT', 3],
    ['"ada"', 'MISSING_AT', 5],
    ['ada\uff20example.com', 'MISSING_AT', 15],
    ['@example.com', 'EMPTY_LOCAL_PART', 0],
    ['.ada@example.com', 'LEADING_DOT', 0],
    ['ada.@example.com', 'TRAILING_DOT', 3],
    ['a..da@example.com', 'CONSECUTIVE_DOTS', 2],
    ['a,da@example.com', 'CHARACTER_NOT_ALLOWED', 1],
    ['<ada@example.com>', 'CHARACTER_NOT_ALLOWED', 0],
    ['a"b"@example.com', 'CHARACTER_NOT_ALLOWED', 1],
    ['a\\@b@example.com', 'CHARACTER_NOT_ALLOWED', 1],
    ['"a\\é"@example.com', 'CHARACTER_NOT_ALLOWED', 3],
    ['a\u037eb@example.com', 'CHARACTER_NOT_ALLOWED', 1],
    // Nothing is trimmed: a form that wants to be kind does so before it asks
    [' ada@example.com', 'SPACE_NOT_ALLOWED', 0],
    ['ada@example.com ', 'SPACE_NOT_ALLOWED', 15],
    ['ada @example.com', 'SPACE_NOT_ALLOWED', 3],
    ['ada@ example.com', 'SPACE_NOT_ALLOWED', 4],
    ['a\u00a0da@example.com', 'SPACE_NOT_ALLOWED', 1],
    ['ada@exam\u3000ple.com', 'SPACE_NOT_ALLOWED', 8],
    [' ', 'SPACE_NOT_ALLOWED', 0],
    ['\u0000ada@example.com', 'CONTROL_CHARACTER', 0],
    ['ada\r\nRCPT TO:<x>@example.com', 'CONTROL_CHARACTER', 3],
    ['"ada\r\n"@example.com', 'CONTROL_CHARACTER', 4],
    ['"ada\\\n"@example.com', 'CONTROL_CHARACTER', 5],
    ['ada@example.com\n', 'CONTROL_CHARACTER', 15],
    ['ada\t@example.com', 'CONTROL_CHARACTER', 3],
    ['ada\u007f@example.com', 'CONTROL_CHARACTER', 3],
    ['ada\u0085@example.com', 'CONTROL_CHARACTER', 3],
    ['ada\u200f@example.com', 'CONTROL_CHARACTER', 3],
    ['\u202eada@example.com', 'CONTROL_CHARACTER', 0],
    ['ada@exam\u202eple.com', 'CONTROL_CHARACTER', 8],
    ['ada@exam\u200bple.com', 'CONTROL_CHARACTER', 8],
    ['\ufeffada@example.com', 'CONTROL_CHARACTER', 0],
    ['"a\u2066"@example.com', 'CONTROL_CHARACTER', 2],
    ['ada\u2028@example.com', 'CONTROL_CHARACTER', 3],
    ['\ud800@example.com', 'INVALID_UNICODE', 0],
    ['a\udc00@example.com', 'INVALID_UNICODE', 1],
    ['"\ud83d"@example.com', 'INVALID_UNICODE', 1],
    ['ada@\udc00.com', 'INVALID_UNICODE', 4],
    ['a\ufffd@example.com', 'INVALID_UNICODE', 1],
    ['a\uffff@example.com', 'INVALID_UNICODE', 1],
    ['"ada@example.com', 'UNCLOSED_QUOTE', 0],
    ['"ada\\"@example.com', 'UNCLOSED_QUOTE', 0],
    ['"ada\\', 'UNCLOSED_QUOTE', 0],
    ['"ada"lovelace@example.com', 'TEXT_AFTER_QUOTE', 5],
    ['"ada".l@example.com', 'TEXT_AFTER_QUOTE', 5],
    ['"ada" @example.com', 'SPACE_NOT_ALLOWED', 5],
    ['ada(a)@example.com', 'COMMENT_NOT_ALLOWED', 3],
    ['ada@(a)example.com', 'COMMENT_NOT_ALLOWED', 4],
    ['ada@', 'EMPTY_DOMAIN', 4],
    ['ada@b@example.com', 'DOMAIN_CHARACTER_NOT_ALLOWED', 5],
    ['ada@exa_mple.com', 'DOMAIN_CHARACTER_NOT_ALLOWED', 7],
    ['ada@example.com>', 'DOMAIN_CHARACTER_NOT_ALLOWED', 15],
    // A character that may stand nowhere is said before a label that is too long or empty
    ['ada@-a..b c', 'SPACE_NOT_ALLOWED', 9],
    // RFC 5321 has no rooted names: the dot at the end is parseDomain's to forgive
    ['ada@example.com.', 'EMPTY_LABEL', 15],
    ['ada@192.0.2.1', 'NUMERIC_TLD', 12],
    ['ada@localhost', 'SINGLE_LABEL_DOMAIN', 4],
    ['jörg@bü\u0000cher.example', 'CONTROL_CHARACTER', 7],
    // Positions are UTF-16 code units: the emoji before it counts two
    ['👩 @example.com', 'SPACE_NOT_ALLOWED', 2],
    ['👩@ex ample.com', 'SPACE_NOT_ALLOWED', 5],
  ];

  test.each(rows)('%j is %s at %i', (input, code, position) => {
    expect(read(input)).toEqual({ code, position });
  });

  test('a message is one sentence, and never repeats the address', () => {
    for (const [input] of rows) {
      const parsed = parseAddress(input);
      if (parsed.kind !== 'fault') throw new Error(`${JSON.stringify(input)} is an address`);
      expect(parsed.fault.message).toMatch(/^[A-Z].*\.$/);
      expect(parsed.fault.message).not.toContain('ada');
    }
  });

  test('what nobody can see is named', () => {
    const message = (input: string) => {
      const parsed = parseAddress(input);
      return parsed.kind === 'fault' ? parsed.fault.message : null;
    };
    expect(message('a\u202e@example.com')).toContain('direction of text (U+202E)');
    expect(message('a\ufeff@example.com')).toContain('invisible character (U+FEFF)');
    expect(message('a\u00a0@example.com')).toContain('space (U+00A0)');
  });
});

describe('lengths, in octets', () => {
  const domainOf = (octets: number): string => {
    const labels = `${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(63)}.${'d'.repeat(63)}`;
    return `${labels.slice(0, octets - 3)}.dd`;
  };
  const rows: readonly (readonly [what: string, input: string, expected: SyntaxFaultCode | 'ok', number?])[] =
    [
      ['64 in the local part', `${'a'.repeat(64)}@example.com`, 'ok'],
      ['65 in the local part', `${'a'.repeat(65)}@example.com`, 'LOCAL_PART_TOO_LONG', 64],
      ['32 characters of two octets', `${'é'.repeat(32)}@example.com`, 'ok'],
      ['33 characters of two octets', `${'é'.repeat(33)}@example.com`, 'LOCAL_PART_TOO_LONG', 32],
      ['32 of them decomposed, 96 octets as written', `${'e\u0301'.repeat(32)}@example.com`, 'ok'],
      ['16 characters of four octets', `${'🙂'.repeat(16)}@example.com`, 'ok'],
      ['17 characters of four octets', `${'🙂'.repeat(17)}@example.com`, 'LOCAL_PART_TOO_LONG', 32],
      ['21 of three octets and one of two', `${'用'.repeat(21)}é@example.com`, 'LOCAL_PART_TOO_LONG', 21],
      ['64 in needless quotes', `"${'a'.repeat(64)}"@example.com`, 'ok'],
      ['64 with quotes that are needed', `"${'a'.repeat(61)} "@example.com`, 'ok'],
      ['65 with quotes that are needed', `"${'a'.repeat(62)} "@example.com`, 'LOCAL_PART_TOO_LONG', 64],
      ['64 needless backslashes', `"${'\\a'.repeat(64)}"@example.com`, 'ok'],
      ['a label of 63', `a@${'b'.repeat(63)}.com`, 'ok'],
      ['a label of 64', `a@${'b'.repeat(64)}.com`, 'LABEL_TOO_LONG', 65],
      ['252 in the domain, 254 in all', `a@${domainOf(252)}`, 'ok'],
      ['253 in the domain, 255 in all', `a@${domainOf(253)}`, 'TOO_LONG', 254],
      ['254 in the domain', `a@${domainOf(254)}`, 'DOMAIN_TOO_LONG', 255],
      ['254 in all', `${'a'.repeat(64)}@${domainOf(189)}`, 'ok'],
      ['255 in all', `${'a'.repeat(64)}@${domainOf(190)}`, 'TOO_LONG', 254],
      ['255 in all, some of two octets', `${'é'.repeat(32)}@${domainOf(190)}`, 'TOO_LONG', 222],
      ['513 code units', `${'a'.repeat(513)}`, 'TOO_LONG', 254],
      ['512 code units', `${'a'.repeat(512)}`, 'MISSING_AT', 512],
    ];

  test.each(rows.map(([what, input, expected, position]) => ({ what, input, expected, position })))(
    '$what: $expected',
    ({ input, expected, position }) => {
      const result = read(input);
      expect('code' in result ? result : 'ok').toEqual(
        expected === 'ok' ? 'ok' : { code: expected, position },
      );
    },
  );

  test('ten megabytes are refused unread, whatever they are', () => {
    for (const text of ['a', '@', '"', '.', '(', '[', '\ud800', 'é', 'a@', '\\']) {
      const input = text.repeat(10_000_000 / text.length);
      const before = performance.now();
      expect(read(input)).toEqual({ code: 'TOO_LONG', position: 254 });
      // Reading them takes 10 ms and more; the bound is generous since the machine is shared.
      expect(performance.now() - before).toBeLessThan(5);
    }
  });
});
