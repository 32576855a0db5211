/**
 * A verification as stores keep it: the receipt alone, since `judge` draws the same verdict from it again, and an
 * address is parsed in a microsecond. Arrays and no names, because a list of a million rows has a million of them: 260
 * octets instead of 1,400, printed in 2 µs instead of 12.
 */
import { type EmailAddress, type ExchangeHost, parseAddress } from '../address/index.ts';
import { providerById } from '../catalog/index.ts';
import type { MailExchange, MailHosts } from '../dns/index.ts';
import type { ConnectAttempt, ProbeEvidence } from '../smtp/index.ts';
import { type AddressFacts, type Evidence, judge } from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';

/** Lines of a transcript that are kept: the beginning and the end tell the story. */
const keptLines = { first: 16, last: 32 };

type Reply = NonNullable<ProbeEvidence['reply']>;
type Transcript = ProbeEvidence['transcript'];
type CatchAll = NonNullable<ProbeEvidence['catchAll']>;

type KeptReply = readonly [code: number, enhancedCode: string | null, ...lines: string[]];
type KeptHosts = readonly [isImplicit: 0 | 1, ...(readonly (readonly [string, number])[])] | MailHosts;
type KeptFacts = readonly [flags: number, provider: string | null, suggestion: string | null];
type KeptAttempt = readonly [host: string, ip: string | null, outcome: ConnectAttempt['outcome'] | 0];
type KeptProbe = readonly [
  attempts: readonly KeptAttempt[],
  exchange: string | null,
  ip: string | null,
  phase: ProbeEvidence['phase'],
  reply: KeptReply | null,
  meaning: ProbeEvidence['meaning'],
  fault: ProbeEvidence['fault'],
  catchAll: readonly [CatchAll['answer'], KeptReply | null, checkedAt: number] | null,
  startedAt: number,
  durationMs: number,
  transcript: readonly (readonly [at: number, Transcript[number]['direction'], text: string])[],
];
type Kept = readonly [
  checkedAt: number,
  expiresAt: number,
  kind: Exclude<Evidence['kind'], 'syntax' | 'harvest'>,
  input: string,
  facts: KeptFacts,
  hosts: KeptHosts | null,
  probe: KeptProbe | null,
];

const keepReply = ({ code, enhancedCode, lines }: Reply): KeptReply => [code, enhancedCode, ...lines];
const readReply = ([code, enhancedCode, ...lines]: KeptReply): Reply => ({
  code,
  enhancedCode,
  lines,
  text: lines.join(' '),
});

const keepHosts = (hosts: MailHosts): KeptHosts =>
  hosts.kind === 'exchanges'
    ? [
        hosts.isImplicit ? 1 : 0,
        ...hosts.exchanges.map(({ host, preference }) => [host, preference] as const),
      ]
    : hosts;
const readHosts = (kept: KeptHosts, { domain }: EmailAddress): MailHosts => {
  if (!Array.isArray(kept)) return kept as MailHosts;
  const [isImplicit, ...exchanges] = kept as Extract<KeptHosts, readonly unknown[]>;
  const read = exchanges.map(([host, preference]) => ({ host: host as ExchangeHost, preference }));
  return {
    kind: 'exchanges',
    domain,
    exchanges: read as readonly MailExchange[] as readonly [MailExchange, ...MailExchange[]],
    isImplicit: isImplicit === 1,
  };
};

const keepFacts = ({ isRole, isFree, isDisposable, provider, suggestion }: AddressFacts): KeptFacts => [
  (isRole ? 1 : 0) + (isFree ? 2 : 0) + (isDisposable ? 4 : 0),
  provider?.id ?? null,
  suggestion,
];
/** A provider that the catalog no longer has is nobody's. */
const readFacts = ([flags, provider, suggestion]: KeptFacts): AddressFacts => ({
  isRole: (flags & 1) !== 0,
  isFree: (flags & 2) !== 0,
  isDisposable: (flags & 4) !== 0,
  provider: provider === null ? null : providerById(provider),
  suggestion,
});

const boundTranscript = (transcript: Transcript): Transcript => {
  const middle = transcript[keptLines.first];
  if (transcript.length <= keptLines.first + keptLines.last || middle === undefined) return transcript;
  const omitted = transcript.length - keptLines.first - keptLines.last;
  return [
    ...transcript.slice(0, keptLines.first),
    { at: middle.at, direction: 'NOTE', text: `${omitted} lines left out` },
    ...transcript.slice(-keptLines.last),
  ];
};

const keepProbe = (probe: ProbeEvidence): KeptProbe => {
  const { exchange, ip, phase, reply, meaning, fault, catchAll, startedAt, durationMs } = probe;
  return [
    probe.attempts.map(({ host, ip: tried, outcome }) => [
      host,
      tried,
      outcome.kind === 'connected' ? 0 : outcome,
    ]),
    exchange,
    ip,
    phase,
    reply && keepReply(reply),
    meaning,
    fault,
    catchAll && [catchAll.answer, catchAll.reply && keepReply(catchAll.reply), catchAll.checkedAt.getTime()],
    startedAt.getTime(),
    durationMs,
    boundTranscript(probe.transcript).map(({ at, direction, text }) => [at.getTime(), direction, text]),
  ];
};
const readProbe = (kept: KeptProbe): ProbeEvidence => {
  const [attempts, exchange, ip, phase, reply, meaning, fault, catchAll, startedAt, durationMs, lines] = kept;
  return {
    attempts: attempts.map(([host, tried, outcome]) => ({
      host: host as ExchangeHost,
      ip: tried,
      outcome: outcome === 0 ? { kind: 'connected' } : outcome,
    })),
    exchange: exchange as ExchangeHost | null,
    ip,
    phase,
    reply: reply && readReply(reply),
    meaning,
    fault,
    catchAll: catchAll && {
      answer: catchAll[0],
      reply: catchAll[1] && readReply(catchAll[1]),
      checkedAt: new Date(catchAll[2]),
    },
    startedAt: new Date(startedAt),
    durationMs,
    transcript: lines.map(([at, direction, text]) => ({ at: new Date(at), direction, text })),
  };
};

/**
 * Throws for a text that is no address, since there is nothing that it could be kept under, and for the limit of one
 * asker, which is nobody else's verdict.
 */
export const printReceipt = ({ checkedAt, expiresAt, evidence }: Verification): string => {
  if (evidence.kind === 'syntax') throw new Error('what is no address is not remembered');
  if (evidence.kind === 'harvest') throw new Error("an asker's limit is not remembered");
  const { kind, address, facts } = evidence;
  const kept: Kept = [
    checkedAt.getTime(),
    expiresAt.getTime(),
    kind,
    address.input,
    keepFacts(facts),
    'hosts' in evidence ? keepHosts(evidence.hosts) : null,
    'probe' in evidence && evidence.probe !== null ? keepProbe(evidence.probe) : null,
  ];
  return JSON.stringify(kept);
};

/** As rcpt 0.1 kept them, the verdict included, with dates as `{"$date": ms}`: none lives longer than seven days. */
const readFirstVersion = (body: string): Verification =>
  JSON.parse(body, (_key, value) =>
    typeof value === 'object' && value !== null && typeof value.$date === 'number'
      ? new Date(value.$date)
      : value,
  ) as Verification;

/** Null for what this version no longer takes for an address. */
export const readReceipt = (body: string): Verification | null => {
  if (body.startsWith('{')) return readFirstVersion(body);
  const [checkedAt, expiresAt, kind, input, keptFacts, hosts, probe] = JSON.parse(body) as Kept;
  const parsed = parseAddress(input);
  if (parsed.kind === 'fault') return null;
  const { address } = parsed;
  const evidence = {
    kind,
    address,
    ...(hosts === null ? {} : { hosts: readHosts(hosts, address) }),
    ...(kind === 'probe' || kind === 'egress' ? { probe: probe && readProbe(probe) } : {}),
    facts: readFacts(keptFacts),
  } as Evidence;
  const verdict = judge(evidence);
  const { retryAfterSeconds } = verdict;
  return {
    ...verdict,
    evidence,
    checkedAt: new Date(checkedAt),
    expiresAt: new Date(expiresAt),
    retryAt: retryAfterSeconds === null ? null : new Date(checkedAt + retryAfterSeconds * 1_000),
    fromCache: false,
  };
};
