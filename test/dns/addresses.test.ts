import { describe, expect, it } from 'vitest';
import { reverseName, type Zones } from '../../src/sandbox/dns-server.ts';
import { domain, host, openWorld, patienceFor, patient, questionsOf } from './world.ts';

const four = (count: number) => Array.from({ length: count }, (_, index) => `192.0.2.${index + 1}`);
const six = (count: number) => Array.from({ length: count }, (_, index) => `2001:db8::${index + 1}`);

const zones: Zones = {
  'one4.test': { a: four(1) },
  'one6.test': { aaaa: six(1) },
  'both.test': { a: four(2), aaaa: six(2) },
  'many.test': { a: four(9), aaaa: six(9) },
  'mostly4.test': { a: four(9), aaaa: six(1) },
  'mostly6.test': { a: four(1), aaaa: six(9) },
  'alias.test': { cname: 'both.test' },
  'twice.test': { a: ['192.0.2.1', '192.0.2.1'] },
  'nodata.test': { txt: ['no address'] },
  'half4.test': { a: four(1), behaviour: { AAAA: 'SERVFAIL' } },
  'half6.test': { aaaa: six(1), behaviour: { A: 'SILENCE' } },
  'none-and-failure.test': { behaviour: { A: 'SERVFAIL' } },
  'failure-and-none.test': { behaviour: { AAAA: 'GARBAGE' } },
  'both-fail.test': { behaviour: { A: 'SILENCE', AAAA: 'SERVFAIL' } },
  'both-refused.test': { behaviour: 'REFUSED' },
  'both-silent.test': { behaviour: 'SILENCE' },
};

describe('lookupAddresses', () => {
  const rows: [string, string, string][] = [
    ['one4.test', '192.0.2.1', ''],
    ['one6.test', '2001:db8::1', ''],
    ['both.test', '192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2', 'alternating, IPv4 first'],
    ['many.test', '192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2', 'four of eighteen'],
    ['mostly4.test', '192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3', 'the other family is never crowded out'],
    ['mostly6.test', '192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3', ''],
    ['alias.test', '192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2', 'an MX to a CNAME is tolerated'],
    ['twice.test', '192.0.2.1', 'once each'],
    ['half4.test', '192.0.2.1', 'partial success is success'],
    ['half6.test', '2001:db8::1', ''],
    ['nodata.test', 'none', ''],
    ['nowhere.test', 'none', ''],
    ['none-and-failure.test', 'SERVFAIL', 'nobody knows that there is none'],
    ['failure-and-none.test', 'BAD_ANSWER', ''],
    ['both-fail.test', 'SERVFAIL', 'the failure that tells more'],
    ['both-refused.test', 'REFUSED', ''],
    ['both-silent.test', 'TIMEOUT', ''],
  ];
  it.each(rows)('%s: %s %s', async (name, expected) => {
    const { dns } = await openWorld(zones, patienceFor(zones[name]));
    const found = await dns.lookupAddresses(host(name), patient);
    expect(
      found.kind === 'addresses'
        ? found.addresses.map(({ ip }) => ip).join(' ')
        : found.kind === 'failure'
          ? found.failure
          : found.kind,
    ).toBe(expected);
    if (found.kind === 'addresses')
      for (const { ip, family } of found.addresses) expect(family).toBe(ip.includes(':') ? 6 : 4);
  });

  it('asks for both families at once', async () => {
    const { dns, server } = await openWorld({ 'slow.test': { a: four(1), aaaa: six(1), delayMs: 300 } });
    const startedAt = performance.now();
    await dns.lookupAddresses(host('slow.test'), patient);
    expect(performance.now() - startedAt).toBeLessThan(580);
    expect(questionsOf(server).toSorted()).toEqual(['A slow.test', 'AAAA slow.test']);
  });
});

describe('lookupTxt', () => {
  it.each([
    ['joined', { txt: [['v=spf1 ', '-all'], 'second'] }, ['v=spf1 -all', 'second']],
    ['long', { txt: ['x'.repeat(3_000)] }, ['x'.repeat(3_000)]],
    ['UTF-8', { txt: ['grüße'] }, ['grüße']],
    ['empty', { txt: [''] }, ['']],
  ])('gives the strings of a record %s', async (_name, entry, records) => {
    const { dns } = await openWorld({ 'txt.test': entry });
    const found = await dns.lookupTxt(domain('txt.test'), patient);
    expect(found.kind === 'records' && found.records.toSorted()).toEqual(records.toSorted());
  });

  it('tells none from a failure', async () => {
    const { dns } = await openWorld(zones);
    expect(await dns.lookupTxt(domain('one4.test'), patient)).toEqual({ kind: 'none' });
    expect(await dns.lookupTxt(domain('nowhere.test'), patient)).toEqual({ kind: 'none' });
    expect(await dns.lookupTxt(domain('both-refused.test'), patient)).toEqual({
      kind: 'failure',
      failure: 'REFUSED',
    });
  });
});

describe('lookupNames', () => {
  const names: Zones = {
    [reverseName('192.0.2.1')]: { ptr: ['Mail.Example.TEST'] },
    [reverseName('2001:db8::1')]: { ptr: ['six.test'] },
    [reverseName('192.0.2.2')]: { ptr: Array.from({ length: 30 }, (_, index) => `n${index}.test`) },
    [reverseName('192.0.2.3')]: { behaviour: 'SERVFAIL' },
  };
  it('reads PTR of both families, in lower case, at most ten', async () => {
    const { dns } = await openWorld(names);
    expect(await dns.lookupNames('192.0.2.1', patient)).toEqual({
      kind: 'names',
      names: ['mail.example.test'],
    });
    expect(await dns.lookupNames('2001:db8::1', patient)).toEqual({ kind: 'names', names: ['six.test'] });
    const many = await dns.lookupNames('192.0.2.2', patient);
    expect(many.kind === 'names' && many.names.length).toBe(10);
  });
  it('tells none from a failure, and asks nobody about what is no address', async () => {
    const { dns } = await openWorld(names);
    expect(await dns.lookupNames('192.0.2.9', patient)).toEqual({ kind: 'none' });
    expect(await dns.lookupNames('192.0.2.3', patient)).toEqual({ kind: 'failure', failure: 'SERVFAIL' });
    const before = dns.queriesSent;
    expect(await dns.lookupNames('not an address', patient)).toEqual({ kind: 'none' });
    expect(dns.queriesSent).toBe(before);
  });
});
