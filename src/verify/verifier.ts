/** One address end to end: the order of the stages, each paid for only when the one before leaves the question open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { DomainName, EmailAddress, NormalizedAddress, ParsedAddress } from '../address/index.ts';
import { providerByDomain, registrableDomain } from '../catalog/index.ts';
import type { Dns, MailHosts } from '../dns/index.ts';
import type { ProbeEvidence, Prober } from '../smtp/index.ts';
import { type Evidence, judge } from '../verdict/index.ts';
import { createEgress } from './egress.ts';
import { createFacts } from './facts.ts';
import { type Asker, createFlights } from './flight.ts';
import { createGreetings } from './greeting.ts';
import type { Verification, VerificationMemory, Verifier, VerifyOptions } from './types.ts';
import { createWatch, type Stage } from './watch.ts';

export type VerifierOptions = {
  readonly dns: Dns;
  readonly prober: Prober;
  readonly memory: VerificationMemory;
  /** Budget of a verification whose asker names none. */
  readonly budgetMs: number;
  /** When an address that was put off is asked again by those who wait for it: RCPT_GREYLIST_RETRY. */
  readonly retrySeconds?: readonly number[];
  readonly now?: () => number;
  /** Lets time pass; rejects when the signal comes first. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of bugs of ours and of a memory that fails; a verification never rejects because of them. */
  readonly onError?: (error: unknown) => void;
};

/**
 * Verdicts kept in the process. Each holds its transcript (about 4 KB): the ceiling keeps a list of millions from
 * filling the heap, and what falls out is still in the memory that survives.
 */
const mostRemembered = 10_000;
/** The default of RCPT_GREYLIST_RETRY. */
const usualRetrySeconds = [300, 900, 3_600];
/** The safety net behind the stages' own deadlines: by then every stage had its time to answer with evidence. */
const graceMs = 500;

const isFreshFor = (verification: Verification, maxAgeSeconds: number | undefined, nowMs: number): boolean =>
  nowMs < verification.expiresAt.getTime() &&
  (maxAgeSeconds === undefined || nowMs - verification.checkedAt.getTime() < maxAgeSeconds * 1_000);

/** For a person, without a name that only the asked one should see: mail hosts are public. */
const describeHosts = (hosts: MailHosts): string => {
  switch (hosts.kind) {
    case 'exchanges':
      return hosts.exchanges.length === 1
        ? `one mail host: ${hosts.exchanges[0].host}`
        : `${hosts.exchanges.length} mail hosts, ${hosts.exchanges[0].host} first`;
    case 'nullMx':
      return 'the domain says that it takes no mail';
    case 'domainNotFound':
      return 'there is no such domain';
    case 'noMailHost':
      return 'the domain has no mail host';
    case 'failure':
      return `the mail hosts cannot be looked up: ${hosts.failure}`;
  }
};

/**
 * Did nothing happen since it began but the note that says so? Then a lane answered from what it remembers of a
 * refusal or of dead exchanges, and nobody was connected to just now.
 */
const isRemembered = ({ transcript, startedAt }: ProbeEvidence): boolean =>
  transcript.length > 1 && transcript.slice(0, -1).every(({ at }) => at < startedAt);

const pass = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal });

/**
 * Ends with the asker's signal or with its time, whichever comes first; `end` lets go of both. By hand, since
 * `AbortSignal.timeout` and `any` leave their work to the garbage collector: 10,700 verifications/s with them, 14,500 so.
 */
const startPatience = (asked: AbortSignal, ms: number): { readonly signal: AbortSignal; end(): void } => {
  const controller = new AbortController();
  const leave = () => controller.abort(asked.reason);
  if (asked.aborted) leave();
  else asked.addEventListener('abort', leave, { once: true });
  const timer = setTimeout(() => controller.abort(new DOMException('time is up', 'TimeoutError')), ms);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      asked.removeEventListener('abort', leave);
    },
  };
};

export const createVerifier = (options: VerifierOptions): Verifier => {
  const { dns, prober, memory, budgetMs, now = Date.now, onError = () => undefined } = options;
  const remembered = new LRUCache<NormalizedAddress, Verification>({ max: mostRemembered });
  const facts = createFacts();
  const flights = createFlights<NormalizedAddress, Verification, Stage>();
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

  /**
   * While port 25 is closed, a host that was called unreachable a moment ago may only have been behind it; once it
   * is open again, nobody is told that it is closed.
   */
  const isBelieved = ({ reason }: Verification): boolean =>
    egress.isBlocked ? reason !== 'HOST_UNREACHABLE' : reason !== 'EGRESS_BLOCKED';

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
    return known !== null && isFreshFor(known, maxAgeSeconds, now()) && isBelieved(known)
      ? { ...known, fromCache: true }
      : null;
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
    publish: (stage: Stage) => void,
  ): Promise<Evidence> => {
    const hosts = await dns.lookupMailHosts(address.domain, signal);
    publish({ stage: 'DNS', message: describeHosts(hosts) });
    const known = facts.read(address, hosts);
    if (hosts.kind !== 'exchanges') return { kind: 'dns', address, hosts, facts: known };
    if (!egress.isOpen()) return { kind: 'egress', address, hosts, facts: known };
    const probe = await prober.probe({
      address,
      exchanges: hosts.exchanges,
      providerId: known.provider?.id ?? null,
      priority,
      deadline,
      signal,
      // Nobody watches a list row by row, and a lane does more for who is watched.
      ...(priority === 'bulk'
        ? {}
        : { observe: ({ phase, ...event }) => publish({ stage: phase, ...event }) }),
    });
    if (!isRemembered(probe)) egress.observe(probe.attempts);
    const evidence: Evidence = { kind: 'probe', address, hosts, probe, facts: known };
    // Found out by this one, or meanwhile: those who were under way are told the same as those who come later.
    return egress.isBlocked && judge(evidence).reason === 'HOST_UNREACHABLE'
      ? { kind: 'egress', address, hosts, facts: known }
      : evidence;
  };

  const verifyAddress = async (
    address: EmailAddress,
    asked: VerifyOptions,
    observe?: (stage: Stage) => void,
  ): Promise<Verification> => {
    const known = await recall(address, asked);
    observe?.({ stage: 'MEMORY', message: known ? 'the verdict is remembered' : 'no verdict is remembered' });
    if (known) return known;
    const budget = asked.budgetMs ?? budgetMs;
    const patience = startPatience(asked.signal, budget + graceMs);
    const asker: Asker<Stage> = {
      signal: patience.signal,
      isUrgent: asked.priority === 'interactive',
      deadline: now() + budget,
      observe,
    };
    try {
      return await flights.join(address.normalized, asker, async ({ signal, deadline, publish }) => {
        const verification = conclude(await examine(address, asked, deadline, signal, publish));
        // A time-out within less than the usual patience tells of the asker's hurry, not of the exchange.
        if (verification.reason !== 'TIMEOUT' || budget >= budgetMs) await remember(address, verification);
        return verification;
      });
    } catch (error) {
      const known = facts.read(address);
      if (patience.signal.aborted) return conclude({ kind: 'budget', address, facts: known });
      onError(error);
      return conclude({ kind: 'internal', address, facts: known });
    } finally {
      patience.end();
    }
  };

  const verify = async (
    parsed: ParsedAddress,
    asked: VerifyOptions,
    observe?: (stage: Stage) => void,
  ): Promise<Verification> => {
    if (parsed.kind === 'fault') return conclude({ kind: 'syntax', fault: parsed.fault });
    observe?.({ stage: 'SYNTAX', message: 'the address is well-formed' });
    return verifyAddress(parsed.address, asked, observe);
  };

  return {
    verify: (parsed, asked) => verify(parsed, asked),
    watch: createWatch({
      verify,
      scheduleSeconds: options.retrySeconds ?? usualRetrySeconds,
      now,
      wait: options.wait ?? pass,
      onError,
    }),
    lookupGreeting: createGreetings({
      greet: (request) => prober.greet(request),
      budgetMs,
      now,
      learn: (attempts) => egress.observe(attempts),
    }),
    readEgress: () => egress.read(),
    lookupMailHosts: (domain, signal) => dns.lookupMailHosts(domain, signal),
    lookupProvider: async (domain, signal) =>
      providerByDomain(domain) ?? facts.providerOf(domain, await dns.lookupMailHosts(domain, signal)),
    lookupCatchAll: async (domain, signal) => {
      const hosts = await dns.lookupMailHosts(domain, signal);
      if (hosts.kind !== 'exchanges') return null;
      return prober.probeCatchAll({
        domain,
        exchanges: hosts.exchanges,
        providerId: facts.providerOf(domain, hosts)?.id ?? null,
        priority: 'interactive',
        deadline: now() + budgetMs,
        signal,
      });
    },
    readFacts: (address) => facts.read(address),
  };
};
