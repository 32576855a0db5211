import { describe, expect, it } from 'vitest';
import type { MailHosts } from '../../src/dns/index.ts';
import type { Zones } from '../../src/sandbox/dns-server.ts';
import { domain, openWorld, patienceFor, patient, questionsOf } from './world.ts';

const mx = (...rows: [number, string][]) => rows.map(([preference, exchange]) => ({ preference, exchange }));

const zones: Zones = {
  'ordered.test': { mx: mx([20, 'b.test'], [10, 'a.test'], [30, 'c.test']) },
  'upper.test': { mx: mx([10, 'MX.Upper.TEST']) },
  'doubled.test': { mx: mx([20, 'a.test'], [10, 'A.test'], [15, 'b.test']) },
  'redoubled.test': { mx: mx([10, 'a.test'], [20, 'a.test'], [15, 'b.test']) },
  'null.test': { mx: mx([0, '.']), a: ['192.0.2.1'] },
  'null-high.test': { mx: mx([10, '.']) },
  'null-twice.test': { mx: mx([0, '.'], [10, '.']) },
  'null-among.test': { mx: mx([0, '.'], [10, 'a.test']) },
  'literal.test': { mx: mx([10, '192.0.2.1']), a: ['192.0.2.1'] },
  'nonsense.test': { mx: mx([10, 'mx host.test'], [20, 'mx@host.test'], [30, '-mx.test']) },
  'half-nonsense.test': { mx: mx([10, '192.0.2.1'], [20, 'good_1.test']) },
  'implicit4.test': { a: ['192.0.2.1'] },
  'implicit6.test': { aaaa: ['2001:db8::1'] },
  'implicit-half.test': { a: ['192.0.2.1'], behaviour: { AAAA: 'SERVFAIL' } },
  'empty.test': { txt: ['nothing about mail'] },
  'a-fails.test': { behaviour: { A: 'SERVFAIL' } },
  'aaaa-refused.test': { behaviour: { AAAA: 'REFUSED' } },
  'a-missing-aaaa-fails.test': { behaviour: { A: 'NXDOMAIN', AAAA: 'SERVFAIL' } },
  'servfail.test': { a: ['192.0.2.1'], behaviour: 'SERVFAIL' },
  'mx-servfail.test': { a: ['192.0.2.1'], behaviour: { MX: 'SERVFAIL' } },
  'mx-refused.test': { a: ['192.0.2.1'], behaviour: { MX: 'REFUSED' } },
  'mx-silent.test': { a: ['192.0.2.1'], behaviour: { MX: 'SILENCE' } },
  'mx-formerr.test': { a: ['192.0.2.1'], behaviour: { MX: 'FORMERR' } },
  'mx-notimp.test': { a: ['192.0.2.1'], behaviour: { MX: 'NOTIMP' } },
  'mx-garbage.test': { a: ['192.0.2.1'], behaviour: { MX: 'GARBAGE' } },
  'mx-nxdomain.test': { a: ['192.0.2.1'], behaviour: { MX: 'NXDOMAIN' } },
  'truncated.test': { mx: mx([10, 'a.test']), behaviour: 'TRUNCATED' },
  'alias.test': { cname: 'ordered.test' },
  'alias-implicit.test': { cname: 'implicit4.test' },
  'alias-empty.test': { cname: 'empty.test' },
  'alias-dangling.test': { cname: 'nowhere.test' },
  'circle.test': { cname: 'elcric.test' },
  'elcric.test': { cname: 'circle.test' },
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`chain${index}.test`, { cname: `chain${index + 1}.test` }]),
  ),
  'chain12.test': { mx: mx([10, 'a.test']) },
  'many.test': {
    mx: Array.from({ length: 40 }, (_, index) => ({ preference: 40 - index, exchange: `mx${index}.test` })),
  },
};

/** One line for what was found. */
const summarise = (hosts: MailHosts): string => {
  switch (hosts.kind) {
    case 'exchanges':
      return `${hosts.isImplicit ? 'implicit ' : ''}${hosts.exchanges.map(({ preference, host }) => `${preference} ${host}`).join(', ')}`;
    case 'failure':
      return hosts.failure;
    default:
      return hosts.kind;
  }
};

describe('lookupMailHosts', () => {
  const rows: [string, string, string][] = [
    ['ordered.test', '10 a.test, 20 b.test, 30 c.test', 'by preference'],
    ['upper.test', '10 mx.upper.test', 'in lower case'],
    ['doubled.test', '10 a.test, 15 b.test', 'one host twice: its best preference'],
    ['redoubled.test', '10 a.test, 15 b.test', 'in whatever order'],
    ['null.test', 'nullMx', 'RFC 7505, and an address does not matter then'],
    ['null-high.test', 'nullMx', 'whatever its preference'],
    ['null-twice.test', 'nullMx', 'said twice'],
    ['null-among.test', '10 a.test', 'a root among others is a mistake: the others count'],
    [
      'literal.test',
      'noMailHost',
      'an IP address is no host name, and the MX still forbids the implicit one',
    ],
    ['nonsense.test', 'noMailHost', 'no target can be a host name'],
    ['half-nonsense.test', '20 good_1.test', 'one target can; underscores work'],
    ['implicit4.test', 'implicit 0 implicit4.test', 'RFC 5321 §5.1, by A'],
    ['implicit6.test', 'implicit 0 implicit6.test', 'by AAAA'],
    ['implicit-half.test', 'implicit 0 implicit-half.test', 'A is enough, though AAAA failed'],
    ['empty.test', 'noMailHost', 'the name exists, without MX, A or AAAA'],
    ['a-fails.test', 'SERVFAIL', 'AAAA is missing and A unknown: unknown'],
    ['aaaa-refused.test', 'REFUSED', 'A is missing and AAAA unknown: unknown'],
    ['a-missing-aaaa-fails.test', 'noMailHost', 'NXDOMAIN speaks for AAAA too'],
    ['nowhere.test', 'domainNotFound', 'NXDOMAIN'],
    ['servfail.test', 'SERVFAIL', ''],
    [
      'mx-servfail.test',
      'SERVFAIL',
      'never the implicit MX: the one that could not be read may point elsewhere',
    ],
    ['mx-refused.test', 'REFUSED', ''],
    ['mx-silent.test', 'TIMEOUT', ''],
    ['mx-formerr.test', 'BAD_ANSWER', ''],
    ['mx-notimp.test', 'REFUSED', ''],
    ['mx-garbage.test', 'BAD_ANSWER', ''],
    ['mx-nxdomain.test', 'domainNotFound', 'believed, although an A exists (RFC 8020)'],
    ['truncated.test', '10 a.test', 'over TCP'],
    ['alias.test', '10 a.test, 20 b.test, 30 c.test', 'the MX of the canonical name'],
    ['alias-implicit.test', 'implicit 0 alias-implicit.test', ''],
    ['alias-empty.test', 'noMailHost', 'a CNAME with nothing behind it'],
    ['alias-dangling.test', 'domainNotFound', 'RFC 2308 §2.1: NXDOMAIN is about the end of the chain'],
    ['circle.test', 'SERVFAIL', 'as resolvers say it'],
    ['chain3.test', 'SERVFAIL', '9 links'],
    ['chain4.test', '10 a.test', '8 links'],
  ];
  it.each(rows)('%s: %s %s', async (name, expected) => {
    const { dns } = await openWorld(zones, patienceFor(zones[name]));
    expect(summarise(await dns.lookupMailHosts(domain(name), patient))).toBe(expected);
  });

  it('keeps the ten best of forty', async () => {
    const { dns } = await openWorld(zones);
    const hosts = await dns.lookupMailHosts(domain('many.test'), patient);
    expect(summarise(hosts)).toBe(
      Array.from({ length: 10 }, (_, index) => `${index + 1} mx${39 - index}.test`).join(', '),
    );
  });

  it('asks one question for MX, and two more only for the implicit one', async () => {
    const { dns, server } = await openWorld(zones);
    await dns.lookupMailHosts(domain('ordered.test'), patient);
    expect(questionsOf(server)).toEqual(['MX ordered.test']);
    await dns.lookupMailHosts(domain('implicit4.test'), patient);
    expect(questionsOf(server).slice(1).toSorted()).toEqual([
      'A implicit4.test',
      'AAAA implicit4.test',
      'MX implicit4.test',
    ]);
    expect(dns.queriesSent).toBe(4);
  });

  it('gives what it read of a remembered answer, where nothing is to be drawn', async () => {
    const { dns } = await openWorld(zones);
    const first = await dns.lookupMailHosts(domain('ordered.test'), patient);
    expect(await dns.lookupMailHosts(domain('ordered.test'), patient)).toBe(first);
    expect(summarise(await dns.lookupMailHosts(domain('alias.test'), patient))).toBe(summarise(first));
  });

  it('draws equal preferences anew on each look-up, from one remembered answer', async () => {
    const { dns, server } = await openWorld({
      'equal.test': {
        mx: mx([10, 'a.test'], [10, 'b.test'], [10, 'c.test'], [5, 'first.test'], [20, 'last.test']),
      },
    });
    const firsts = new Set<string>();
    for (let look = 0; look < 60; look += 1) {
      const hosts = await dns.lookupMailHosts(domain('equal.test'), patient);
      if (hosts.kind !== 'exchanges') throw new Error(hosts.kind);
      const names = hosts.exchanges.map((exchange) => `${exchange.host}`);
      expect([names[0], names[4]]).toEqual(['first.test', 'last.test']);
      expect(names.slice(1, 4).toSorted()).toEqual(['a.test', 'b.test', 'c.test']);
      firsts.add(names[1] ?? '');
    }
    // One of three missing after 60 fair draws: 3 × (2/3)^60, one in ten thousand million.
    expect(firsts.size).toBe(3);
    expect(server.queries).toBe(1);
  });

  it('draws with the given chance', async () => {
    const draws = [0.9, 0.1, 0.5];
    const { dns } = await openWorld(
      { 'equal.test': { mx: mx([10, 'a.test'], [10, 'b.test'], [10, 'c.test']) } },
      { random: () => draws.shift() ?? 0 },
    );
    expect(summarise(await dns.lookupMailHosts(domain('equal.test'), patient))).toBe(
      '10 b.test, 10 c.test, 10 a.test',
    );
  });
});
