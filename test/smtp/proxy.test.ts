/** Through a SOCKS5 proxy: to the checked address, with its failures told as its own, and its account told to nobody. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExchangeHost } from '../../src/address/index.ts';
import { createGuard, type Prober } from '../../src/smtp/index.ts';
import { type Scenario, startServer } from './scripted-server.ts';
import { type Socks5Scenario, startSocks5Server } from './socks5-server.ts';
import { ask, eventually, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const account = { user: 'secret-user', password: 'secret-password' };
type Given = { readonly user: string; readonly password: string } | null;

const start = async (
  scenario: Socks5Scenario,
  { given = null, smtp = {}, world = {} }: { given?: Given; smtp?: Scenario; world?: Partial<World> } = {},
) => {
  const server = await startServer(smtp);
  const socks = await startSocks5Server(scenario);
  const proxy = { host: '127.0.0.1', port: socks.port, readCredentials: () => given };
  const prober: Prober = makeProber({ port: server.port, proxy, ...world });
  running.push(server, socks, prober);
  return { server, socks, prober };
};

describe('through a proxy', () => {
  it.each<[string, Socks5Scenario, Given]>([
    ['that asks for no account', {}, null],
    ['that knows our account', { account }, account],
    ['that need not have asked', {}, account],
    ['that sends the greeting with its own reply', { isCorked: true }, null],
  ])('%s: mailboxes are asked as ever', async (_what, scenario, given) => {
    const { server, socks, prober } = await start(scenario, { given });
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({
      ip: '127.0.0.1',
      reply: { code: 250 },
      attempts: [{ host: 'mx.test', ip: '127.0.0.1', outcome: { kind: 'connected' } }],
    });
    expect(evidence.transcript[0]?.text).toMatch(/through the proxy$/);
    expect(socks.requests).toEqual([`127.0.0.1:${server.port}`]);
    expect(inspect(evidence, { depth: 9 })).not.toContain('secret');
    await prober.close();
    await eventually(() => server.open === 0 && socks.open === 0);
  });

  it('the guard still judges, and the proxy hears of nothing that it refused', async () => {
    const { socks, prober } = await start({}, { world: { guard: createGuard([]) } });
    expect((await prober.probe(ask('real@d.test'))).attempts).toMatchObject([
      { outcome: { kind: 'unroutable' } },
    ]);
    expect(socks.requests).toEqual([]);
  });

  it('a greeting goes the same way', async () => {
    const { socks, prober } = await start({ account }, { given: account });
    const greeting = await prober.greet({
      host: 'mx.test' as ExchangeHost,
      deadline: Date.now() + 2_000,
      signal: new AbortController().signal,
    });
    expect(greeting).toMatchObject({ banner: 'mx.test ESMTP', ip: '127.0.0.1' });
    expect(socks.requests).toHaveLength(1);
  });
});

describe('a proxy that fails', () => {
  const garbage = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
  it.each<[string, Socks5Scenario, Given, string]>([
    [
      'knows another password',
      { account },
      { ...account, password: 'secret-wrong' },
      'PROXY_AUTHENTICATION_FAILED',
    ],
    ['wants an account and gets none', { account }, null, 'PROXY_AUTHENTICATION_METHOD_REFUSED'],
    ['forbids it', { replyCode: 2 }, null, 'PROXY_FORBIDS'],
    ['found the network unreachable', { replyCode: 3 }, null, 'PROXY_SAYS_NETWORK_UNREACHABLE'],
    ['found the host unreachable', { replyCode: 4 }, null, 'PROXY_SAYS_HOST_UNREACHABLE'],
    ['was refused by the exchange', { replyCode: 5 }, null, 'PROXY_SAYS_CONNECTION_REFUSED'],
    ['waited in vain', { replyCode: 6 }, null, 'PROXY_SAYS_TTL_EXPIRED'],
    ['cannot do IPv4', { replyCode: 8 }, null, 'PROXY_CANNOT'],
    ['is out of order', { replyCode: 1 }, null, 'PROXY_FAILED'],
    ['says a code that nobody knows', { replyCode: 0x63 }, null, 'PROXY_IS_NO_SOCKS5'],
    ['speaks HTTP', { say: { methods: garbage } }, null, 'PROXY_IS_NO_SOCKS5'],
    ['speaks HTTP after the account', { account, say: { account: garbage } }, account, 'PROXY_'],
    ['speaks HTTP at last', { say: { request: garbage } }, null, 'PROXY_IS_NO_SOCKS5'],
    ['says nothing', { say: { methods: null } }, null, 'PROXY_TIMEOUT'],
    ['says nothing to the account', { account, say: { account: null } }, account, 'PROXY_TIMEOUT'],
    ['says nothing at last', { say: { request: null } }, null, 'PROXY_TIMEOUT'],
    ['says half a word', { say: { request: Buffer.from([5, 0, 0, 1]) } }, null, 'PROXY_TIMEOUT'],
  ])('%s: that is told, and nobody learns the account', async (_what, scenario, given, error) => {
    const { server, socks, prober } = await start(scenario, {
      given,
      world: { timeouts: { connectMs: 200 } },
    });
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({
      exchange: null,
      reply: null,
      attempts: [
        { ip: '127.0.0.1', outcome: { kind: 'connectFailed', error: expect.stringContaining(error) } },
      ],
    });
    expect(server.lines).toHaveLength(0);
    expect(prober.stats.sessionsOpened).toBe(0);
    expect(inspect([evidence, prober.lanes()], { depth: 9 })).not.toContain('secret');
    await eventually(() => socks.open === 0);
  });

  it('is not there', async () => {
    const { socks, prober } = await start({});
    await socks.close();
    expect((await prober.probe(ask('real@d.test'))).attempts).toMatchObject([
      { outcome: { kind: 'connectFailed', error: 'PROXY_UNREACHABLE (ECONNREFUSED)' } },
    ]);
  });

  it('is slow: the next address waits for it, since a proxy’s connections are seen by the exchange', async () => {
    const { socks, prober } = await start(
      { say: { request: null } },
      { world: { addresses: { 'mx.test': ['127.0.0.1', '127.0.0.2'] }, timeouts: { connectMs: 700 } } },
    );
    const asked = prober.probe(ask('real@d.test'));
    await eventually(() => socks.requests.length === 1);
    const firstAt = performance.now();
    await eventually(() => socks.requests.length === 2);
    expect(performance.now() - firstAt).toBeGreaterThan(500);
    expect((await asked).attempts.map(({ ip }) => ip)).toEqual(['127.0.0.1', '127.0.0.2']);
  });

  it('hangs while the asker leaves: the connection ends', async () => {
    const { socks, prober } = await start(
      { say: { request: null } },
      { world: { timeouts: { connectMs: 60_000, openMs: 60_000 } } },
    );
    const asker = new AbortController();
    const asked = prober.probe(ask('real@d.test', { signal: asker.signal }));
    await eventually(() => socks.requests.length === 1);
    asker.abort();
    expect((await asked).reply).toBeNull();
    await eventually(() => socks.open === 0);
  });

  it('hangs up in the middle of a conversation: the fault of that session', async () => {
    const { prober } = await start(
      {},
      {
        smtp: {
          answer: (line, side) => {
            if (!/^RCPT/.test(line)) return undefined;
            side.hangUp();
            return null;
          },
        },
      },
    );
    expect((await prober.probe(ask('real@d.test'))).fault).toMatchObject({ kind: 'closed' });
  });
});
