import { describe, expect, test } from 'vitest';
import type { DomainName } from '../address/index.ts';
import { parseDomain } from '../address/index.ts';
import { isDisposable, isFree, isKnownDomain, registrableDomain } from './index.ts';

const domain = (text: string): DomainName => {
  const parsed = parseDomain(text);
  if (parsed.kind === 'fault') throw new Error(`${text}: ${parsed.fault.code}`);
  return parsed.domain;
};

describe('what is said of a domain', () => {
  const rows: readonly (readonly [
    text: string,
    'free' | 'disposable' | 'known' | 'nothing',
    why?: string,
  ])[] = [
    ['gmail.com', 'free'],
    ['GMX.de', 'free'],
    ['hotmail.co.uk', 'free'],
    ['163.com', 'free'],
    ['comcast.net', 'free', 'with the access line'],
    ['cox.net', 'free', 'from the list of the package'],
    ['austin.rr.com', 'free', 'below a provider, and on the list'],
    ['fastmail.com', 'known', 'paid'],
    ['posteo.de', 'known', 'paid'],
    ['mozmail.com', 'known', 'a forwarder: nobody has a mailbox there'],
    ['mailinator.com', 'disposable'],
    ['anything.mailinator.com', 'disposable', 'below one'],
    ['a.b.c.guerrillamail.com', 'disposable', 'far below one'],
    ['gmial.com', 'disposable', 'on both lists: disposable wins'],
    ['jetable.fr.nf', 'disposable', 'listed below somebody’s suffix'],
    ['nobody-listed-this.fr.nf', 'nothing', 'a stranger beside it'],
    ['mailinator.com.example.org', 'nothing', 'the name in front means nothing'],
    ['fans-of-mailinator.com', 'nothing'],
    ['example.com', 'nothing'],
    ['ibm.com', 'nothing'],
    ['docs.google.com', 'nothing', 'on the list of the package, but no freemail'],
    ['nus.edu.sg', 'nothing', 'a university'],
    ['yaho.com', 'nothing', 'a typing mistake on the list'],
    ['tempmail.net', 'nothing', 'no freemail, and not on the disposable list either'],
    ['dyndns.org', 'nothing', 'a suffix'],
    ['100811.xyz', 'nothing', 'an ending of the throwaway trade'],
    ['mail.gmail.com', 'nothing', 'free is exact'],
    ['bücher.example', 'nothing'],
  ];

  test.each(rows.map(([text, said]) => [text, said] as const))('%s: %s', (text, said) => {
    const name = domain(text);
    expect({
      isFree: isFree(name),
      isDisposable: isDisposable(name),
      isKnown: isKnownDomain(name),
    }).toEqual({
      isFree: said === 'free',
      isDisposable: said === 'disposable',
      isKnown: said === 'free' || said === 'known',
    });
  });

  test('no domain is both free and disposable', async () => {
    const { default: listed } = await import('free-email-domains');
    const both = listed.filter((name) => isFree(name as DomainName) && isDisposable(name as DomainName));
    expect(both).toEqual([]);
    expect(listed.filter((name) => isFree(name as DomainName)).length).toBeGreaterThan(4_000);
  });
});

test.each([
  ['mail.example.co.uk', 'example.co.uk'],
  ['example.com', 'example.com'],
  ['co.uk', null],
  ['com', null],
  ['ada.github.io', 'github.io'],
  ['a.b.xn--fiqs8s', 'b.xn--fiqs8s'],
  ['a.b.nosuchtld', 'b.nosuchtld'],
])('registrable domain of %s: %s', (name, registrable) => {
  expect(registrableDomain(name)).toBe(registrable);
});
