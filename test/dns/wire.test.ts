import { fork } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createDns } from '../../src/dns/index.ts';
import { startDnsServer } from '../../src/sandbox/dns-server.ts';
import { domain, openWorld, patient, questionsOf } from './world.ts';

const good = { mx: [{ preference: 10, exchange: 'a.test' }] };

describe('deadlines', () => {
  it('gives a silent server up after tries × timeout, in spite of c-ares being late', async () => {
    const { dns, server } = await openWorld(
      { 'silent.test': { behaviour: 'SILENCE' } },
      { queryTimeoutMs: 300, tries: 3 },
    );
    const startedAt = performance.now();
    expect(await dns.lookupMailHosts(domain('silent.test'), patient)).toMatchObject({ failure: 'TIMEOUT' });
    const took = performance.now() - startedAt;
    expect(took).toBeGreaterThanOrEqual(3 * 300 - 10);
    expect(took).toBeLessThan(3 * 300 + 600);
    expect(server.queries).toBe(3);
    expect(dns.queriesSent).toBe(3);
  });

  it('keeps its patience after many fast answers', async () => {
    const { dns } = await openWorld(
      ({ name }) => (name === 'slow.test' ? { ...good, delayMs: 1_200 } : good),
      { queryTimeoutMs: 3_000, tries: 1 },
    );
    for (let index = 0; index < 30; index += 1) await dns.lookupMailHosts(domain(`n${index}.test`), patient);
    expect(await dns.lookupMailHosts(domain('slow.test'), patient)).toMatchObject({ kind: 'exchanges' });
  });
});

describe('several servers', () => {
  const open = async (...zones: Parameters<typeof startDnsServer>[0]['zones'][]) => {
    const servers = await Promise.all(zones.map((zone) => startDnsServer({ zones: zone })));
    const dns = createDns({ servers: servers.map(({ address }) => address), queryTimeoutMs: 400, tries: 2 });
    return {
      dns,
      servers,
      counts: () => servers.map(({ queries }) => queries),
      close: async () => {
        dns.close();
        await Promise.all(servers.map((server) => server.close()));
      },
    };
  };

  it('goes on to the next when one is silent, and asks the living one first from then on', async () => {
    const { dns, counts, close } = await open(
      () => ({ behaviour: 'SILENCE' }),
      () => good,
    );
    for (const name of ['a.test', 'b.test', 'c.test'])
      expect(await dns.lookupMailHosts(domain(name), patient)).toMatchObject({ kind: 'exchanges' });
    expect(counts()).toEqual([1, 3]);
    await close();
  });

  it.each([['SERVFAIL'], ['REFUSED'], ['GARBAGE'], ['FORMERR'], ['NOTIMP']] as const)(
    'goes on to the next after %s',
    async (behaviour) => {
      const { dns, counts, close } = await open(
        () => ({ behaviour }),
        () => good,
      );
      expect(await dns.lookupMailHosts(domain('a.test'), patient)).toMatchObject({ kind: 'exchanges' });
      expect(counts()).toEqual([1, 1]);
      await close();
    },
  );

  it('believes the first that answers, NXDOMAIN included', async () => {
    const { dns, counts, close } = await open(
      () => null,
      () => good,
    );
    expect(await dns.lookupMailHosts(domain('a.test'), patient)).toMatchObject({ kind: 'domainNotFound' });
    expect(counts()).toEqual([1, 0]);
    await close();
  });

  it('asks only silent servers again, and tells the failure that says most', async () => {
    const { dns, counts, close } = await open(
      () => ({ behaviour: 'SILENCE' }),
      () => ({ behaviour: 'REFUSED' }),
      () => ({ behaviour: 'SERVFAIL' }),
      () => good,
    );
    expect(await dns.lookupMailHosts(domain('a.test'), patient)).toMatchObject({ failure: 'SERVFAIL' });
    // The fourth is beyond the ceiling of three.
    expect(counts()).toEqual([2, 1, 1, 0]);
    await close();
  });

  it('says NO_RESOLVER when nobody listens', async () => {
    const gone = await startDnsServer({ zones: {} });
    await gone.close();
    const dns = createDns({ servers: [gone.address], queryTimeoutMs: 500 });
    expect(await dns.lookupMailHosts(domain('a.test'), patient)).toMatchObject({ failure: 'NO_RESOLVER' });
    dns.close();
  });

  it('refuses what is no server when it is made', () => {
    for (const server of ['dns.example.test', '', '192.0.2.1:99999'])
      expect(() => createDns({ servers: [server] }), server).toThrow();
  });
});

describe('the ceiling on outstanding queries', () => {
  const hold = { 'held.test': { behaviour: 'SILENCE' } } as const;
  const names = Array.from({ length: 20 }, (_, index) => domain(`n${index}.slow.test`));

  it('keeps no more on the wire, and serves who waits in the order of coming', async () => {
    const arrivals: number[] = [];
    const { dns, server } = await openWorld(
      () => {
        arrivals.push(performance.now());
        return { ...good, delayMs: 40 };
      },
      { maxOutstanding: 4 },
    );
    await Promise.all(names.map((name) => dns.lookupMailHosts(name, patient)));
    for (const [index, at] of arrivals.slice(4).entries())
      expect(at - (arrivals[index] ?? 0)).toBeGreaterThan(38);
    expect(questionsOf(server)).toEqual(names.map((name) => `MX ${name}`));
  });

  it('says OVERLOADED when the line is full, at once and without remembering it', async () => {
    const { dns } = await openWorld(
      { ...hold, '*.slow.test': { ...good, delayMs: 40 } },
      { maxOutstanding: 1, maxQueued: 2 },
    );
    const answers = await Promise.all(names.slice(0, 5).map((name) => dns.lookupMailHosts(name, patient)));
    expect(answers.map((hosts) => (hosts.kind === 'failure' ? hosts.failure : hosts.kind))).toEqual([
      'exchanges',
      'exchanges',
      'exchanges',
      'OVERLOADED',
      'OVERLOADED',
    ]);
    expect(await dns.lookupMailHosts(domain('n4.slow.test'), patient)).toMatchObject({ kind: 'exchanges' });
  });

  it('says OVERLOADED when the wait was too long', async () => {
    const { dns, server } = await openWorld(
      { ...hold, '*.slow.test': good },
      { maxOutstanding: 1, queueTimeoutMs: 60, queryTimeoutMs: 5_000, tries: 1 },
    );
    const holder = new AbortController();
    const held = dns.lookupMailHosts(domain('held.test'), holder.signal);
    await expect.poll(() => server.queries).toBe(1);
    expect(await dns.lookupMailHosts(domain('n1.slow.test'), patient)).toMatchObject({
      failure: 'OVERLOADED',
    });
    holder.abort();
    await held;
    expect(await dns.lookupMailHosts(domain('n1.slow.test'), patient)).toMatchObject({ kind: 'exchanges' });
    expect(questionsOf(server)).toEqual(['MX held.test', 'MX n1.slow.test']);
  });

  it('lets who waits go away, and never sends its question', async () => {
    const { dns, server } = await openWorld(
      { ...hold, '*.slow.test': good },
      { maxOutstanding: 1, queryTimeoutMs: 5_000 },
    );
    const holder = new AbortController();
    const leaver = new AbortController();
    const held = dns.lookupMailHosts(domain('held.test'), holder.signal);
    const left = dns.lookupMailHosts(domain('n1.slow.test'), leaver.signal);
    const stayed = dns.lookupMailHosts(domain('n2.slow.test'), patient);
    leaver.abort();
    expect(await left).toMatchObject({ failure: 'ABORTED' });
    holder.abort();
    expect(await held).toMatchObject({ failure: 'ABORTED' });
    expect(await stayed).toMatchObject({ kind: 'exchanges' });
    expect(questionsOf(server)).toEqual(['MX held.test', 'MX n2.slow.test']);
  });
});

describe('close', () => {
  it('ends what is out and refuses what comes', async () => {
    const { dns, server } = await openWorld(
      { 'silent.test': { behaviour: 'SILENCE' } },
      { queryTimeoutMs: 60_000 },
    );
    const out = dns.lookupMailHosts(domain('silent.test'), patient);
    await expect.poll(() => server.queries).toBe(1);
    dns.close();
    expect(await out).toMatchObject({ failure: 'ABORTED' });
    expect(await dns.lookupMailHosts(domain('silent.test'), patient)).toMatchObject({ failure: 'ABORTED' });
    expect(server.queries).toBe(1);
  });

  it('leaves nothing behind that keeps a process alive', async () => {
    const child = fork(new URL('./close.child.ts', import.meta.url), { stdio: 'pipe' });
    const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
    expect(code).toBe(0);
  });

  it('bears hundreds of askers on one signal without a warning, and lets go of it', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => warnings.push(warning);
    process.on('warning', hear);
    const { dns } = await openWorld(() => ({ ...good, delayMs: 20 }));
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => dns.lookupMailHosts(domain(`n${index}.test`), signal)),
    );
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    // Warnings are emitted on the next tick.
    await new Promise(setImmediate);
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });
});
