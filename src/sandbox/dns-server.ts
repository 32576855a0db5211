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
import { type DecodedPacket, decode, encode, type OptAnswer } from 'dns-packet';
import {
  answerQuestion,
  type DnsBehaviour,
  type DnsQuestion,
  keyOf,
  openZones,
  perType,
  type ZoneAnswer,
  type ZoneBook,
  type ZoneEntry,
  type ZoneFinding,
  type Zones,
} from './dns-zone.ts';

export {
  type DnsQuestion,
  reverseName,
  type ZoneAnswer,
  type ZoneEntry,
  type Zones,
} from './dns-zone.ts';

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
const TCP_CONNECTION_CEILING = 64;
const TCP_IDLE_MS = 10_000;
/** Times a port is drawn anew because only UDP or only TCP had it free. */
const BIND_TRIES = 16;
/** Without EDNS a UDP message ends here (RFC 1035 §4.2.1); with it, no client gets more than 4,096. */
const UDP_OCTETS = 512;
const UDP_OCTETS_CEILING = 4_096;

const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof RCODES;
const FLAG_QR = 0x8000;
const FLAG_AA = 0x0400;
const FLAG_TC = 0x0200;
const FLAG_RD = 0x0100;
const FLAG_RA = 0x0080;

/** @throws when the port is taken, or an entry holds what is no record */
export const startDnsServer = async (options: DnsServerOptions): Promise<DnsServer> => {
  const host = options.host ?? '127.0.0.1';
  const book = openZones(options.zones);
  const { tcp, udp, port } = await bind(host, options.port ?? 0);
  const log: DnsQuestion[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const connections = new Set<Socket>();
  let queries = 0;
  let isClosed = false;

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

    const { behaviour, delayMs, response } = plan(query, question);
    if (behaviour === 'SILENCE') return;
    if (delayMs === 0) {
      send(response);
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      send(response);
    }, delayMs);
    timers.add(timer);
  };

  const plan = (query: DecodedPacket, question: DnsQuestion): ResponsePlan => {
    try {
      return planResponse(book, query, question);
    } catch {
      // Entries given as data were checked at start: this is a zone function that threw, or gave what is no record.
      return { behaviour: undefined, delayMs: 0, response: printResponse(query, { rcode: 'SERVFAIL' }) };
    }
  };

  // For as long as they live: what the system could not receive or accept (no descriptor left) is the asker's loss, who
  // asks again, and not the end of the process.
  udp.on('error', () => {});
  tcp.on('error', () => {});
  udp.on('message', (bytes, peer) => {
    receive(bytes, 'udp', (response) => {
      // That a client has gone is no fault of the server's.
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
      book.setRecords(name, entry);
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

/** Null for what is no query and must not be answered: too short to have an id, or itself a response. */
const readQuery = (bytes: Buffer): DecodedPacket | 'malformed' | null => {
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & FLAG_QR) !== 0) return null;
  try {
    return decode(bytes);
  } catch {
    return 'malformed';
  }
};

const OPT = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_OCTETS_CEILING,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
} satisfies OptAnswer;

const optOf = (query: DecodedPacket) => query.additionals?.find((record) => record.type === 'OPT');

const udpCeiling = (query: DecodedPacket): number => {
  const opt = optOf(query);
  return Math.min(UDP_OCTETS_CEILING, Math.max(UDP_OCTETS, opt?.type === 'OPT' ? opt.udpPayloadSize : 0));
};

const printResponse = (
  query: DecodedPacket,
  finding: { readonly rcode: Rcode } & Partial<Omit<ZoneFinding, 'rcode'>>,
  flags = 0,
): Buffer =>
  encode({
    type: 'response',
    id: query.id ?? 0,
    flags: FLAG_AA | FLAG_RA | ((query.flags ?? 0) & FLAG_RD) | flags | RCODES[finding.rcode],
    questions: (query.questions ?? []).slice(0, 1),
    answers: finding.answers ?? [],
    authorities: finding.authorities ?? [],
    additionals: optOf(query) ? [OPT] : [],
  });

type ResponsePlan = {
  readonly behaviour: DnsBehaviour | undefined;
  readonly delayMs: number;
  readonly response: Buffer;
};

const planResponse = (book: ZoneBook, query: DecodedPacket, question: DnsQuestion): ResponsePlan => {
  const entry = book.lookup(question);
  const behaviour = perType(entry?.behaviour, question.type);
  const delayMs = perType(entry?.delayMs, question.type) ?? 0;
  return { behaviour, delayMs, response: printPlanned(book, query, question, entry) };
};

const printPlanned = (
  book: ZoneBook,
  query: DecodedPacket,
  question: DnsQuestion,
  entry: ZoneAnswer,
): Buffer => {
  const behaviour = perType(entry?.behaviour, question.type);
  const qclass = query.questions?.[0]?.class;
  if (qclass !== undefined && qclass !== 'IN') return printResponse(query, { rcode: 'REFUSED' });
  switch (behaviour) {
    case 'GARBAGE':
      return printHeader(query.id ?? 0, RCODES.NOERROR, 7);
    case 'SERVFAIL':
    case 'REFUSED':
    case 'FORMERR':
    case 'NOTIMP':
      return printResponse(query, { rcode: behaviour });
  }
  const whole = printResponse(query, answerQuestion(book, question, entry));
  const isCut = behaviour === 'TRUNCATED' || whole.length > udpCeiling(query);
  return question.transport === 'udp' && isCut ? printResponse(query, { rcode: 'NOERROR' }, FLAG_TC) : whole;
};

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
