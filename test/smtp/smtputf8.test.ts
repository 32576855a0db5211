/** An address that needs SMTPUTF8 is asked about wherever it is offered, and blamed only when it is nowhere. */
import { afterEach, describe, expect, it } from 'vitest';
import type { DomainName } from '../../src/address/index.ts';
import type { HostAddresses } from '../../src/dns/index.ts';
import { judge } from '../../src/verdict/index.ts';
import { HONEST, type Scenario, type ScriptedServer, startServer } from './scripted-server.ts';
import { ask, makeExchanges, makeProber } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

/** What one exchange is: a server, nobody at the address, or what DNS says of its name. */
type Exchange = Scenario | 'dead' | 'silent' | HostAddresses;

const offers: Scenario = { capabilities: [...HONEST, 'SMTPUTF8'] };
const lacks: Scenario = {};
const refuses: Scenario = { greeting: '554 5.7.1 Your IP address is listed by us' };
const hangsUp: Scenario = { onConnect: (side) => side.hangUp() };
const noAddress: HostAddresses = { kind: 'none' };
const servfail: HostAddresses = { kind: 'failure', failure: 'SERVFAIL' };

const text = 'userü@d.test';

/** Exchange n is `mxn.test` at 127.0.1.n, all on one port. */
const start = async (...set: readonly Exchange[]) => {
  const servers: (ScriptedServer | null)[] = [];
  const addresses: Record<string, readonly string[]> = {};
  const answers: Record<string, HostAddresses> = {};
  let port = 0;
  for (const [n, exchange] of set.entries()) {
    const host = `mx${n}.test`;
    addresses[host] = [`127.0.1.${n + 1}`];
    if (typeof exchange === 'object' && 'kind' in exchange) answers[host] = exchange;
    const isServer = typeof exchange === 'object' && !('kind' in exchange);
    const server = isServer ? await startServer(exchange, `127.0.1.${n + 1}`, port) : null;
    if (server) running.push(server);
    servers.push(server);
    port ||= server?.port ?? 0;
  }
  const prober = makeProber({ port, addresses, answers });
  running.push(prober);
  const exchanges = makeExchanges(...set.map((_, n) => `mx${n}.test`));
  const probe = async (address = text) => {
    const request = ask(address, { exchanges });
    const evidence = await prober.probe(request);
    const facts = { isRole: false, isFree: false, isDisposable: false, provider: null, suggestion: null };
    const { domain } = request.address;
    const hosts = { kind: 'exchanges', domain, exchanges, isImplicit: false } as const;
    const verdict = judge({ kind: 'probe', address: request.address, hosts, probe: evidence, facts });
    return { evidence, reason: verdict.reason, status: verdict.status, summary: verdict.summary };
  };
  return { servers, prober, probe };
};

describe('an address that needs SMTPUTF8', () => {
  it.each<[string, readonly Exchange[], reason: string, exchange: string | null]>([
    ['the only exchange offers it', [offers], 'MAILBOX_EXISTS', 'mx0.test'],
    ['the only exchange lacks it', [lacks], 'SMTPUTF8_UNSUPPORTED', 'mx0.test'],
    ['the first lacks it, the second offers it', [lacks, offers], 'MAILBOX_EXISTS', 'mx1.test'],
    ['only the last of four offers it', [lacks, 'dead', lacks, offers], 'MAILBOX_EXISTS', 'mx3.test'],
    ['all lack it', [lacks, lacks, lacks], 'SMTPUTF8_UNSUPPORTED', 'mx2.test'],
    ['the first lacks it, the second is dead', [lacks, 'dead'], 'HOST_UNREACHABLE', 'mx0.test'],
    ['the first is dead, the second lacks it', ['dead', lacks], 'HOST_UNREACHABLE', 'mx1.test'],
    ['one of three is dead', [lacks, 'dead', lacks], 'HOST_UNREACHABLE', 'mx2.test'],
    [
      'the second has no address: mail cannot get there',
      [lacks, noAddress],
      'SMTPUTF8_UNSUPPORTED',
      'mx0.test',
    ],
    ['the second cannot be looked up', [lacks, servfail], 'DNS_FAILURE', 'mx0.test'],
    ['the second blocks us', [lacks, refuses], 'PROBER_BLOCKED', 'mx1.test'],
    ['the first blocks us, the second lacks it', [refuses, lacks], 'PROBER_BLOCKED', 'mx0.test'],
    ['the first blocks us, the second offers it', [refuses, offers], 'MAILBOX_EXISTS', 'mx1.test'],
    ['the second hangs up', [lacks, hangsUp], 'PROTOCOL_ERROR', 'mx1.test'],
  ])('%s', async (_, set, reason, exchange) => {
    const { probe } = await start(...set);
    expect(await probe()).toMatchObject({ reason, evidence: { exchange } });
  });

  it('is not asked where it cannot be', async () => {
    const { servers, probe } = await start(lacks, offers);
    await probe();
    expect(servers[0]?.recipients()).toEqual([]);
    expect(servers[1]?.recipients()).toContain(text);
    expect(servers[1]?.lines[0]).toContain('MAIL FROM:<> SMTPUTF8');
  });

  it('has the receipts of all who were asked, in their order', async () => {
    const { probe } = await start(lacks, 'dead', offers);
    const { evidence } = await probe();
    expect(evidence.attempts.map(({ host, outcome }) => [host, outcome.kind])).toEqual([
      ['mx0.test', 'connected'],
      ['mx1.test', 'connectFailed'],
      ['mx2.test', 'connected'],
    ]);
    const notes = evidence.transcript.filter(({ direction }) => direction === 'NOTE').map((one) => one.text);
    expect(notes.filter((note) => note.includes('SMTPUTF8'))).toEqual([
      'mx0.test does not offer SMTPUTF8: another exchange may',
    ]);
    expect(evidence.transcript.filter(({ text: said }) => said.startsWith('EHLO'))).toHaveLength(2);
    expect(evidence.catchAll?.answer).toBe('NO');
  });

  it('says in words that somebody was not heard', async () => {
    const { probe } = await start(lacks, 'dead');
    expect(await probe()).toMatchObject({
      status: 'UNKNOWN',
      summary: expect.stringMatching(/characters outside/),
    });
  });

  it('does not change what others of its domain are told', async () => {
    const { servers, probe } = await start(lacks, offers);
    const [ascii, other] = await Promise.all([probe('real@d.test'), probe()]);
    expect(ascii?.evidence).toMatchObject({ exchange: 'mx0.test', reply: { code: 250 } });
    expect(other?.reason).toBe('MAILBOX_EXISTS');
    expect(servers[0]?.recipients()).toContain('real@d.test');
  });

  it('a thousand of them share the sessions of each exchange', async () => {
    const { prober, servers, probe } = await start(lacks, lacks);
    const texts = Array.from({ length: 1_000 }, (_, n) => `ü${n}@d.test`);
    const found = await Promise.all(texts.map((one) => probe(one)));
    expect(new Set(found.map(({ reason }) => reason))).toEqual(new Set(['SMTPUTF8_UNSUPPORTED']));
    for (const server of servers) expect(server?.mostAtOnce).toBeLessThanOrEqual(4);
    expect(prober.stats.sessionsOpened).toBeLessThanOrEqual(8);
  });

  it('a probe for a domain as such is not concerned', async () => {
    const { prober } = await start(lacks, offers);
    const { address: _, ...request } = ask('x@d.test', { exchanges: makeExchanges('mx0.test', 'mx1.test') });
    const finding = await prober.probeCatchAll({ ...request, domain: 'd.test' as DomainName });
    expect(finding.answer).toBe('NO');
  });
});
