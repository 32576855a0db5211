import { describe, expect, test } from 'vitest';
import { canonicalRules } from './canonical-rules.ts';
import { type EmailAddress, parseAddress, parseDomain, printCanonical, readTag } from './index.ts';

const address = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text}: ${parsed.fault.code}`);
  return parsed.address;
};

describe('the canonical mailbox and the tag', () => {
  const rows: readonly (readonly [text: string, canonical: string, tag: string | null, why?: string])[] = [
    ['Ada.Lovelace+news@Gmail.com', 'adalovelace@gmail.com', 'news'],
    ['a.d.a@googlemail.com', 'ada@gmail.com', null],
    ['ada+a+b@gmail.com', 'ada@gmail.com', 'a+b', 'the first + starts the tag'],
    ['ada+@gmail.com', 'ada@gmail.com', '', 'an empty tag is a tag'],
    ['+ada@gmail.com', '+ada@gmail.com', null, 'nobody before the +'],
    ['ada_l@gmail.com', 'ada_l@gmail.com', null],
    ['Ada.L+news@Outlook.com', 'ada.l@outlook.com', 'news', 'dots count'],
    ['ada+x@hotmail.co.uk', 'ada@hotmail.co.uk', 'x'],
    ['ada@live.com', 'ada@live.com', null],
    ['ada+x@icloud.com', 'ada@icloud.com', 'x'],
    ['ada@me.com', 'ada@me.com', null, 'not everybody at icloud.com has it'],
    ['Ada+x@fastmail.com', 'ada@fastmail.com', 'x'],
    ['shop@ada.fastmail.com', 'ada@fastmail.com', 'shop', 'subdomain addressing'],
    ['shop@mail.ada.fastmail.com', 'shop@mail.ada.fastmail.com', null, 'one label only'],
    ['A.d-a_L+x@proton.me', 'adal@proton.me', 'x'],
    ['ada@pm.me', 'ada@pm.me', null, 'a domain that must be switched on'],
    ['ada-news@yahoo.com', 'ada-news@yahoo.com', 'news', 'set up one by one, so an address of its own'],
    ['Ada@Yahoo.com', 'ada@yahoo.com', null],
    ['ada+x@yahoo.com', 'ada+x@yahoo.com', null, 'no tags by +'],
    ['Ada+x@ya.ru', 'ada@yandex.ru', 'x'],
    ['a.da@yandex.com', 'a.da@yandex.ru', null],
    ['Ada+x@mail.ru', 'ada@mail.ru', 'x'],
    ['ada+x@posteo.de', 'ada@posteo.de', 'x'],
    ['Ada+x@gmx.de', 'ada+x@gmx.de', null, 'no tags'],
    ['Ada+x@example.com', 'Ada+x@example.com', 'x', 'a habit of most hosts, but not known of this one'],
    ['Ada@Example.com', 'Ada@example.com', null, 'RFC 5321 §2.4'],
    ['"a b+c"@gmail.com', '"a b+c"@gmail.com', null, 'what Gmail cannot have'],
    ['"a.b+c"@gmail.com', 'ab@gmail.com', 'c', 'the quotes said nothing'],
    ['jörg+x@gmail.com', 'jörg+x@gmail.com', 'x', 'nobody says how UTF-8 is folded'],
    ['a.+b@ya.ru', 'a.+b@ya.ru', 'b', 'a. is no local part'],
    ['-+x@proton.me', '-+x@proton.me', 'x', 'nothing would be left'],
  ];

  test.each(rows.map(([text, canonical, tag]) => [text, canonical, tag] as const))(
    '%s is %s, tag %j',
    (text, canonical, tag) => {
      expect(printCanonical(address(text))).toBe(canonical);
      expect(readTag(address(text))).toBe(tag);
    },
  );
});

describe('the rules', () => {
  test('each domain is a normal one, and of one rule only', () => {
    const domains = canonicalRules.flatMap((rule) => rule.domains);
    expect(new Set(domains).size).toBe(domains.length);
    for (const domain of domains) expect(parseDomain(domain)).toMatchObject({ kind: 'domain', domain });
  });

  test.each(canonicalRules.map((rule) => [rule.provider, rule] as const))(
    '%s names its source',
    (_, rule) => {
      expect(rule.source).toMatch(/^https?:\/\//);
      if (rule.synonymOf !== undefined) expect(rule.domains).toContain(rule.synonymOf);
      // A separator that is ignored as well would never be met.
      expect(rule.ignored ?? []).not.toContain(rule.separator === '+' ? '+' : '@');
    },
  );
});
