import { describe, expect, test } from 'vitest';
import { parseDomain, parseExchangeHost } from './index.ts';
import type { SyntaxFaultCode } from './types.ts';

describe('parseDomain: good names', () => {
  const rows: readonly (readonly [input: string, domain: string, unicodeDomain?: string])[] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['3com.com', '3com.com'],
    ['123.example', '123.example'],
    ['a.b.c.d.e', 'a.b.c.d.e'],
    ['example.x123', 'example.x123'],
    // RFC 5891 reserves `--` in third place for A-labels; plain ASCII names with it exist and get mail
    ['r3---sn.example.com', 'r3---sn.example.com'],
    ['ab--cd.com', 'ab--cd.com'],
    // Non-transitional: ß, ς and joiners stay themselves (UTS #46 §4)
    ['faß.de', 'xn--fa-hia.de', 'faß.de'],
    ['FAẞ.de', 'xn--fa-hia.de', 'faß.de'],
    ['βόλος.com', 'xn--nxasmm1c.com', 'βόλος.com'],
    ['نامه\u200cای.com', 'xn--mgba3gch31f060k.com', 'نامه\u200cای.com'],
    ['क्\u200dष.com', 'xn--11b2ezcw70k.com', 'क्\u200dष.com'],
    // Mapped: case, width, composition
    ['BÜCHER.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['ｅｘａｍｐｌｅ.com', 'example.com'],
    ['ﬁ.com', 'fi.com'],
    // Every dot of UTS #46
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah', '例え.テスト'],
    ['例え．jp', 'xn--r8jz45g.jp', '例え.jp'],
    ['a｡jp', 'a.jp'],
    ['ü.com.', 'xn--tda.com', 'ü.com'],
    // A-labels come back as people read them
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['test.xn--fiqs8s', 'test.xn--fiqs8s', 'test.中国'],
    // Bidi (RFC 5893), in company of left-to-right labels
    ['אבג.com', 'xn--4dbcd.com', 'אבג.com'],
    ['אבג1.com', 'xn--1-zhcde.com', 'אבג1.com'],
    // Mixed scripts pass: which mixtures deceive is the registries' policy, not syntax
    ['pay\u0440al.com', 'xn--payal-xye.com', 'pay\u0440al.com'],
    // Symbols are no letters of IDNA2008; UTS #46 takes them, and .ws and .la register them
    ['☃.net', 'xn--n3h.net', '☃.net'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  ];

  test.each(rows.map(([input, domain, unicodeDomain]) => ({ input, domain, unicodeDomain })))(
    '$input',
    ({ input, domain, unicodeDomain = domain }) => {
      expect(parseDomain(input)).toEqual({ kind: 'domain', domain, unicodeDomain });
    },
  );
});

describe('parseDomain: faults', () => {
  const rows: readonly (readonly [input: string, code: SyntaxFaultCode, position: number])[] = [
    ['', 'EMPTY_DOMAIN', 0],
    ['.', 'EMPTY_LABEL', 0],
    ['.example.com', 'EMPTY_LABEL', 0],
    ['example..com', 'EMPTY_LABEL', 8],
    ['example.com..', 'EMPTY_LABEL', 11],
    ['.ü.com', 'EMPTY_LABEL', 0],
    ['ü..com', 'EMPTY_LABEL', 2],
    ['com', 'SINGLE_LABEL_DOMAIN', 0],
    ['com.', 'SINGLE_LABEL_DOMAIN', 0],
    ['ü', 'SINGLE_LABEL_DOMAIN', 0],
    ['xn--fiqs8s', 'SINGLE_LABEL_DOMAIN', 0],
    ['192.0.2.1', 'NUMERIC_TLD', 8],
    ['ü.1', 'NUMERIC_TLD', 2],
    ['ü.１２', 'NUMERIC_TLD', 2],
    ['-a.com', 'LABEL_HYPHEN', 0],
    ['a-.com', 'LABEL_HYPHEN', 1],
    ['a.com-', 'LABEL_HYPHEN', 5],
    ['-ü.com', 'LABEL_HYPHEN', 0],
    ['ü-.com', 'LABEL_HYPHEN', 1],
    ['ab--ü.com', 'LABEL_HYPHEN', 0],
    ['ü.com-', 'LABEL_HYPHEN', 5],
    ['a_b.com', 'DOMAIN_CHARACTER_NOT_ALLOWED', 1],
    ['ü_b.com', 'DOMAIN_CHARACTER_NOT_ALLOWED', 1],
    ['*.com', 'DOMAIN_CHARACTER_NOT_ALLOWED', 0],
    ['a b.com', 'SPACE_NOT_ALLOWED', 1],
    ['ü b.com', 'SPACE_NOT_ALLOWED', 1],
    ['ab\u00adc.com', 'CONTROL_CHARACTER', 2],
    ['\u200ba.com', 'CONTROL_CHARACTER', 0],
    ['a.com\u200e', 'CONTROL_CHARACTER', 5],
    // Punycode that is none, or that stands for plain ASCII
    ['xn--a.com', 'INVALID_IDN', 0],
    ['a.xn--example.com', 'INVALID_IDN', 2],
    ['xn--ü.com', 'INVALID_IDN', 0],
    ['xn--abc-.com', 'LABEL_HYPHEN', 7],
    // Joiners out of context (RFC 5892 A.1, A.2)
    ['a\u200db.com', 'INVALID_IDN', 0],
    ['www.a\u200cb.com', 'INVALID_IDN', 4],
    ['👨\u200d👩\u200d👧.com', 'INVALID_IDN', 0],
    // The bidi rule (RFC 5893 §2)
    ['1אבג.com', 'INVALID_IDN', 0],
    ['אa.com', 'INVALID_IDN', 0],
    // Each label is good alone; beside a right-to-left one a label may not start with a digit
    ['1a.אבג', 'INVALID_IDN', 0],
    ['\u0301a.com', 'INVALID_IDN', 0],
    // Maps to a dot of its own
    ['\u2488com.org', 'INVALID_IDN', 0],
    [`${'a'.repeat(64)}.com`, 'LABEL_TOO_LONG', 63],
    // 58 octets of Punycode and xn-- are 63, one more is too long: counted as the A-label, not as it is read
    [`www.${'ü'.repeat(59)}.com`, 'LABEL_TOO_LONG', 4],
    [`${'aaaaaaa.'.repeat(32)}com`, 'DOMAIN_TOO_LONG', 253],
    [`${'üüüüüüü.'.repeat(25)}com`, 'DOMAIN_TOO_LONG', 0],
    ['a'.repeat(600), 'DOMAIN_TOO_LONG', 253],
  ];

  // The long ones are cut in the name of the test.
  test.each(rows.map(([input, ...fault]) => [input.slice(0, 30), ...fault, input] as const))(
    '%j is %s at %i',
    (_, code, position, input) => {
      expect(parseDomain(input)).toMatchObject({ kind: 'fault', input, fault: { code, position } });
    },
  );

  test('the longest U-label that fits has an A-label of 63 octets', () => {
    const fits = [...Array(70).keys()].map((n) => parseDomain(`${'ü'.repeat(n + 1)}.com`));
    const longest = fits.findLast((parsed) => parsed.kind === 'domain');
    expect(longest?.kind === 'domain' ? longest.domain.indexOf('.') : 0).toBe(63);
  });
});

describe('parseExchangeHost', () => {
  test.each([
    ['mx.example.com', 'mx.example.com'],
    ['MX.Example.COM.', 'mx.example.com'],
    ['mx_1.example.com', 'mx_1.example.com'],
    ['_mx.example.com', '_mx.example.com'],
    ['-mx-.example.com', '-mx-.example.com'],
    ['localhost', 'localhost'],
    ['xn--a.example', 'xn--a.example'],
    ['mx.bücher.example', 'mx.xn--bcher-kva.example'],
  ])('%j', (text, host) => {
    expect(parseExchangeHost(text)).toBe(host);
  });

  test.each([
    ['nothing', ''],
    ['the root, which is a null MX (RFC 7505 §3)', '.'],
    ['empty labels', '..'],
    ['an empty label', 'a..b'],
    ['an empty label', '.a'],
    ['would be read as an IP address', '192.0.2.1'],
    ['a numeric end', 'mx.1'],
    ['an IP address', '::1'],
    ['a space', 'mx example.com'],
    ['an escape', 'mx\\000.example.com'],
    ['a control character', 'mx\u0000.example.com'],
    ['a slash', 'mx/example.com'],
    ['a label of 64', `${'a'.repeat(64)}.com`],
    ['more than 253', `${'aaaaaaa.'.repeat(32)}com`],
    ['ten megabytes', 'a'.repeat(10_000_000)],
  ])('is none: %s', (_, text) => {
    expect(parseExchangeHost(text)).toBeNull();
  });
});
