/**
 * A small name server for loopback: what the sandbox and every test of `dns` ask instead of the internet. It
 * speaks real DNS over UDP and TCP on one port, follows CNAMEs as a recursive resolver would, and misbehaves by
 * name and type where it is told to (no answer, SERVFAIL, garbage, truncation, delay).
 *
 * It refuses to recurse, to transfer zones, to check DNSSEC, and to be reachable from outside: it binds to
 * loopback unless a host is given. A name that is in no zone is NXDOMAIN, with a SOA for the negative life
 * (RFC 2308 §3); a name that only has names below it is NODATA (RFC 8020); `*.` names are wildcards for what
 * has no entry of its own (RFC 4592 §2.2.1, without its finer points).
 *
 * Limits: 10,000 questions in the log, 8 CNAMEs, 64 TCP connections, 10 s without a question on one of them.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet';
import ipaddr from 'ipaddr.js';

/** Types that an entry can hold. */
export type RecordTypeName = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME' | 'PTR' | 'NS' | 'SOA';

/**
 * What a name does instead of answering. TRUNCATED sets TC over UDP and answers in full over TCP; GARBAGE is a
 * response whose counts promise records that are not there; SILENCE never answers.
 */
export type DnsBehaviour =
  | 'NXDOMAIN'
  | 'NODATA'
  | 'SERVFAIL'
  | 'REFUSED'
  | 'FORMERR'
  | 'NOTIMP'
  | 'SILENCE'
  | 'GARBAGE'
  | 'TRUNCATED';

/** What one name holds. A type that is missing is NODATA; a CNAME answers for every other type. */
export type ZoneEntry = {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** An exchange of `.` or `''` is the root: the null MX (RFC 7505 §3). */
  readonly mx?: readonly { readonly preference: number; readonly exchange: string }[];
  /** One record each; an array is a record of several strings (RFC 1035 §3.3.14). */
  readonly txt?: readonly (string | readonly string[])[];
  readonly cname?: string;
  readonly ptr?: readonly string[];
  readonly ns?: readonly string[];
  /** Seconds that a missing name below may be remembered as missing. */
  readonly soa?: { readonly minimumSeconds: number };
  /** Default 60. */
  readonly ttlSeconds?: number;
  /** For every type, or for those named. */
  readonly behaviour?: DnsBehaviour | Readonly<Partial<Record<RecordTypeName, DnsBehaviour>>>;
  /** Milliseconds before the answer, for every type or for those named. */
  readonly delayMs?: number | Readonly<Partial<Record<RecordTypeName, number>>>;
};

/** By name, lower case, without the trailing dot. PTR entries stand under `reverseName(ip)`. */
export type Zones = Readonly<Record<string, ZoneEntry>>;

export type DnsQuestion = {
  /** Lower case, without the trailing dot. */
  readonly name: string;
  /** As dns-packet prints it: `A`, `MX` …, `UNKNOWN_65` for what it has no name for. */
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
};

/** What a zone function gives for a question: the name's entry, or null for NXDOMAIN. */
export type ZoneAnswer = ZoneEntry | null;

export type DnsServerOptions = {
  readonly zones: Zones | ((question: DnsQuestion) => ZoneAnswer);
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: chosen by the system, the same for UDP and TCP. */
  readonly port?: number;
};

export type DnsServer = {
  /** `ip:port`, or `[ip]:port` for IPv6. */
  readonly address: string;
  readonly port: number;
  /** Questions since start, retransmissions and the TCP repeat of a truncated answer included. */
  readonly queries: number;
  /** The newest questions, oldest first. */
  readonly log: readonly DnsQuestion[];
  /** Replaces what a name holds; null removes it. It stands before the zones given at start. */
  setRecords(name: string, entry: ZoneEntry | null): void;
  /** Answers nothing more and frees the port; answers still delayed are dropped. */
  close(): Promise<void>;
};

/** A test that runs wild must not fill memory with its questions. */
const LOG_CEILING = 10_000;
/** Links followed in one answer; a longer chain is SERVFAIL, as recursive resolvers do. */
const CNAME_CEILING = 8;
const TCP_CONNECTION_CEILING = 64;
const TCP_IDLE_MS = 10_000;
/** Times a port is drawn anew because only UDP or only TCP had it free. */
const BIND_TRIES = 16;
/** Without EDNS a UDP message ends here (RFC 1035 §4.2.1); with it, no client gets more than 4,096. */
const UDP_OCTETS = 512;
const UDP_OCTETS_CEILING = 4_096;

const DEFAULT_TTL_SECONDS = 60;
const NEGATIVE_TTL_SECONDS = 30;

const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof RCODES;
const FLAG_QR = 0x8000;
const FLAG_AA = 0x0400;
const FLAG_TC = 0x0200;
const FLAG_RD = 0x0100;
const FLAG_RA = 0x0080;

/** The name that an address's PTR stands under (RFC 1035 §3.5, RFC 3596 §2.5). */
export const reverseName = (ip: string): string => {
  const parsed = ipaddr.parse(ip);
  return parsed.kind() === 'ipv4'
    ? `${ip.split('.').reverse().join('.')}.in-addr.arpa`
    : `${[...parsed.toByteArray()]
        .map((octet) => octet.toString(16).padStart(2, '0'))
        .join('')
        .split('')
        .reverse()
        .join('.')}.ip6.arpa`;
};

/** @throws when the port is taken, or the zones hold what cannot be encoded */
export const startDnsServer = async (options: DnsServerOptions): Promise<DnsServer> => {
  const host = options.host ?? '127.0.0.1';
  const { tcp, udp, port } = await bind(host, options.port ?? 0);
  const log: DnsQuestion[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const connections = new Set<Socket>();
  const overrides = new Map<string, ZoneEntry | null>();
  const zoneOf =
    typeof options.zones === 'function' ? options.zones : (question: DnsQuestion) => readZone(question.name);
  const entries = new Map<string, ZoneEntry>();
  const parents = new Set<string>();
  let queries = 0;

  if (typeof options.zones !== 'function') {
    for (const [name, entry] of Object.entries(options.zones)) {
      entries.set(keyOf(name), entry);
      for (const parent of ancestors(keyOf(name))) parents.add(parent);
    }
  }
  const readZone = (name: string): ZoneAnswer => {
    const own = entries.get(name);
    if (own) return own;
    if (parents.has(name)) return {};
    for (const parent of ancestors(name)) {
      const wildcard = entries.get(`*.${parent}`);
      if (wildcard) return wildcard;
      if (entries.has(parent)) return null;
    }
    return null;
  };
  const lookup = (question: DnsQuestion): ZoneAnswer => {
    const override = overrides.get(question.name);
    return override === undefined ? zoneOf(question) : override;
  };
  const negativeTtl = (name: string, transport: DnsQuestion['transport']): number => {
    for (const parent of [name, ...ancestors(name)]) {
      const soa = lookup({ name: parent, type: 'SOA', transport })?.soa;
      if (soa) return soa.minimumSeconds;
    }
    return NEGATIVE_TTL_SECONDS;
  };

  const receive = (
    bytes: Buffer,
    transport: DnsQuestion['transport'],
    send: (response: Buffer) => void,
  ): void => {
    const query = readQuery(bytes);
    if (query === null) return;
    if (query === 'malformed') {
      send(printHeader(bytes.readUInt16BE(0), RCODES.FORMERR, 0));
      return;
    }
    const asked = query.questions?.[0];
    if (!asked) {
      send(printHeader(query.id ?? 0, RCODES.FORMERR, 0));
      return;
    }
    const question: DnsQuestion = { name: keyOf(asked.name), type: asked.type, transport };
    queries += 1;
    log.push(question);
    if (log.length > LOG_CEILING) log.shift();

    const entry = lookup(question);
    const behaviour = perType(entry?.behaviour, question.type);
    if (behaviour === 'SILENCE') return;
    const response = (): Buffer => {
      if (behaviour === 'GARBAGE') return printHeader(query.id ?? 0, RCODES.NOERROR, 7);
      if (behaviour === 'TRUNCATED' && transport === 'udp')
        return printResponse(query, 'NOERROR', [], [], FLAG_TC);
      if (asked.class !== undefined && asked.class !== 'IN') return printResponse(query, 'REFUSED', [], []);
      if (
        behaviour === 'NXDOMAIN' ||
        behaviour === 'NODATA' ||
        behaviour === undefined ||
        behaviour === 'TRUNCATED'
      ) {
        const found = behaviour === 'NXDOMAIN' ? null : behaviour === 'NODATA' ? {} : entry;
        const { rcode, answers } = follow(question, found, lookup);
        const isNegative = rcode === 'NXDOMAIN' || !answers.some((answer) => answer.type === question.type);
        const soa = printSoa(question.name, negativeTtl(question.name, transport));
        const whole = printResponse(query, rcode, answers, isNegative && rcode !== 'SERVFAIL' ? [soa] : []);
        return transport === 'tcp' || whole.length <= udpCeiling(query)
          ? whole
          : printResponse(query, 'NOERROR', [], [], FLAG_TC);
      }
      return printResponse(query, behaviour, [], []);
    };
    const delayMs = perType(entry?.delayMs, question.type) ?? 0;
    if (delayMs === 0) {
      send(response());
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      send(response());
    }, delayMs);
    timers.add(timer);
  };

  udp.on('message', (bytes, peer) => {
    receive(bytes, 'udp', (response) => {
      // A client that has gone is no fault of the server's; the socket's own errors arrive by 'error'.
      if (!isClosed) udp.send(response, peer.port, peer.address, () => {});
    });
  });
  tcp.on('connection', (socket) => {
    if (connections.size >= TCP_CONNECTION_CEILING) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const message = pending.subarray(2, 2 + pending.readUInt16BE(0));
        pending = pending.subarray(2 + message.length);
        receive(message, 'tcp', (response) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(response.length);
          if (socket.writable) socket.write(Buffer.concat([length, response]));
        });
      }
    });
  });

  let isClosed = false;
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    port,
    get queries() {
      return queries;
    },
    get log() {
      return log;
    },
    setRecords(name, entry) {
      overrides.set(keyOf(name), entry);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
};

const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** `a.b.c` → `b.c`, `c`. */
const ancestors = (name: string): string[] => {
  const labels = name.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
};

const perType = <Value extends string | number>(
  given: Value | Readonly<Partial<Record<RecordTypeName, Value>>> | undefined,
  type: string,
): Value | undefined => (typeof given === 'object' ? given[type as RecordTypeName] : given);

/** Null for what is no query and must not be answered: too short to have an id, or itself a response. */
const readQuery = (bytes: Buffer): DecodedPacket | 'malformed' | null => {
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & FLAG_QR) !== 0) return null;
  try {
    return decode(bytes);
  } catch {
    return 'malformed';
  }
};

/** The answer section: the name's records, or its CNAME and what the chain leads to. */
const follow = (
  question: DnsQuestion,
  first: ZoneAnswer,
  lookup: (question: DnsQuestion) => ZoneAnswer,
): { rcode: Rcode; answers: Answer[] } => {
  const answers: Answer[] = [];
  let name = question.name;
  let entry = first;
  for (let links = 0; links <= CNAME_CEILING; links += 1) {
    if (entry === null) return { rcode: 'NXDOMAIN', answers };
    answers.push(...recordsOf(name, entry, question.type));
    if (entry.cname === undefined || question.type === 'CNAME') return { rcode: 'NOERROR', answers };
    name = keyOf(entry.cname);
    entry = lookup({ ...question, name });
    const behaviour = perType(entry?.behaviour, question.type);
    if (behaviour === 'NXDOMAIN') entry = null;
    else if (behaviour === 'NODATA') entry = {};
    else if (behaviour !== undefined && behaviour !== 'TRUNCATED') return { rcode: 'SERVFAIL', answers: [] };
  }
  return { rcode: 'SERVFAIL', answers: [] };
};

const recordsOf = (name: string, entry: ZoneEntry, type: string): Answer[] => {
  const ttl = entry.ttlSeconds ?? DEFAULT_TTL_SECONDS;
  const base = { name, ttl, class: 'IN' } as const;
  const all: Answer[] = [
    ...(entry.cname === undefined ? [] : [{ ...base, type: 'CNAME' as const, data: keyOf(entry.cname) }]),
    ...(entry.a ?? []).map((data) => ({ ...base, type: 'A' as const, data })),
    ...(entry.aaaa ?? []).map((data) => ({ ...base, type: 'AAAA' as const, data })),
    ...(entry.mx ?? []).map((data) => ({ ...base, type: 'MX' as const, data })),
    ...(entry.txt ?? []).map((text) => ({
      ...base,
      type: 'TXT' as const,
      data: typeof text === 'string' ? stringsOf(text) : [...text],
    })),
    ...(entry.ptr ?? []).map((data) => ({ ...base, type: 'PTR' as const, data })),
    ...(entry.ns ?? []).map((data) => ({ ...base, type: 'NS' as const, data })),
    ...(entry.soa === undefined ? [] : [printSoa(name, entry.soa.minimumSeconds)]),
  ];
  return all.filter((record) => type === 'ANY' || record.type === type || record.type === 'CNAME');
};

/** A string of a TXT record holds 255 octets (RFC 1035 §3.3): longer text is cut into several. */
const stringsOf = (text: string): Buffer[] => {
  const bytes = Buffer.from(text);
  const count = Math.max(1, Math.ceil(bytes.length / 255));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * 255, (index + 1) * 255));
};

/** The start of authority that a negative answer's life is taken from (RFC 2308 §5). */
const printSoa = (name: string, minimumSeconds: number): Answer => ({
  type: 'SOA',
  class: 'IN',
  name: ancestors(name).at(-1) ?? name,
  ttl: minimumSeconds,
  data: {
    mname: 'ns.sandbox.test',
    rname: 'hostmaster.sandbox.test',
    serial: 1,
    refresh: 3_600,
    retry: 600,
    expire: 86_400,
    minimum: minimumSeconds,
  },
});

const optOf = (query: DecodedPacket) => query.additionals?.find((record) => record.type === 'OPT');

const udpCeiling = (query: DecodedPacket): number => {
  const opt = optOf(query);
  return Math.min(UDP_OCTETS_CEILING, Math.max(UDP_OCTETS, opt?.type === 'OPT' ? opt.udpPayloadSize : 0));
};

const printResponse = (
  query: DecodedPacket,
  rcode: Rcode,
  answers: Answer[],
  authorities: Answer[],
  flags = 0,
): Buffer =>
  encode({
    type: 'response',
    id: query.id ?? 0,
    flags: FLAG_AA | FLAG_RA | ((query.flags ?? 0) & FLAG_RD) | flags | RCODES[rcode],
    questions: (query.questions ?? []).slice(0, 1),
    answers,
    authorities,
    additionals: optOf(query)
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_OCTETS_CEILING,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });

/** A header alone: FORMERR to what cannot be read, and garbage, whose answer count has nothing behind it. */
const printHeader = (id: number, rcode: number, answerCount: number): Buffer => {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(FLAG_QR | FLAG_RA | rcode, 2);
  header.writeUInt16BE(answerCount, 6);
  return header;
};

/** One port for both transports: TCP draws it, UDP follows, and another is drawn when UDP's is taken. */
const bind = async (host: string, port: number): Promise<{ tcp: Server; udp: UdpSocket; port: number }> => {
  for (let tries = 1; ; tries += 1) {
    const tcp = createServer();
    tcp.listen(port, host);
    await once(tcp, 'listening');
    const chosen = portOf(tcp);
    const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    udp.bind(chosen, host);
    try {
      await once(udp, 'listening');
      return { tcp, udp, port: chosen };
    } catch (error) {
      udp.close();
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      if (port !== 0 || tries >= BIND_TRIES) throw error;
    }
  }
};

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the DNS server has no port');
  return address.port;
};
