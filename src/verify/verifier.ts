/** One address end to end: the order of the stages, each paid for only when the one before leaves the question open. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainName, EmailAddress, NormalizedAddress, ParsedAddress } from '../address/index.ts';
import { providerByDomain, registrableDomain } from '../catalog/index.ts';
import type { Dns, MailHosts } from '../dns/index.ts';
import type { Priority, ProbeEvidence, Prober } from '../smtp/index.ts';
import { type Evidence, judge } from '../verdict/index.ts';
import { timeIsUp } from './departures.ts';
import { createEgress } from './egress.ts';
import { createFacts } from './facts.ts';
import { createFlights, type Run } from './flight.ts';
import { createGreetings } from './greeting.ts';
import { createHarvestGuard, type HarvestGuard, type HarvestOptions } from './harvest.ts';
import { createRemembered } from './remembered.ts';
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
  /** Against guessing by those who have an `owner`; null or left out: nobody is counted. */
  readonly harvest?: HarvestOptions | null;
  readonly now?: () => number;
  /** Lets time pass; rejects when the signal comes first. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of bugs of ours and of a memory that fails; a verification never rejects because of them. */
  readonly onError?: (error: unknown) => void;
};

/** The default of RCPT_GREYLIST_RETRY. */
const usualRetrySeconds = [300, 900, 3_600];
/** The safety net behind the stages' own deadlines: by then every stage had its time to answer with evidence. */
const graceMs = 500;

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
const isRemembered = ({ transcript, startedAt }: ProbeEvidence): boolean => {
  // From the end: what was just said comes last.
  for (let line = transcript.length - 2; line >= 0; line -= 1) {
    const entry = transcript[line];
    if (entry !== undefined && entry.at >= startedAt) return false;
  }
  return transcript.length > 1;
};

const pass = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal });

export const createVerifier = (options: VerifierOptions): Verifier => {
  const { dns, prober, memory, budgetMs, now = Date.now, onError = () => undefined } = options;
  const facts = createFacts();
  const flights = createFlights<NormalizedAddress, Verification, Stage>();
  const egress = createEgress({
    now,
    wait: options.wait ?? pass,
    ownerOf: (host) => registrableDomain(host as string as DomainName) ?? host,
  });

  const guard = options.harvest ? createHarvestGuard({ ...options.harvest, now }) : null;

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
  const remembered = createRemembered({ memory, now, isBelieved, onError });

  /**
   * What a dead exchange tells: nothing, when it is the port that is closed. A person is told what is known; a row can
   * wait until it is known, within its time.
   */
  const weighUnreachable = async (
    evidence: Extract<Evidence, { kind: 'probe' }>,
    priority: Priority,
    { deadline, signal }: { readonly deadline: number; readonly signal: AbortSignal },
  ): Promise<Evidence> => {
    if (priority === 'bulk') await egress.settle(deadline, signal);
    // Found out by this one, or meanwhile: those who were under way are told the same as those who come later.
    return egress.isBlocked ? { ...evidence, kind: 'egress' } : evidence;
  };

  /** DNS, then SMTP; the evidence says where it stopped. One function, since each one more is a promise a row. */
  const examine = async (
    address: EmailAddress,
    { priority, budgetMs: budget = budgetMs }: VerifyOptions,
    flight: Parameters<Run<Verification, Stage>>[0],
  ): Promise<Verification> => {
    const { signal, deadline } = flight;
    const hosts = await dns.lookupMailHosts(address.domain, signal);
    if (flight.isWatched) flight.publish({ stage: 'DNS', message: describeHosts(hosts) });
    const known = facts.read(address, hosts);
    let evidence: Evidence;
    if (hosts.kind !== 'exchanges') evidence = { kind: 'dns', address, hosts, facts: known };
    else if (!egress.isOpen()) evidence = { kind: 'egress', address, hosts, probe: null, facts: known };
    else {
      const { exchanges } = hosts;
      const providerId = known.provider?.id ?? null;
      const request = { address, exchanges, providerId, priority, deadline, signal };
      const probe = await prober.probe(
        // Nobody watches a list row by row, and a lane does more for who is watched.
        priority === 'bulk'
          ? request
          : { ...request, observe: ({ phase, ...event }) => flight.publish({ stage: phase, ...event }) },
      );
      if (!isRemembered(probe)) egress.observe(probe.attempts);
      const found = { kind: 'probe', address, hosts, probe, facts: known } as const;
      // Whoever gave a reply was reached: most are spared the look.
      evidence =
        probe.reply === null && judge(found).reason === 'HOST_UNREACHABLE'
          ? await weighUnreachable(found, priority, flight)
          : found;
    }
    const verification = conclude(evidence);
    // A time-out within less than the usual patience tells of the asker's hurry, not of the exchange; and whether a dead
    // exchange was one is not known where none was reached.
    const isOfHurry = verification.reason === 'TIMEOUT' && budget < budgetMs;
    const isOfDoubt = verification.reason === 'HOST_UNREACHABLE' && !egress.isTrusted;
    if (!isOfHurry && !isOfDoubt) remembered.remember(address.normalized, verification, priority);
    return verification;
  };

  const join = async (
    address: EmailAddress,
    asked: VerifyOptions,
    observe: ((stage: Stage) => void) | undefined,
  ): Promise<Verification> => {
    const { signal, priority, budgetMs: budget = budgetMs } = asked;
    const isUrgent = priority === 'interactive';
    const asker = { signal, patienceMs: budget + graceMs, isUrgent, deadline: now() + budget, observe };
    try {
      return await flights.join(address.normalized, asker, (flight) => examine(address, asked, flight));
    } catch (error) {
      const known = facts.read(address);
      if (signal.aborted || error === timeIsUp) return conclude({ kind: 'budget', address, facts: known });
      onError(error);
      return conclude({ kind: 'internal', address, facts: known });
    }
  };

  const lookUp = async (
    address: EmailAddress,
    asked: VerifyOptions,
    observe: ((stage: Stage) => void) | undefined,
  ): Promise<Verification> => {
    const known = await remembered.recall(address.normalized, asked);
    observe?.({ stage: 'MEMORY', message: known ? 'the verdict is remembered' : 'no verdict is remembered' });
    return known ? { ...known, fromCache: true } : join(address, asked, observe);
  };

  /** The same for an owner whose unknown mailboxes are counted, or what keeps it from being told. */
  const lookUpCounted = async (
    owner: string,
    address: EmailAddress,
    asked: VerifyOptions,
    observe: ((stage: Stage) => void) | undefined,
    { enter }: HarvestGuard,
  ): Promise<Verification> => {
    const { priority, signal, client = null, budgetMs: budget = budgetMs } = asked;
    const enteredAt = now();
    const entering = enter(owner, address, { priority, signal, client, patienceMs: budget });
    const hasToWait = entering instanceof Promise;
    const pass = hasToWait ? await entering : entering;
    if (pass.kind === 'left') return conclude({ kind: 'budget', address, facts: facts.read(address) });
    if (pass.kind === 'limited') {
      const retryAfterSeconds = Math.max(1, Math.ceil((pass.until - now()) / 1_000));
      return conclude({ kind: 'harvest', address, retryAfterSeconds, facts: facts.read(address) });
    }
    let told: Verification | null = null;
    try {
      const left = hasToWait ? { ...asked, budgetMs: Math.max(1, budget - (now() - enteredAt)) } : asked;
      told = await lookUp(address, left, observe);
      return told;
    } finally {
      pass.settle(told);
    }
  };

  const verify = (
    parsed: ParsedAddress,
    asked: VerifyOptions,
    observe?: (stage: Stage) => void,
  ): Promise<Verification> => {
    if (parsed.kind === 'fault') return Promise.resolve(conclude({ kind: 'syntax', fault: parsed.fault }));
    const { address } = parsed;
    observe?.({ stage: 'SYNTAX', message: 'the address is well-formed' });
    const { owner } = asked;
    return guard === null || owner === undefined || owner === null
      ? lookUp(address, asked, observe)
      : lookUpCounted(owner, address, asked, observe, guard);
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
