/** The resolver that the other rooms see: memory before the gate, the gate before the wire. */
import { Resolver } from 'node:dns/promises';
import type { DomainName, ExchangeHost } from '../address/index.ts';
import { mergeAddresses, reverseNameOf } from './addresses.ts';
import { createGate } from './gate.ts';
import { lifeSecondsOf, octetsOf } from './life.ts';
import { classifyMxAnswer, readExchangeHost } from './mail-hosts.ts';
import { createMemory } from './memory.ts';
import type { Dns, HostAddresses, HostNames, MailHosts, TxtRecords } from './types.ts';
import { createWire, type DnsAnswer, type QuestionType } from './wire.ts';

export type DnsOptions = {
  /** `ip`, `ip:port` or `[ip]:port`; empty: the system's. */
  readonly servers: readonly string[];
  /** Milliseconds that one server has for one try. Default 2,000. */
  readonly queryTimeoutMs?: number;
  /** Rounds over the servers. Default 2. A question outlasts queryTimeoutMs × tries × servers (3 at most) never. */
  readonly tries?: number;
  /** Questions on the wire at once. Default 256. */
  readonly maxOutstanding?: number;
  /** Questions waiting for a place; further ones are OVERLOADED at once. Default 10,000. */
  readonly maxQueued?: number;
  /** Milliseconds that a question waits for a place before it is OVERLOADED. Default 10,000. */
  readonly queueTimeoutMs?: number;
  /** Remembered answers. Default 20,000: a list comes sorted by domain, and asks for a small one no more once it is past. */
  readonly maxCacheEntries?: number;
  /** What they may weigh together. Default 64 MiB: a list of domains with huge TXT records must not fill memory. */
  readonly maxCacheOctets?: number;
  /** Milliseconds, monotonic; only the life of answers is measured with it. */
  readonly now?: () => number;
  /** From 0 up to, not including, 1; draws the order of equal preferences. */
  readonly random?: () => number;
};

/** How long the system's list of servers is believed before it is read again: networks change under a laptop. */
const SYSTEM_SERVERS_LIFE_MS = 30_000;
/** Names of one address: a PTR with thousands is a curiosity, not evidence. */
const NAME_CEILING = 10;

/** @throws when a server is no `ip`, `ip:port` or `[ip]:port` */
export const createDns = (options: DnsOptions): Dns => {
  const now = options.now ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const wire = createWire({
    readServers: options.servers.length > 0 ? fixedServers(options.servers) : systemServers(now),
    queryTimeoutMs: options.queryTimeoutMs ?? 2_000,
    tries: options.tries ?? 2,
  });
  const gate = createGate({
    maxRunning: options.maxOutstanding ?? 256,
    maxWaiting: options.maxQueued ?? 10_000,
    waitTimeoutMs: options.queueTimeoutMs ?? 10_000,
  });
  const memory = createMemory<DnsAnswer>({
    lifeSecondsOf,
    octetsOf,
    aborted: { kind: 'failure', failure: 'ABORTED' },
    now,
    maxEntries: options.maxCacheEntries ?? 20_000,
    maxOctets: options.maxCacheOctets ?? 64 * 1024 * 1024,
  });

  const ask = (type: QuestionType, name: string, signal: AbortSignal): DnsAnswer | Promise<DnsAnswer> =>
    memory.recall(
      `${type} ${name}`,
      async (untilAlone) => {
        const answer = await gate.run(() => wire.ask({ type, name }, untilAlone), untilAlone);
        if (answer !== 'full') return answer;
        return { kind: 'failure', failure: untilAlone.aborted ? 'ABORTED' : 'OVERLOADED' };
      },
      signal,
    );

  const lookupAddresses = async (host: string, signal: AbortSignal): Promise<HostAddresses> =>
    mergeAddresses(...(await Promise.all([ask('A', host, signal), ask('AAAA', host, signal)])));

  /** RFC 5321 §5.1: without any MX the domain is its own exchange, with preference 0, if it has an address. */
  const lookupImplicitMx = async (domain: DomainName, signal: AbortSignal): Promise<MailHosts> => {
    const host: ExchangeHost | null = readExchangeHost(domain);
    const found: HostAddresses = host === null ? { kind: 'none' } : await lookupAddresses(host, signal);
    if (found.kind === 'failure') return { kind: 'failure', domain, failure: found.failure };
    return host === null || found.kind === 'none'
      ? { kind: 'noMailHost', domain }
      : { kind: 'exchanges', domain, exchanges: [{ host, preference: 0 }], isImplicit: true };
  };

  return {
    get queriesSent() {
      return wire.queriesSent;
    },
    async lookupMailHosts(domain, signal) {
      const known = ask('MX', domain, signal);
      const found = classifyMxAnswer(domain, known instanceof Promise ? await known : known, random);
      return found === 'implicit' ? lookupImplicitMx(domain, signal) : found;
    },
    lookupAddresses,
    async lookupTxt(name, signal): Promise<TxtRecords> {
      const found = textsOf(await ask('TXT', name, signal));
      return Array.isArray(found) ? { kind: 'records', records: found } : found;
    },
    async lookupNames(ip, signal): Promise<HostNames> {
      const name = reverseNameOf(ip);
      if (name === null) return { kind: 'none' };
      const found = textsOf(await ask('PTR', name, signal));
      return Array.isArray(found)
        ? { kind: 'names', names: found.slice(0, NAME_CEILING).map((text) => text.toLowerCase()) }
        : found;
    },
    close: () => memory.close(),
  };
};

const textsOf = (answer: DnsAnswer): string[] | Exclude<TxtRecords, { kind: 'records' }> => {
  if (answer.kind === 'failure') return answer;
  return answer.kind === 'records' ? answer.records.map(({ text }) => text) : { kind: 'none' };
};

const fixedServers = (servers: readonly string[]): (() => readonly string[]) => {
  // c-ares is the judge of what a server is; better now than at the first question.
  new Resolver().setServers(servers);
  return () => servers;
};

/** As resolv.conf has them, or this machine's own when it has none (c-ares's default). */
const systemServers = (now: () => number): (() => readonly string[]) => {
  let servers: readonly string[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - readAt >= SYSTEM_SERVERS_LIFE_MS) {
      servers = new Resolver().getServers();
      readAt = now();
    }
    return servers;
  };
};
