/** A prober with short deadlines, its exchanges on loopback, and an address of any name. */
import type { DomainName, EmailAddress, ExchangeHost, NormalizedAddress } from '../../src/address/index.ts';
import type { HostAddress, HostAddresses, MailExchange } from '../../src/dns/index.ts';
import { createGuard, createProber, type ProbeRequest, type ProberOptions } from '../../src/smtp/index.ts';

export const makeAddress = (text: string): EmailAddress => {
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, at);
  const domain = text.slice(at + 1) as DomainName;
  return {
    input: text,
    localPart,
    domain,
    unicodeDomain: domain,
    normalized: text as NormalizedAddress,
    requiresSmtpUtf8: /[^\p{ASCII}]/u.test(localPart),
  };
};

export const makeExchanges = (...hosts: readonly string[]): ProbeRequest['exchanges'] => {
  const [first, ...rest] = hosts.map(
    (host, index): MailExchange => ({ host: host as ExchangeHost, preference: 10 * (index + 1) }),
  );
  if (!first) throw new Error('no exchange');
  return [first, ...rest];
};

export type World = Omit<Partial<ProberOptions>, 'lookupAddresses'> & {
  readonly port: number;
  /** Host name to addresses; others are at 127.0.0.1. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly answers?: Readonly<Record<string, HostAddresses>>;
};

/** Long enough for a busy machine; a test about silence shortens the one that it is about. */
const UNHURRIED = {
  connectMs: 2_000,
  greetingMs: 2_000,
  ehloMs: 2_000,
  startTlsMs: 2_000,
  tlsHandshakeMs: 2_000,
  mailFromMs: 2_000,
  rcptToMs: 2_000,
  quitMs: 200,
  openMs: 4_000,
  idleMs: 5_000,
  patienceMs: 500,
};

export const makeProber = ({ addresses = {}, answers = {}, timeouts, ...options }: World) =>
  createProber({
    lookupAddresses: async (host) => {
      const known = answers[host];
      if (known) return known;
      const [first, ...rest] = (addresses[host] ?? ['127.0.0.1']).map(
        (ip): HostAddress => ({ ip, family: ip.includes(':') ? 6 : 4 }),
      );
      return first ? { kind: 'addresses', addresses: [first, ...rest] } : { kind: 'none' };
    },
    guard: createGuard(['127.0.0.0/8', '::1/128']),
    heloName: 'prober.test',
    mailFrom: '',
    maxSessions: 20,
    maxSessionsPerExchange: 4,
    probesPerSecondPerExchange: 0,
    ...options,
    timeouts: { ...UNHURRIED, ...timeouts },
  });

export const ask = (text: string, fields: Partial<ProbeRequest> = {}): ProbeRequest => ({
  address: makeAddress(text),
  exchanges: makeExchanges('mx.test'),
  providerId: null,
  priority: 'interactive',
  deadline: Date.now() + 5_000,
  signal: new AbortController().signal,
  ...fields,
});

/** Waits for a fact, at most two seconds. */
export const eventually = async (isTrue: () => boolean): Promise<void> => {
  const until = performance.now() + 2_000;
  while (!isTrue()) {
    if (performance.now() > until) throw new Error('it did not become true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
