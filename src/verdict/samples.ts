/** Evidence for tests: an ordinary one of each kind, with what a test is about put in. */
import type { DomainName, EmailAddress, ExchangeHost, NormalizedAddress } from '../address/index.ts';
import type { MailHosts } from '../dns/index.ts';
import type { CatchAllFinding, ConnectAttempt, Meaning, Phase, ProbeEvidence } from '../smtp/index.ts';
import type { AddressFacts, Evidence } from './types.ts';

export const mx1 = 'mx1.example.com' as ExchangeHost;
export const mx2 = 'mx2.example.com' as ExchangeHost;
const domain = 'example.com' as DomainName;

export const address: EmailAddress = {
  input: 'jo@example.com',
  localPart: 'jo',
  domain,
  unicodeDomain: 'example.com',
  normalized: 'jo@example.com' as NormalizedAddress,
  requiresSmtpUtf8: false,
};

export const noFacts: AddressFacts = {
  isRole: false,
  isFree: false,
  isDisposable: false,
  provider: null,
  suggestion: null,
};

export function exchanges(first: ExchangeHost, ...others: readonly ExchangeHost[]) {
  const exchange = (host: ExchangeHost) => ({ host, preference: 10 });
  return {
    kind: 'exchanges',
    domain,
    exchanges: [exchange(first), ...others.map(exchange)],
    isImplicit: false,
  } as const satisfies MailHosts;
}

export function hosts(kind: 'nullMx' | 'domainNotFound' | 'noMailHost' | 'failure'): MailHosts {
  return kind === 'failure' ? { kind, domain, failure: 'SERVFAIL' } : { kind, domain };
}

export function attempt(kind: ConnectAttempt['outcome']['kind'], host = mx1): ConnectAttempt {
  const outcomes = {
    connected: { kind: 'connected' },
    noAddress: { kind: 'noAddress' },
    unroutable: { kind: 'unroutable', range: 'loopback' },
    dnsFailure: { kind: 'dnsFailure', failure: 'SERVFAIL' },
    connectFailed: { kind: 'connectFailed', error: 'ECONNREFUSED' },
    connectTimeout: { kind: 'connectTimeout' },
  } as const;
  const hasAddress = kind !== 'noAddress' && kind !== 'dnsFailure';
  return { host, ip: hasAddress ? '192.0.2.1' : null, outcome: outcomes[kind] };
}

export function meaning(kind: Meaning['kind'], retryAfterSeconds: number | null = null): Meaning {
  return { kind, rule: 'sample', retryAfterSeconds };
}

export function canary(answer: CatchAllFinding['answer']): CatchAllFinding {
  return { answer, reply: null, checkedAt: new Date(0) };
}

type Probe = Extract<Evidence, { readonly kind: 'probe' }>;

/** By default: connected, RCPT TO accepted, a made-up mailbox refused. */
export function probe(changes: Partial<ProbeEvidence> = {}, around: Partial<Probe> = {}): Probe {
  return {
    kind: 'probe',
    address,
    hosts: exchanges(mx1),
    facts: noFacts,
    probe: {
      attempts: [attempt('connected')],
      exchange: mx1,
      ip: '192.0.2.1',
      phase: 'RCPT_TO',
      reply: reply(250),
      meaning: meaning('ACCEPTED'),
      fault: null,
      catchAll: canary('NO'),
      startedAt: new Date(0),
      durationMs: 40,
      transcript: [],
      ...changes,
    },
    ...around,
  };
}

/** A reply that means `kind`, in `phase`; 4xx or 5xx as the meaning is. */
export function refused(
  kind: Meaning['kind'],
  phase: Phase = 'RCPT_TO',
  code = 550,
  retry: number | null = null,
) {
  return { phase, reply: reply(code), meaning: meaning(kind, retry), catchAll: null } as const;
}

/** Nobody was reached: only attempts tell. */
export function unreached(...attempts: readonly ConnectAttempt[]) {
  return {
    attempts,
    exchange: null,
    ip: null,
    phase: 'CONNECT',
    reply: null,
    meaning: null,
    catchAll: null,
  } as const;
}

/** The session ended without a reply that decides. */
export function failed(fault: NonNullable<ProbeEvidence['fault']>) {
  const phase = 'phase' in fault ? fault.phase : 'EHLO';
  return { phase, reply: null, meaning: null, fault, catchAll: null } as const;
}

export function reply(code: number) {
  return { code, enhancedCode: null, lines: ['words'], text: 'words' };
}
