import { describe, expect, it } from 'vitest';
import type { ZoneEntry } from '../../src/sandbox/dns-server.ts';
import { domain, host, openWorld, patienceFor, patient } from './world.ts';

describe('life of answers', () => {
  const address = (ttlSeconds: number): ZoneEntry => ({
    a: ['192.0.2.1'],
    aaaa: ['2001:db8::1'],
    ttlSeconds,
  });
  const mx: ZoneEntry = { mx: [{ preference: 10, exchange: 'a.test' }] };
  const lookupMx = 'lookupMailHosts';
  const rows: [
    string,
    ZoneEntry | null,
    'lookupMailHosts' | 'lookupAddresses' | 'lookupTxt',
    number,
    number,
  ][] = [
    ['an address by its TTL', address(300), 'lookupAddresses', 300, 2],
    ['TTL 0 by the floor', address(0), 'lookupAddresses', 30, 2],
    ['TTL of a week by the ceiling', address(604_800), 'lookupAddresses', 3_600, 2],
    ['MX, whose TTL is not told, 5 min', { ...mx, ttlSeconds: 86_400 }, lookupMx, 300, 1],
    ['TXT as well', { txt: ['text'] }, 'lookupTxt', 300, 1],
    ['a missing name 60 s', null, lookupMx, 60, 1],
    ['a missing record 60 s', { txt: ['text'] }, lookupMx, 60, 3],
    ['null MX as any MX', { mx: [{ preference: 0, exchange: '.' }] }, lookupMx, 300, 1],
    ['SERVFAIL for 5 s', { behaviour: 'SERVFAIL' }, lookupMx, 5, 1],
    ['a refusal for 5 s', { behaviour: 'REFUSED' }, lookupMx, 5, 1],
    ['a timeout for 5 s', { behaviour: 'SILENCE' }, lookupMx, 5, 1],
  ];
  it.each(rows)('%s', async (_what, entry, lookup, seconds, questions) => {
    const { dns, passSeconds, server } = await openWorld(entry === null ? {} : { 'name.test': entry }, {
      tries: 1,
      ...patienceFor(entry),
    });
    const ask = () =>
      lookup === 'lookupAddresses'
        ? dns.lookupAddresses(host('name.test'), patient)
        : dns[lookup](domain('name.test'), patient);
    const first = await ask();
    expect(server.queries).toBe(questions);
    passSeconds(seconds - 1);
    expect(await ask()).toEqual(first);
    expect(server.queries).toBe(questions);
    passSeconds(1.001);
    expect(await ask()).toEqual(first);
    expect(server.queries).toBe(2 * questions);
    expect(dns.queriesSent).toBe(server.queries);
  });

  it('takes the shortest TTL of a set', async () => {
    const { dns, passSeconds, server } = await openWorld({
      'alias.test': { cname: 'end.test', ttlSeconds: 40 },
      'end.test': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'], ttlSeconds: 3_000 },
    });
    await dns.lookupAddresses(host('alias.test'), patient);
    passSeconds(41);
    await dns.lookupAddresses(host('alias.test'), patient);
    expect(server.queries).toBe(4);
  });

  it('hears that a failing zone is well again', async () => {
    const { dns, passSeconds, server } = await openWorld({ 'ill.test': { behaviour: 'SERVFAIL' } });
    expect(await dns.lookupMailHosts(domain('ill.test'), patient)).toMatchObject({ failure: 'SERVFAIL' });
    server.setRecords('ill.test', { mx: [{ preference: 1, exchange: 'a.test' }] });
    passSeconds(5.001);
    expect(await dns.lookupMailHosts(domain('ill.test'), patient)).toMatchObject({ kind: 'exchanges' });
  });

  it('forgets the least used beyond its ceilings, in number and in size', async () => {
    const zones = () => ({ txt: ['x'.repeat(400)] });
    for (const options of [{ maxCacheEntries: 2 }, { maxCacheOctets: 2_500 }]) {
      const { dns, server } = await openWorld(zones, options);
      for (const name of ['a.test', 'b.test', 'a.test', 'c.test', 'a.test'])
        await dns.lookupTxt(domain(name), patient);
      expect(server.queries).toBe(3);
      await dns.lookupTxt(domain('b.test'), patient);
      expect(server.queries).toBe(4);
    }
  });
});

describe('single flight', () => {
  const slow = { 'slow.test': { mx: [{ preference: 10, exchange: 'a.test' }], delayMs: 60 } };

  it('asks once for a hundred askers', async () => {
    const { dns, server } = await openWorld(slow);
    const all = await Promise.all(
      Array.from({ length: 100 }, () => dns.lookupMailHosts(domain('slow.test'), patient)),
    );
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['exchanges']));
    expect(server.queries).toBe(1);
    expect(dns.queriesSent).toBe(1);
  });

  it('leaves the others alone when one goes away', async () => {
    const { dns, server } = await openWorld(slow);
    const leaver = new AbortController();
    const left = dns.lookupMailHosts(domain('slow.test'), leaver.signal);
    const stayed = dns.lookupMailHosts(domain('slow.test'), patient);
    await expect.poll(() => server.queries).toBe(1);
    leaver.abort();
    expect(await left).toMatchObject({ kind: 'failure', failure: 'ABORTED' });
    expect(await stayed).toMatchObject({ kind: 'exchanges' });
    expect(server.queries).toBe(1);
  });

  it('takes the question back when nobody waits, remembers nothing of it, and can ask it again', async () => {
    const { dns, server } = await openWorld(
      {
        'late.test': { behaviour: 'SILENCE' },
        'other.test': { mx: [{ preference: 1, exchange: 'a.test' }] },
      },
      { queryTimeoutMs: 10_000, maxOutstanding: 1 },
    );
    const leaver = new AbortController();
    const both = [1, 2].map(() => dns.lookupMailHosts(domain('late.test'), leaver.signal));
    await expect.poll(() => server.queries).toBe(1);
    const startedAt = performance.now();
    leaver.abort();
    for (const hosts of await Promise.all(both)) expect(hosts).toMatchObject({ failure: 'ABORTED' });
    // Its place is free at once, not when the 10 s are over.
    expect(await dns.lookupMailHosts(domain('other.test'), patient)).toMatchObject({ kind: 'exchanges' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    server.setRecords('late.test', { mx: [{ preference: 1, exchange: 'a.test' }] });
    expect(await dns.lookupMailHosts(domain('late.test'), patient)).toMatchObject({ kind: 'exchanges' });
  });

  it('asks nothing for a signal that has fired', async () => {
    const { dns, server } = await openWorld(slow);
    expect(await dns.lookupMailHosts(domain('slow.test'), AbortSignal.abort())).toMatchObject({
      failure: 'ABORTED',
    });
    expect(server.queries).toBe(0);
    expect(dns.queriesSent).toBe(0);
  });
});
