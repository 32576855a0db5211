/**
 * Fakes of the ports that GraphQL stands on, which count what they are asked. The verifier is the real one; below
 * it stand a name server and a mail server of a few lines.
 */
import type { DomainName, ExchangeHost } from '../../src/address/index.ts';
import type { Dns, MailHosts } from '../../src/dns/index.ts';
import type { Services } from '../../src/graphql/index.ts';
import type {
  Job,
  Jobs,
  Progress,
  ProgressSnapshot,
  SettledRow,
  StartOutcome,
} from '../../src/jobs/index.ts';
import type { Greeting, ProbeEvidence, ProbeRequest, Prober } from '../../src/smtp/index.ts';
import { createVerifier, type Verification, type VerificationMemory } from '../../src/verify/index.ts';

const host = (name: string) => name as ExchangeHost;

const txtRecords: Readonly<Record<string, readonly string[]>> = {
  'mail.test': ['v=spf1 mx -all'],
  '_dmarc.mail.test': ['v=DMARC1; p=reject; sp=quarantine'],
  '_smtp._tls.mail.test': ['v=TLSRPTv1; rua=mailto:tls@mail.test'],
};

/** Knows `mail.test` (with MX), `implicit.test`, `nullmx.test` and `broken.test`; nothing else exists. */
const createFakeDns = () => {
  const asked: string[] = [];
  const mailHosts = (domain: DomainName): MailHosts => {
    switch (domain as string) {
      case 'mail.test':
        return {
          kind: 'exchanges',
          domain,
          isImplicit: false,
          exchanges: [
            { host: host('mx1.mail.test'), preference: 10 },
            { host: host('mx2.mail.test'), preference: 20 },
          ],
        };
      case 'implicit.test':
        return {
          kind: 'exchanges',
          domain,
          isImplicit: true,
          exchanges: [{ host: host(domain), preference: 0 }],
        };
      case 'nullmx.test':
        return { kind: 'nullMx', domain };
      case 'broken.test':
        return { kind: 'failure', domain, failure: 'SERVFAIL' };
      default:
        return { kind: 'domainNotFound', domain };
    }
  };
  const dns: Dns & { readonly asked: readonly string[] } = {
    asked,
    get queriesSent() {
      return asked.length;
    },
    lookupMailHosts: async (domain) => {
      asked.push(`MX ${domain}`);
      return mailHosts(domain);
    },
    lookupAddresses: async (name) => {
      asked.push(`A ${name}`);
      return name.endsWith('.test')
        ? { kind: 'addresses', addresses: [{ ip: '192.0.2.1', family: 4 }] }
        : { kind: 'none' };
    },
    lookupTxt: async (name) => {
      asked.push(`TXT ${name}`);
      const records = txtRecords[name];
      if (name.endsWith('broken.test')) return { kind: 'failure', failure: 'SERVFAIL' };
      return records ? { kind: 'records', records } : { kind: 'none' };
    },
    lookupNames: async (ip) => {
      asked.push(`PTR ${ip}`);
      return { kind: 'names', names: ['mx1.mail.test'] };
    },
    close: () => undefined,
  };
  return dns;
};

const evidenceFor = ({ address, exchanges }: ProbeRequest): ProbeEvidence => {
  const isKnown = address.localPart === 'ada';
  return {
    attempts: [{ host: exchanges[0].host, ip: '192.0.2.1', outcome: { kind: 'connected' } }],
    exchange: exchanges[0].host,
    ip: '192.0.2.1',
    phase: 'RCPT_TO',
    reply: isKnown
      ? { code: 250, enhancedCode: '2.1.5', lines: ['Ok'], text: 'Ok' }
      : { code: 550, enhancedCode: '5.1.1', lines: ['No such user'], text: 'No such user' },
    meaning: {
      kind: isKnown ? 'ACCEPTED' : 'MAILBOX_NOT_FOUND',
      rule: 'fake',
      retryAfterSeconds: null,
    },
    fault: null,
    catchAll: { answer: 'NO', reply: null, checkedAt: new Date('2030-01-01T00:00:00Z') },
    startedAt: new Date('2030-01-01T00:00:00Z'),
    durationMs: 12.4,
    transcript: [{ at: new Date('2030-01-01T00:00:00Z'), direction: 'SERVER', text: '220 mx1.mail.test' }],
  };
};

const idleLane = {
  state: 'IDLE',
  sessions: 0,
  queued: 0,
  probesPerSecond: null,
  pausedUntil: null,
  lastReply: null,
} as const;

const greetingOf = (name: ExchangeHost): Greeting => ({
  attempts: [{ host: name, ip: '192.0.2.1', outcome: { kind: 'connected' } }],
  ip: '192.0.2.1',
  banner: `${name} ESMTP`,
  capabilities: ['PIPELINING', 'SIZE 52428800'],
  supportsStartTls: true,
  supportsPipelining: true,
  supportsSmtpUtf8: false,
  maxMessageBytes: 52_428_800,
  tls: {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    isTrusted: false,
    certificate: {
      subject: `CN=${name}`,
      issuer: 'CN=test',
      validTo: new Date('2031-01-01T00:00:00Z'),
      altNames: [name],
    },
  },
  reply: { code: 250, enhancedCode: null, lines: [name], text: name },
  fault: null,
});

/** Accepts `ada@` anywhere, never answers about `hang@`, and refuses everybody else; a probe is four commands. */
const createFakeProber = () => {
  const stats = { sessionsOpened: 0, commandsSent: 0 };
  const probed: string[] = [];
  let hanging = 0;
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      hanging += 1;
      signal.addEventListener('abort', () => {
        hanging -= 1;
        reject(signal.reason);
      });
    });
  const prober: Prober & { readonly probed: readonly string[]; readonly hanging: number } = {
    probed,
    stats,
    /** Probes of `hang@` that have not ended. */
    get hanging() {
      return hanging;
    },
    probe: async (request) => {
      const { address, exchanges, signal, observe } = request;
      probed.push(address.normalized);
      stats.sessionsOpened += 1;
      stats.commandsSent += 4;
      const evidence = evidenceFor(request);
      const at = evidence.startedAt;
      const { host: exchange } = exchanges[0];
      observe?.({ at, phase: 'CONNECT', message: `connecting to ${exchange}`, exchange, reply: null });
      if (address.localPart === 'hang') await hang(signal);
      observe?.({ at, phase: 'RCPT_TO', message: 'answered', exchange, reply: evidence.reply });
      return evidence;
    },
    probeCatchAll: async () => {
      stats.sessionsOpened += 1;
      stats.commandsSent += 4;
      return { answer: 'NO', reply: null, checkedAt: new Date('2030-01-01T00:00:00Z') };
    },
    greet: async ({ host: name }) => {
      stats.sessionsOpened += 1;
      stats.commandsSent += 2;
      return greetingOf(name);
    },
    lanes: () => [
      { ...idleLane, exchanges: [host('mx1.mail.test')] },
      { ...idleLane, exchanges: [host('mx.busy.test')], state: 'ACTIVE', sessions: 2, queued: 7 },
      {
        ...idleLane,
        exchanges: [host('mx.angry.test')],
        state: 'PAUSED',
        probesPerSecond: 2.5,
        pausedUntil: new Date('2030-01-01T00:10:00Z'),
        lastReply: { code: 421, enhancedCode: '4.7.0', lines: ['Slow down'], text: 'Slow down' },
      },
    ],
    close: async () => undefined,
  };
  return prober;
};

const createMemory = (): VerificationMemory => {
  const known = new Map<string, Verification>();
  return {
    recall: async (address) => known.get(address) ?? null,
    remember: async (address, verification) => {
      known.set(address, verification);
    },
  };
};

const progressOf = (job: Job): Progress => ({
  ...job.counters,
  perSecond: 0,
  secondsLeft: null,
  nextRetryAt: null,
});

const resultOf = (row: number): SettledRow => ({
  position: row,
  row,
  address: row === 2 ? '=1+1@mail.test' : `user${row}@mail.test`,
  duplicateOf: null,
  status: row % 2 === 0 ? 'UNDELIVERABLE' : 'DELIVERABLE',
  reason: row % 2 === 0 ? 'MAILBOX_NOT_FOUND' : 'MAILBOX_EXISTS',
  score: row % 2 === 0 ? 2 : 95,
  provider: null,
  exchange: 'mx1.mail.test',
  reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
  checkedAt: new Date('2030-01-01T00:00:00Z'),
});

/** Jobs that stand still until a test moves them with `advance`. */
export const createFakeJobs = () => {
  const jobs = new Map<string, Job>();
  const keys = new Map<string, { id: string; inputHash: string | null }>();
  const wakeUps = new Set<() => void>();
  let reads = 0;
  let watching = 0;

  const create = (total: number, name: string | null): Job => {
    const job: Job = {
      id: crypto.randomUUID(),
      name,
      state: 'QUEUED',
      createdAt: new Date(Date.UTC(2030, 0, 1, 0, 0, jobs.size)),
      startedAt: null,
      endedAt: null,
      expiresAt: new Date('2030-02-01T00:00:00Z'),
      counters: {
        total,
        settled: 0,
        waiting: 0,
        deliverable: 0,
        undeliverable: 0,
        risky: 0,
        unknown: 0,
        duplicates: 0,
      },
      nextRetryAt: null,
    };
    jobs.set(job.id, job);
    return job;
  };

  const settledOf = (id: string): SettledRow[] =>
    Array.from({ length: jobs.get(id)?.counters.settled ?? 0 }, (_, index) => resultOf(index + 1));

  const fake = {
    get reads() {
      return reads;
    },
    /** Streams of `watch` that have not ended. */
    get watching() {
      return watching;
    },
    create,
    /** Settles rows of a job; the last one completes it. */
    advance: (id: string, rows: number): void => {
      const job = jobs.get(id);
      if (!job) throw new Error('no such job');
      const settled = Math.min(job.counters.total, job.counters.settled + rows);
      jobs.set(id, {
        ...job,
        state: settled === job.counters.total ? 'COMPLETED' : 'RUNNING',
        counters: { ...job.counters, settled, deliverable: settled },
      });
      for (const wake of wakeUps) wake();
    },
  };

  const watch = (id: string): AsyncIterableIterator<ProgressSnapshot> => {
    let last: Job | undefined;
    let isEnded = false;
    let wake: () => void = () => undefined;
    const end = () => {
      if (!isEnded) watching -= 1;
      isEnded = true;
      wakeUps.delete(onWake);
      wake();
    };
    const onWake = () => wake();
    wakeUps.add(onWake);
    watching += 1;
    return {
      next: async () => {
        while (!isEnded && jobs.get(id) === last) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const job = jobs.get(id);
        if (isEnded || !job) return { done: true, value: undefined };
        last = job;
        if (job.state === 'COMPLETED') {
          end();
          return { done: false, value: { job, progress: progressOf(job) } };
        }
        return { done: false, value: { job, progress: progressOf(job) } };
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };

  const port: Jobs = {
    start: async ({ name, addresses, idempotencyKey, inputHash }): Promise<StartOutcome> => {
      const list: string[] = [];
      for await (const address of addresses) list.push(address);
      if (list.length === 0) return { kind: 'emptyList' };
      const known = idempotencyKey === null ? undefined : keys.get(idempotencyKey);
      const existing = known && jobs.get(known.id);
      if (known && existing)
        return known.inputHash === inputHash
          ? { kind: 'existing', job: existing }
          : { kind: 'idempotencyConflict' };
      const job = create(list.length, name);
      if (idempotencyKey !== null) keys.set(idempotencyKey, { id: job.id, inputHash });
      return { kind: 'started', job };
    },
    read: async (id) => {
      reads += 1;
      return jobs.get(id) ?? null;
    },
    list: async ({ limit, afterId }) => {
      const all = [...jobs.values()].toReversed();
      const from = afterId === null ? 0 : all.findIndex(({ id }) => id === afterId) + 1;
      return { items: all.slice(from, from + limit), hasNextPage: all.length > from + limit };
    },
    results: async (id, { afterPosition, limit, statuses }) => {
      const all = settledOf(id).filter(
        ({ position, status }) =>
          position > afterPosition && (statuses === null || statuses.includes(status)),
      );
      return { items: all.slice(0, limit), hasNextPage: all.length > limit };
    },
    countResults: async (id, statuses) =>
      settledOf(id).filter(({ status }) => statuses === null || statuses.includes(status)).length,
    breakdown: async (_id, domains) => ({
      byReason: [{ reason: 'MAILBOX_EXISTS', count: 3 }],
      byProvider: [{ provider: 'GOOGLE', count: 3, deliverable: 2 }],
      byDomain: Array.from({ length: domains }, (_, index) => ({
        domain: `d${index}.test`,
        count: 1,
        deliverable: 1,
      })),
    }),
    rows: async (id, { afterRow, limit }) => {
      const settled = settledOf(id);
      const total = jobs.get(id)?.counters.total ?? 0;
      const items = Array.from({ length: Math.max(0, Math.min(limit, total - afterRow)) }, (_, index) => {
        const row = afterRow + index + 1;
        return { row, address: resultOf(row).address, result: settled[row - 1] ?? null };
      });
      return { items, hasNextPage: total > afterRow + limit };
    },
    progress: progressOf,
    cancel: async (id) => {
      const job = jobs.get(id);
      if (!job) return null;
      const cancelled: Job = { ...job, state: 'CANCELLED', endedAt: new Date('2030-01-01T01:00:00Z') };
      jobs.set(id, cancelled);
      for (const wake of wakeUps) wake();
      return cancelled;
    },
    watch: async (id) => (jobs.has(id) ? watch(id) : null),
    close: async () => undefined,
  };
  return Object.assign(port, { fake });
};

export type FakeWorld = {
  readonly services: Services;
  readonly dns: ReturnType<typeof createFakeDns>;
  readonly prober: ReturnType<typeof createFakeProber>;
  readonly jobs: ReturnType<typeof createFakeJobs>;
};

export const createFakeWorld = (): FakeWorld => {
  const dns = createFakeDns();
  const prober = createFakeProber();
  const jobs = createFakeJobs();
  const services: Services = {
    dns,
    prober,
    jobs,
    verifier: createVerifier({ dns, prober, memory: createMemory(), budgetMs: 1_000 }),
    guard: { classifyAddress: (ip) => ({ isRoutable: !ip.startsWith('10.'), range: 'global' }) },
    gateway: { version: '1.2.3', isSandbox: false },
  };
  return { services, dns, prober, jobs };
};
