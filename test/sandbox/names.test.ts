/** What the sandbox's name server tells `node:dns`, on which rcpt stands. */
import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { createResolver, lookupExchange } from './client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ pace: 0.02 });
});
afterAll(() => sandbox.close());

const mxOf = async (domain: string): Promise<string[]> =>
  (await createResolver(sandbox).resolveMx(domain)).map(
    ({ priority, exchange }) => `${priority} ${exchange}`,
  );

describe('mail exchanges', () => {
  const rows: readonly [domain: string, exchanges: readonly string[]][] = [
    ['accepts.test', ['10 mx.accepts.test']],
    ['xn--bcher-kva.test', ['10 mx.xn--bcher-kva.test']],
    ['null-mx.test', ['0 ']],
    ['dead-first-mx.test', ['10 mx1.dead-first-mx.test', '20 mx2.dead-first-mx.test']],
    ['all-mx-dead.test', ['10 mx1.all-mx-dead.test', '20 mx2.all-mx-dead.test']],
    ['mx-without-address.test', ['10 mx.mx-without-address.test', '20 gone.mx-without-address.test']],
    ['aliased.test', ['10 mx.aliased.test']],
    ['truncated.test', ['10 mx.truncated.test']],
    ['slow.test', ['10 mx.slow.test']],
    ['mx-loop.test', ['10 mx.mx-loop.test']],
    ['mx-with-nul.test', ['10 mx\\000nl.test']],
    ['gmail-like.test', ['10 aspmx.l.google.com']],
    ['bulk1.test', ['10 mx1.hosting1.test', '20 mx2.hosting1.test']],
    ['bulk5.test', ['10 mx1.hosting1.test', '20 mx2.hosting1.test']],
    ['bulk20.test', ['10 mx1.hosting4.test', '20 mx2.hosting4.test']],
  ];
  it.each(rows)('%s', async (domain, exchanges) => {
    expect((await mxOf(domain)).toSorted()).toEqual(exchanges);
  });
});

it('thousand-mx.test has a thousand, each with an address', async () => {
  const exchanges = await mxOf('thousand-mx.test');
  expect(new Set(exchanges).size).toBe(1_000);
  expect(await createResolver(sandbox).resolve4('m999.thousand-mx.test')).toEqual(['127.26.255.1']);
});

describe('addresses', () => {
  const rows: readonly [host: string, ip: string][] = [
    ['mx.mx-to-loopback.test', '127.0.0.1'],
    ['mx.mx-to-private.test', '10.0.0.1'],
    ['mx.mx-to-metadata.test', '169.254.169.254'],
    ['mx2.all-mx-dead.test', '127.26.255.2'],
  ];
  it.each(rows)('%s', async (host, ip) => {
    expect(await createResolver(sandbox).resolve4(host)).toEqual([ip]);
  });

  it('mx-to-mapped hides an IPv4 address in an IPv6 one', async () => {
    expect(await createResolver(sandbox).resolve6('mx.mx-to-mapped.test')).toEqual(['::ffff:10.0.0.1']);
  });

  it('every mail server has a PTR that leads back to its name', async () => {
    const ip = await lookupExchange(sandbox, 'accepts.test');
    expect(ip).toMatch(/^127\.26\./);
    expect(await createResolver(sandbox).reverse(ip)).toEqual(['mx.accepts.test']);
  });

  it('a CNAME of an exchange is followed', async () => {
    expect(await lookupExchange(sandbox, 'aliased.test')).toBe(await lookupExchange(sandbox, 'accepts.test'));
  });
});

it('accepts.test publishes policies', async () => {
  const resolver = createResolver(sandbox);
  expect(await resolver.resolveTxt('accepts.test')).toEqual([['v=spf1 mx -all']]);
  expect(await resolver.resolveTxt('_dmarc.accepts.test')).toMatchObject([
    [expect.stringContaining('v=DMARC1; p=reject')],
  ]);
  expect(await resolver.resolveTxt('_smtp._tls.accepts.test')).toMatchObject([
    [expect.stringContaining('v=TLSRPTv1')],
  ]);
});

describe('failures', () => {
  const rows: readonly [domain: string, code: string][] = [
    ['nxdomain.test', 'ENOTFOUND'],
    ['gmial.com', 'ENOTFOUND'],
    ['anything-else.example', 'ENOTFOUND'],
    ['no-mail-host.test', 'ENODATA'],
    ['implicit-mx.test', 'ENODATA'],
    ['servfail.test', 'ESERVFAIL'],
    ['dns-refused.test', 'EREFUSED'],
    ['dns-garbage.test', 'EBADRESP'],
    ['cname-loop.test', 'ESERVFAIL'],
    ['mx-with-long-label.test', 'EBADRESP'],
    ['mx-pointing-at-itself.test', 'EBADRESP'],
  ];
  it.each(rows)('%s', async (domain, code) => {
    await expect(mxOf(domain)).rejects.toMatchObject({ code });
  });

  it('dns-timeout.test is met by silence, though it was asked', async () => {
    const before = sandbox.counts().dnsQueries;
    const hasty = new Resolver({ timeout: 150, tries: 1 });
    hasty.setServers(sandbox.dnsServers);
    await expect(hasty.resolveMx('dns-timeout.test')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(sandbox.counts().dnsQueries).toBeGreaterThan(before);
  });
});
