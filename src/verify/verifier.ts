/** One address end to end: the order of the stages, each paid for only when the one before leaves the question open. */
import { LRUCache } from 'lru-cache';
import type { DomainName, EmailAddress, NormalizedAddress, ParsedAddress } from '../address/index.ts';
import { suggestAddress } from '../address/index.ts';
import type { Provider } from '../catalog/index.ts';
import {
  isDisposable,
  isFree,
  isKnownDomain,
  isRole,
  providerByDomain,
  providerByExchange,
  registrableDomain,
} from '../catalog/index.ts';
import type { Dns, MailHosts } from '../dns/index.ts';
import type { Prober } from '../smtp/index.ts';
import { type AddressFacts, type Evidence, judge } from '../verdict/index.ts';
import { createEgress, type Egress } from './egress.ts';
import { createFlights } from './flight.ts';
import type { Verification, VerificationMemory, Verifier, VerifyOptions } from './types.ts';

export type VerifierOptions = {
  readonly dns: Dns;
  readonly prober: Prober;
  readonly memory: VerificationMemory;
  /** Budget of a verification whose asker names none. */
  readonly budgetMs: number;
  readonly now?: () => number;
  /** Told of bugs of ours and of a memory that fails; a verification never rejects because of them. */
  readonly onError?: (error: unknown) => void;
};

/**
 * Verdicts kept in the process. Each holds its transcript (about 4 KB): the ceiling keeps a list of millions from
 * filling the heap, and what falls out is still in the memory that survives.
 */
const mostRemembered = 10_000;
/** The safety net behind the stages' own deadlines: by then every stage had its time to answer with evidence. */
const graceMs = 500;

const isFreshFor = (verification: Verification, maxAgeSeconds: number | undefined, nowMs: number): boolean =>
  nowMs < verification.expiresAt.getTime() &&
  (maxAgeSeconds === undefined || nowMs - verification.checkedAt.getTime() < maxAgeSeconds * 1_000);

/** Are the mail hosts' names enough to say who runs the domain? */
const providerOf = (domain: DomainName, hosts: MailHosts): Provider | null =>
  providerByDomain(domain) ??
  (hosts.kind === 'exchanges' ? providerByExchange(hosts.exchanges[0].host) : null);

const readFacts = (address: EmailAddress, provider = providerByDomain(address.domain)): AddressFacts => ({
  isRole: isRole(address.localPart),
  isFree: isFree(address.domain),
  isDisposable: isDisposable(address.domain),
  provider,
  suggestion: suggestAddress(address, isKnownDomain),
});

export const createVerifier = (options: VerifierOptions): Verifier & { readonly egress: Egress } => {
  const { dns, prober, memory, budgetMs, now = Date.now, onError = () => undefined } = options;
  const remembered = new LRUCache<NormalizedAddress, Verification>({ max: mostRemembered });
  const flights = createFlights<NormalizedAddress, Verification>();
  const egress = createEgress({
    now,
    ownerOf: (host) => registrableDomain(host as string as DomainName) ?? host,
  });

  const conclude = (evidence: Evidence): Verification => {
    const verdict = judge(evidence);
    const checkedAt = new Date(now());
    const after = (seconds: number) => new Date(checkedAt.getTime() + seconds * 1_000);
    return {
      ...verdict,
      evidence,
      checkedAt,
      expiresAt: after(verdict.lifeSeconds),
      retryAt: verdict.retryAfterSeconds === null ? null : after(verdict.retryAfterSeconds),
      fromCache: false,
    };
  };

  /** A remembered verdict that is fresh enough, or null. */
  const recall = async (
    { normalized }: EmailAddress,
    { maxAgeSeconds }: VerifyOptions,
  ): Promise<Verification | null> => {
    let known = remembered.get(normalized) ?? null;
    if (known === null) {
      try {
        known = await memory.recall(normalized);
      } catch (error) {
        // A store in trouble costs a probe, never an answer.
        onError(error);
      }
      if (known !== null) remembered.set(normalized, known);
    }
    return known !== null && isFreshFor(known, maxAgeSeconds, now()) ? { ...known, fromCache: true } : null;
  };

  const remember = async (address: EmailAddress, verification: Verification): Promise<void> => {
    if (verification.lifeSeconds <= 0) return;
    remembered.set(address.normalized, verification);
    try {
      await memory.remember(address.normalized, verification);
    } catch (error) {
      onError(error);
    }
  };

  /** DNS, then SMTP; the evidence says where it stopped. */
  const examine = async (
    address: EmailAddress,
    { priority }: VerifyOptions,
    deadline: number,
    signal: AbortSignal,
  ): Promise<Evidence> => {
    const hosts = await dns.lookupMailHosts(address.domain, signal);
    const provider = providerOf(address.domain, hosts);
    const facts = readFacts(address, provider);
    if (hosts.kind !== 'exchanges') return { kind: 'dns', address, hosts, facts };
    if (!egress.isOpen()) return { kind: 'egress', address, hosts, facts };
    const probe = await prober.probe({
      address,
      exchanges: hosts.exchanges,
      providerId: provider?.id ?? null,
      priority,
      deadline,
      signal,
    });
    egress.observe(probe.attempts);
    return { kind: 'probe', address, hosts, probe, facts };
  };

  const verifyAddress = async (address: EmailAddress, asked: VerifyOptions): Promise<Verification> => {
    const known = await recall(address, asked);
    if (known) return known;
    const budget = asked.budgetMs ?? budgetMs;
    const ownTime = AbortSignal.timeout(budget + graceMs);
    const patience = AbortSignal.any([asked.signal, ownTime]);
    try {
      return await flights.join(address.normalized, patience, async (signal) => {
        const verification = conclude(await examine(address, asked, now() + budget, signal));
        // A time-out within less than the usual patience tells of the asker's hurry, not of the exchange.
        if (verification.reason !== 'TIMEOUT' || budget >= budgetMs) await remember(address, verification);
        return verification;
      });
    } catch (error) {
      const facts = readFacts(address);
      if (patience.aborted) return conclude({ kind: 'budget', address, facts });
      onError(error);
      return conclude({ kind: 'internal', address, facts });
    }
  };

  return {
    egress,
    verify: async (parsed: ParsedAddress, asked) =>
      parsed.kind === 'fault'
        ? conclude({ kind: 'syntax', fault: parsed.fault })
        : verifyAddress(parsed.address, asked),
    lookupMailHosts: (domain, signal) => dns.lookupMailHosts(domain, signal),
    lookupProvider: async (domain, signal) =>
      providerByDomain(domain) ?? providerOf(domain, await dns.lookupMailHosts(domain, signal)),
    lookupCatchAll: async (domain, signal) => {
      const hosts = await dns.lookupMailHosts(domain, signal);
      if (hosts.kind !== 'exchanges') return null;
      return prober.probeCatchAll({
        domain,
        exchanges: hosts.exchanges,
        providerId: providerOf(domain, hosts)?.id ?? null,
        priority: 'interactive',
        deadline: now() + budgetMs,
        signal,
      });
    },
    readFacts: (address) => readFacts(address),
  };
};
