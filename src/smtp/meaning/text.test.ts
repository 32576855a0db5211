import { describe, expect, test } from 'vitest';
import {
  MAX_RETRY_SECONDS,
  MAX_TEXT_CHARACTERS,
  normalizeText,
  readCodeInText,
  readDelaySeconds,
} from './text.ts';

describe('normalizeText takes the recipient out', () => {
  test.each<[string, string, string, string]>([
    ['in brackets', 'inactive', '<inactive@example.com>: refused', ': refused'],
    ['bare', 'inactive', 'User inactive@example.com unknown', 'user unknown'],
    ['in any case', 'Inactive', '<INACTIVE@Example.COM>... refused', '... refused'],
    ['with another domain', 'spam', 'no route to spam@backend.internal', 'no route to backend.internal'],
    ['its domain alone', 'jo', 'example.com does not want you', 'does not want you'],
    ['every time', 'jo', 'jo@example.com, really jo@example.com', ', really'],
    ['a quoted local part', '"a b"', '<"a b"@example.com> unknown', 'unknown'],
    ['a quoted local part without its quotes', '"spam"', '<spam@example.com> unknown', 'unknown'],
    ['a local part as an argument before a colon', 'spam', 'spam: no such user', ': no such user'],
    ['a local part as an argument behind one', 'spam', 'no such user: spam', 'no such user:'],
    ['a local part after its noun', 'inactive', 'no such user inactive', 'no such user'],
    ['a local part in quotes', 'spam', 'unknown user "spam"', 'unknown user'],
    ['a local part as Sendmail spells it', 'spam', 'spam... User unknown', '... user unknown'],
    ['a local part with dots and tags', 'a.b+spam', '<a.b+spam@example.com>: no', ': no'],
  ])('%s', (_, localPart, text, left) => {
    expect(normalizeText(text, { localPart, domain: 'example.com' })).toBe(left);
  });

  test.each<[string, string, string]>([
    ['a word of the sentence', 'sender', 'sender address rejected: user unknown'],
    ['the end of a longer word', 'cipient', 'recipient@example.com rejected'],
    ['a noun that completes a phrase', 'unknown', 'user unknown'],
    ['half a domain', 'jo', 'see notexample.com'],
  ])('but leaves %s', (_, localPart, text) => {
    expect(normalizeText(text, { localPart, domain: 'example.com' })).toContain(text.split('@')[0]);
  });

  test('without a recipient nothing is taken out', () => {
    expect(normalizeText('Jo@Example.com  unknown ', null)).toBe('jo@example.com unknown');
  });

  test('curly apostrophes are apostrophes, and text is bounded', () => {
    expect(normalizeText('doesn’t', null)).toBe("doesn't");
    expect(normalizeText('x'.repeat(1_000_000), null)).toHaveLength(MAX_TEXT_CHARACTERS);
  });
});

describe('readDelaySeconds', () => {
  test.each<[string, number | null]>([
    ['greylisted, please try again in 300 seconds', 300],
    ['greylisted for 60 seconds', 60],
    ['please come back in 00:05:00', 300],
    ['please wait 5 minutes', 300],
    ['try again in 1 hour', 3600],
    ['try again after 2h', 7200],
    ['try again in at least 10 min', 600],
    ['try again in about 90s.', 90],
    ['veuillez réessayer dans 300 secondes', 300],
    ['bitte in 5 minuten erneut versuchen', 300],
    ['попробуйте через 5 минут', 300],
    ['попробуйте через 1 час', 3600],
    ['请在 10 分钟后重试', 600],
    ['try again in 99999 hours', MAX_RETRY_SECONDS],
    ['try again in 0 seconds', null],
    ['try again later', null],
    ['try again in 5 meters', null],
    ['see http://postgrey.schweikert.ch/help/example.com.html', null],
    ['4.7.1 for 192.0.2.1', null],
    ['', null],
  ])('%s', (text, seconds) => {
    expect(readDelaySeconds(text)).toBe(seconds);
  });
});

test.each<[string, string | null]>([
  ['sorry, no mailbox here by that name. (#5.1.1)', '5.1.1'],
  ['sorry, no mailbox here by that name (#5.1.1 - chkuser)', '5.1.1'],
  ['#5.1.0 address rejected', '5.1.0'],
  ['said: 550 5.1.1 user unknown', null],
  ['see #20.1.1 and #5.1', null],
])('readCodeInText: %s', (text, code) => {
  expect(readCodeInText(text)).toBe(code);
});
