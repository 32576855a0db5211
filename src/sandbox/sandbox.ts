/** Joins the table of personalities to a name server and to mail servers, and starts them. */
import { createServer } from 'node:net';
import { type DnsServer, reverseName, startDnsServer, type Zones } from './dns-server.ts';
import { createLibraryServer } from './library-server.ts';
import { closeTogether, type Exchange, isAvailable, listenTogether } from './mail-server.ts';
import { personalities } from './personalities/index.ts';
import { mx, type Personality } from './personality.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createScriptedServer } from './scripted-server.ts';
import { createSandboxContext } from './tls-fixture.ts';
import type { Sandbox, SandboxExample, SandboxLogEntry, SandboxOptions } from './types.ts';

/** Well away from 127.0.0.1, so that the guard's exemption opens nothing that anybody else listens at. */
const RANGE = '127.26.0.0/16';
const ipv4At = (index: number): string => `127.26.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
const IPV6 = '::1';

/**
 * Starts a DNS server and every personality's mail server on loopback.
 * @throws when a port is taken that was asked for, when the pace is not from 0 to 1, or where 127.0.0.0/8 is not all loopback
 */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const { smtpPort = 0, dnsPort = 0, pace = 1 } = options;
  if (!(pace >= 0 && pace <= 1)) throw new RangeError('pace is a factor from 0 to 1');
  const rows = (await hasIpv6()) ? personalities : personalities.filter(({ isIpv6 }) => !isIpv6);
  const recorder = createRecorder();
  const { exchanges, ipOf } = openExchanges(rows, pace, recorder);
  const zones = collectZones(rows, ipOf, pace);
  const dns = await startDnsServer({ zones, port: dnsPort });
  const port = await listenTogether(exchanges, smtpPort).catch(async (error) => {
    await dns.close();
    throw error;
  });
  return openDoor({ rows, recorder, exchanges, zones, dns, port });
};

const hasIpv6 = (): Promise<boolean> => isAvailable(createServer(), IPV6);

type IpOf = (name: string) => string;

const openExchanges = (
  rows: readonly Personality[],
  pace: number,
  recorder: Recorder,
): { readonly exchanges: readonly Exchange[]; readonly ipOf: IpOf } => {
  const secureContext = createSandboxContext();
  const serving = rows.filter(({ server }) => server !== undefined);
  const ips = new Map(serving.map(({ name, isIpv6 }, index) => [name, isIpv6 ? IPV6 : ipv4At(index)]));
  const ipOf = (name: string): string => {
    const ip = ips.get(name);
    if (ip === undefined) throw new Error(`${name} has no server`);
    return ip;
  };
  const exchanges = serving.flatMap(({ name, server }) => {
    if (server === undefined) return [];
    const ip = ipOf(name);
    const premises = { ip, name: `mx.${name}.test`, pace, recorder };
    return [
      {
        ip,
        server:
          'script' in server
            ? createScriptedServer(server.script, premises, secureContext)
            : createLibraryServer(server.library, premises),
      },
    ];
  });
  return { exchanges, ipOf };
};

/** Every row's own records, else one MX; and a PTR for each server's address. */
const collectZones = (rows: readonly Personality[], ipOf: IpOf, pace: number): Zones => {
  const zones: Record<string, Zones[string]> = {};
  for (const { name, server, isIpv6, zones: own } of rows) {
    const host = `mx.${name}.test`;
    const ip = server === undefined ? null : ipOf(name);
    const usual: Zones =
      ip === null ? {} : { [`${name}.test`]: mx(host), [host]: isIpv6 ? { aaaa: [ip] } : { a: [ip] } };
    const records: Zones = own?.(ipOf) ?? usual;
    for (const [key, entry] of Object.entries(records)) {
      if (zones[key]) throw new Error(`two personalities have records for ${key}`);
      zones[key] = typeof entry.delayMs === 'number' ? { ...entry, delayMs: entry.delayMs * pace } : entry;
    }
    if (ip !== null) zones[reverseName(ip)] = { ptr: [host] };
  }
  return zones;
};

type Parts = {
  readonly rows: readonly Personality[];
  readonly recorder: Recorder;
  readonly exchanges: readonly Exchange[];
  readonly zones: Zones;
  readonly dns: DnsServer;
  readonly port: number;
};

const openDoor = ({ rows, recorder, exchanges, zones, dns, port }: Parts): Sandbox => {
  let queriesBefore = 0;
  let closing: Promise<void> | null = null;
  return {
    dnsServers: [dns.address],
    smtpPort: port,
    allowHosts: [RANGE, ...(exchanges.some(({ ip }) => ip === IPV6) ? [`${IPV6}/128`] : [])],
    examples: rows.flatMap(listExamples),
    counts: () => ({
      dnsQueries: dns.queries - queriesBefore,
      smtpSessions: recorder.sessions,
      smtpCommands: recorder.commands,
    }),
    log: (domain) => {
      const entries = recorder.read();
      if (domain === undefined) return entries;
      const ips = exchangesOf(zones, domain);
      return entries.filter(({ ip }: SandboxLogEntry) => ips.has(ip));
    },
    reset: () => {
      recorder.reset();
      queriesBefore = dns.queries;
      for (const { server } of exchanges) server.reset();
    },
    close: () => {
      closing ??= Promise.all([closeTogether(exchanges), dns.close()]).then(() => undefined);
      return closing;
    },
  };
};

const listExamples = ({ name, about, examples }: Personality): SandboxExample[] =>
  examples.map((example) => ({
    personality: name,
    address: example.address.includes('@') ? example.address : `${example.address}@${name}.test`,
    about: example.about ?? about,
    expected: example.expected,
  }));

/** The addresses that a domain's mail may go to, through its MX records or without. */
const exchangesOf = (zones: Zones, domain: string): ReadonlySet<string> => {
  const follow = (name: string, links: number): string[] => {
    const entry = zones[name];
    if (!entry || links > 8) return [];
    if (entry.cname !== undefined) return follow(entry.cname, links + 1);
    const hosts = entry.mx?.map(({ exchange }) => exchange) ?? [];
    return [...(entry.a ?? []), ...(entry.aaaa ?? []), ...hosts.flatMap((host) => follow(host, links + 1))];
  };
  return new Set(follow(domain, 0));
};
