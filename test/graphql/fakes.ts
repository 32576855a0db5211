/**
 * Fakes of the ports that GraphQL stands on, which count what they are asked. The verifier is the real one; below
 * it stand a name server and a mail server of a few lines.
 */
import type { DomainName, ExchangeHost } from '../../src/address/index.ts';
import type { Dns, MailHosts } from '../../src/dns/index.ts';
import type { Services } from '../../src/graphql/index.ts';
import type { Greeting, ProbeEvidence, ProbeRequest, Prober } from '../../src/smtp/index.ts';
import { createVerifier, type Verification, type VerificationMemory } from '../../src/verify/index.ts';
import { createFakeJobs, createFakeUploads } from './fake-jobs.ts';

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

export type FakeWorld = {
  readonly services: Services;
  readonly dns: ReturnType<typeof createFakeDns>;
  readonly prober: ReturnType<typeof createFakeProber>;
  readonly jobs: ReturnType<typeof createFakeJobs>;
  readonly uploads: ReturnType<typeof createFakeUploads>;
};

export const createFakeWorld = (): FakeWorld => {
  const dns = createFakeDns();
  const prober = createFakeProber();
  const jobs = createFakeJobs();
  const uploads = createFakeUploads();
  const services: Services = {
    dns,
    prober,
    jobs,
    uploads,
    verifier: createVerifier({ dns, prober, memory: createMemory(), budgetMs: 1_000 }),
    guard: { classifyAddress: (ip) => ({ isRoutable: !ip.startsWith('10.'), range: 'global' }) },
    gateway: { version: '1.2.3', isSandbox: false },
  };
  return { services, dns, prober, jobs, uploads };
};
