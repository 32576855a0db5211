/** Suggestions with the catalog's own knowledge of which domains are known: mistakes to be found, names to be left alone. */
import { disposableEmailBlocklist } from 'disposable-email-domains-js';
import freeEmailDomains from 'free-email-domains';
import { describe, expect, test } from 'vitest';
import { parseAddress, suggestAddress } from '../../src/address/index.ts';
import { isKnownDomain } from '../../src/catalog/index.ts';

const suggest = (domain: string): string | null => {
  const parsed = parseAddress(`ada@${domain}`);
  if (parsed.kind === 'fault') throw new Error(`${domain}: ${parsed.fault.code}`);
  return suggestAddress(parsed.address, isKnownDomain)?.slice('ada@'.length) ?? null;
};

describe('mistakes that must be found', () => {
  test.each([
    ['gmail.com', 'gmial.com gamil.com gmai.com gmil.com gnail.com gmaill.com gmal.com gmsil.com mgail.com'],
    ['gmail.com', 'gmail.co gmail.cm gmail.om gmail.con gmail.comm gmail.cmo gmail.vom gmial.con'],
    ['yahoo.com', 'yahooo.com yaho.com yhaoo.com yahoo.co yahoo.cm yahoo.con yahho.com'],
    [
      'hotmail.com',
      'hotmial.com hotmal.com hotmil.com hotmai.com homail.com hotmaill.com ohtmail.com hotmail.con',
    ],
    ['outlook.com', 'outlok.com outllook.com outook.com outlook.co outlook.con oultook.com'],
    ['icloud.com', 'iclod.com icluod.com iclould.com icloud.co icloud.con'],
    ['aol.com', 'aol.con aol.comm'],
    ['protonmail.com', 'protonmal.com protonmial.com protonmial.con protonmail.co rotonmail.com'],
    ['proton.me', 'proton.em'],
    ['googlemail.com', 'googlemial.com gogglemail.com'],
    ['gmx.net', 'gmx.ent gmx.nte'],
    ['gmx.de', 'gmx.dee'],
    ['web.de', 'web.ed'],
    ['mail.ru', 'mail.r'],
    ['yandex.ru', 'yandex.r yandx.ru yandex.tu'],
    ['orange.fr', 'orange.ft'],
    ['wanadoo.fr', 'wanado.fr'],
    ['comcast.net', 'comcats.net comcast.ne comast.net'],
    ['btinternet.com', 'btinterent.com btinternet.co'],
    ['sbcglobal.net', 'sbcglobal.ent sbcgobal.net'],
    ['seznam.cz', 'seznam.zc sezanm.cz'],
    // The name in the country that was typed, where the provider is there too
    ['hotmail.nl', 'hotmial.nl hotmal.nl'],
    ['yahoo.co.jp', 'yahooo.co.jp'],
    ['yahoo.co.uk', 'yahoo.couk yahoo.co.ukk yhaoo.co.uk'],
    // Any name, with an ending that does not exist
    ['example.com', 'example.con example.cmo example.comm example.vom'],
    ['example.net', 'example.nte example.nett'],
    ['example.org', 'example.ogr example.orgg'],
    ['xn--bcher-kva.com', 'bücher.con'],
  ])('%s: %s', (meant, mistakes) => {
    for (const mistake of mistakes.split(' ')) expect([mistake, suggest(mistake)]).toEqual([mistake, meant]);
  });
});

describe('names that must be left alone', () => {
  test.each([
    [
      'known',
      'gmail.com googlemail.com mail.com ymail.com email.com gmx.com hotmail.nl yahoo.co.jp foxmail.com',
    ],
    [
      'endings that exist, behind short names and words',
      'mail.co live.co live.cm aol.co me.co web.co mac.co',
    ],
    [
      'endings that exist, behind any name',
      'example.co example.cm example.om example.ne example.cam example.io',
    ],
    ['other countries of a known name', 'gmail.de gmail.cn gmail.fr outlook.ru'],
    ['other words', 'love.com line.com five.com cloud.com photon.me never.com horizon.net version.net'],
    ['another first letter', 'fmail.com tmail.com zmail.com hmail.com bahoo.com'],
    [
      'firms beside their mail domain',
      'comcast.com verizon.com cox.com charter.com orange.com free.com att.com',
    ],
    ['not so near', 'postmail.com hushmail.com t-mobile.de telenor.no mailbox.org gmxx.org'],
    ['private names', 'server.local host.lan mx.corp.internal foo.test foo.invalid'],
  ])('%s: %s', (_, names) => {
    for (const name of names.split(' ')) expect([name, suggest(name)]).toEqual([name, null]);
  });
});

test('of the 14,125 mail domains of the packages a handful get a suggestion, most of them rightly', () => {
  const names = new Set([...disposableEmailBlocklist(), ...freeEmailDomains]);
  const suggested = [...names].filter(
    (name) => parseAddress(`a@${name}`).kind === 'address' && suggest(name),
  );
  expect(names.size).toBeGreaterThan(14_000);
  expect(suggested.length).toBeLessThan(20);
  expect(suggested).toEqual(expect.arrayContaining(['gmial.com', 'hotmial.com', 'hotmai.com', 'yaho.com']));
});
