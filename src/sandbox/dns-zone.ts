/**
 * What the sandbox's name server knows: entries by name, how a question finds its entry, and the records that
 * answer it. No sockets here; what an entry's behaviour does to the wire is `dns-server.ts`.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type Answer, encode } from 'dns-packet';
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
  /** The data of MX records, octet by octet: for names that no name server should give. */
  readonly rawMx?: readonly Uint8Array[];
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

/** Links followed in one answer; a longer chain is SERVFAIL, as recursive resolvers do. */
const CNAME_CEILING = 8;
const DEFAULT_TTL_SECONDS = 60;
const NEGATIVE_TTL_SECONDS = 30;

/** What dns-packet writes as type 15 (MX, RFC 1035 §3.2.2) with data that it does not look at. */
const RAW_MX = 'UNKNOWN_15' as Answer['type'] & 'NULL';

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

export type ZoneBook = {
  lookup(question: DnsQuestion): ZoneAnswer;
  /** Of the closest name above that has a SOA, or else of the top-level domain. */
  readSoa(name: string): Answer;
  setRecords(name: string, entry: ZoneEntry | null): void;
};

/** Entries by name, with what is put before them later. A zone function is not asked for its SOA. */
export const openZones = (zones: Zones | ((question: DnsQuestion) => ZoneAnswer)): ZoneBook => {
  const overrides = new Map<string, ZoneEntry | null>();
  const entries = new Map(
    typeof zones === 'function' ? [] : Object.entries(zones).map(([name, entry]) => [keyOf(name), entry]),
  );
  for (const [name, entry] of entries) checkEntry(name, entry);
  const parents = new Set([...entries.keys()].flatMap(ancestors));
  const find = (name: string): ZoneAnswer => {
    const own = entries.get(name);
    if (own) return own;
    // A name with names below it exists, though it holds nothing (RFC 8020 §2).
    if (parents.has(name)) return {};
    for (const parent of ancestors(name)) {
      const wildcard = entries.get(`*.${parent}`);
      if (wildcard) return wildcard;
      // The closest name that exists ends the search (RFC 4592 §3.3.1).
      if (entries.has(parent) || parents.has(parent)) return null;
    }
    return null;
  };
  return {
    lookup(question) {
      const override = overrides.get(question.name);
      if (override !== undefined) return override;
      return typeof zones === 'function' ? zones(question) : find(question.name);
    },
    readSoa(name) {
      for (const parent of [name, ...ancestors(name)]) {
        const soa = (overrides.get(parent) ?? entries.get(parent))?.soa;
        if (soa) return printSoa(parent, soa.minimumSeconds);
      }
      return printSoa(ancestors(name).at(-1) ?? name, NEGATIVE_TTL_SECONDS);
    },
    setRecords(name, entry) {
      if (entry) checkEntry(name, entry);
      overrides.set(keyOf(name), entry);
    },
  };
};

/** @throws when a record cannot be put on the wire: better where it was written than where it is asked for */
const checkEntry = (name: string, entry: ZoneEntry): void => {
  try {
    // dns-packet writes whatever it is given as an address.
    if (!(entry.a ?? []).every((ip) => isIPv4(ip)) || !(entry.aaaa ?? []).every((ip) => isIPv6(ip)))
      throw new Error('not an address');
    encode({ type: 'response', answers: recordsOf(name, entry, 'ANY') });
  } catch (cause) {
    throw new Error(`the entry of ${name} holds what is no record`, { cause });
  }
};

/** Names are compared without case and without the trailing dot. */
export const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** `a.b.c` → `b.c`, `c`. */
const ancestors = (name: string): string[] => {
  const labels = name.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
};

/** What is given for all types at once, or for this one. */
export const perType = <Value extends string | number>(
  given: Value | Readonly<Partial<Record<RecordTypeName, Value>>> | undefined,
  type: string,
): Value | undefined => (typeof given === 'object' ? given[type as RecordTypeName] : given);

export type ZoneFinding = {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL';
  readonly answers: Answer[];
  readonly authorities: Answer[];
};

/** From what the name was found to hold: its records, or its CNAME and what the chain leads to; a negative finding carries a SOA (RFC 2308 §3). */
export const answerQuestion = (book: ZoneBook, question: DnsQuestion, first: ZoneAnswer): ZoneFinding => {
  const answers: Answer[] = [];
  let name = question.name;
  let found = first;
  for (let links = 0; links <= CNAME_CEILING; links += 1) {
    const behaviour = perType(found?.behaviour, question.type);
    if (behaviour !== undefined && !['NXDOMAIN', 'NODATA', 'TRUNCATED'].includes(behaviour)) break;
    if (found === null || behaviour === 'NXDOMAIN')
      return { rcode: 'NXDOMAIN', answers, authorities: [book.readSoa(name)] };
    const entry = behaviour === 'NODATA' ? {} : found;
    const isAlias = entry.cname !== undefined && question.type !== 'CNAME' && question.type !== 'ANY';
    const own = recordsOf(name, entry, isAlias ? 'CNAME' : question.type);
    answers.push(...own);
    if (!isAlias)
      return { rcode: 'NOERROR', answers, authorities: own.length === 0 ? [book.readSoa(name)] : [] };
    name = keyOf(entry.cname ?? '');
    found = book.lookup({ ...question, name });
  }
  // A circle, a chain that is too long, or a target that fails: what a recursive resolver says then.
  return { rcode: 'SERVFAIL', answers: [], authorities: [] };
};

const recordsOf = (name: string, entry: ZoneEntry, type: string): Answer[] => {
  const ttl = entry.ttlSeconds ?? DEFAULT_TTL_SECONDS;
  const base = { name, ttl, class: 'IN' } as const;
  const all: Answer[] = [
    ...(entry.cname === undefined ? [] : [{ ...base, type: 'CNAME' as const, data: keyOf(entry.cname) }]),
    ...(entry.a ?? []).map((data) => ({ ...base, type: 'A' as const, data })),
    ...(entry.aaaa ?? []).map((data) => ({ ...base, type: 'AAAA' as const, data })),
    ...(entry.mx ?? []).map((data) => ({ ...base, type: 'MX' as const, data })),
    ...(entry.rawMx ?? []).map((data) => ({ ...base, type: RAW_MX, data: Buffer.from(data) })),
    ...(entry.txt ?? []).map((text) => ({
      ...base,
      type: 'TXT' as const,
      data: typeof text === 'string' ? stringsOf(text) : [...text],
    })),
    ...(entry.ptr ?? []).map((data) => ({ ...base, type: 'PTR' as const, data })),
    ...(entry.ns ?? []).map((data) => ({ ...base, type: 'NS' as const, data })),
    ...(entry.soa === undefined ? [] : [printSoa(name, entry.soa.minimumSeconds)]),
  ];
  return all.filter(
    (record) => type === 'ANY' || record.type === type || (type === 'MX' && record.type === RAW_MX),
  );
};

/** A string of a TXT record holds 255 octets (RFC 1035 §3.3): longer text is cut into several. */
const stringsOf = (text: string): Buffer[] => {
  const bytes = Buffer.from(text);
  const count = Math.max(1, Math.ceil(bytes.length / 255));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * 255, (index + 1) * 255));
};

/** The start of authority that a negative answer's life is taken from (RFC 2308 §5). */
const printSoa = (apex: string, minimumSeconds: number): Answer => ({
  type: 'SOA',
  class: 'IN',
  name: apex,
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
