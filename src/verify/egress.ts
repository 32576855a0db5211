/**
 * Is port 25 open for us at all? Most networks close it, and then every exchange of the world looks dead. Exchanges
 * of many owners in many networks unreachable, and not one reachable, is no longer their trouble: from then on the
 * answer is EGRESS_BLOCKED at once.
 *
 * UNKNOWN: nothing was learned, or nothing lately. OPEN: an exchange was reached. BLOCKED: enough independent
 * witnesses failed, a time-out as well as a refusal (firewalls answer with RST and ICMP too); one verification a
 * minute is let through as a trial, and the first exchange that is reached ends it.
 *
 * Until that is known, a dead exchange may be a closed port: a list's rows can wait for it (`settle`), ten seconds from
 * each new witness, so that the first rows of a list are not told another story than the rest.
 *
 * Refuses to believe in numbers alone: a list full of dead domains of one owner, each with an exchange of its own
 * name at the same few addresses, is one witness; and while exchanges were reached a moment ago nobody is one.
 */
import ipaddr from 'ipaddr.js';
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt } from '../smtp/index.ts';
import type { EgressSnapshot } from './types.ts';

/** Fewer could be one provider's outage, or the few dead domains that every old list holds. */
const witnessesBeforeBlocked = 8;
/** What is older tells of another network: a laptop travels, a firewall is changed. */
const memoryMs = 10 * 60_000;
/** A port that was open a moment ago is open: until then it is they who are dead. */
const trustMs = 2 * 60_000;
/** How often a verification is let through while blocked. */
const trialMs = 60_000;
/**
 * How long after a new witness another is waited for: two time-outs of a connection, since a list's rows are asked at
 * the same time. No witness more, and the first ones were dead themselves.
 */
const doubtMs = 10_000;

export type Egress = {
  /** May this verification connect? False while port 25 is known to be closed and no trial is due. */
  isOpen(): boolean;
  /** Learns from what came of connecting, by one verification. */
  observe(attempts: readonly ConnectAttempt[]): void;
  /** Was the port found closed? */
  readonly isBlocked: boolean;
  /** Was the port found open, and so lately that whoever is unreachable is so by itself? */
  readonly isTrusted: boolean;
  /**
   * Resolves when witnesses leave no more doubt whether the port is open, or none has come for a while; at once when
   * there is no doubt. Never rejects.
   * @param until epoch milliseconds after which it is not waited for
   */
  settle(until: number, signal: AbortSignal): Promise<void>;
  read(): EgressSnapshot;
};

/** Whom one failed verification speaks for: owners of exchange names, and networks. */
type Witness = { readonly about: ReadonlySet<string>; at: number };

/** Out of descriptors, ports or memory: that tells nothing of port 25. */
const ownErrors = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE', 'EADDRNOTAVAIL']);
/** A machine without IPv6 reaches no IPv6 address, whatever the port. */
const noRouteErrors = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EAFNOSUPPORT']);

const isTelling = ({ ip, outcome }: ConnectAttempt): boolean =>
  outcome.kind === 'connectTimeout' ||
  (outcome.kind === 'connectFailed' &&
    !ownErrors.has(outcome.error) &&
    !(noRouteErrors.has(outcome.error) && ip?.includes(':')));

/** About what one operator has: /16 of IPv4, /32 of IPv6. */
const networkOf = (ip: string): string => {
  const octets = ipaddr.process(ip).toByteArray();
  return octets.slice(0, octets.length === 4 ? 2 : 4).join('.');
};

export const createEgress = (options: {
  readonly now: () => number;
  /** Who runs an exchange: its registrable domain. */
  readonly ownerOf: (host: ExchangeHost) => string;
  /** Lets time pass; rejects when the signal comes first. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}): Egress => {
  const { now, ownerOf, wait } = options;
  /** Since an exchange was reached last; more than `witnessesBeforeBlocked` are never kept. */
  let witnesses: Witness[] = [];
  let wasFoundClosed = false;
  let reachedAt = Number.NEGATIVE_INFINITY;
  let learnedAt = Number.NEGATIVE_INFINITY;
  let lastTrialAt = Number.NEGATIVE_INFINITY;
  let doubtUntil = Number.NEGATIVE_INFINITY;
  /** Rows that wait for the end of doubt: as many as lists have under way. */
  const waiting = new Set<() => void>();

  const isBlocked = () => wasFoundClosed && now() - learnedAt <= memoryMs;
  const isTrusted = () => now() - reachedAt < trustMs;
  const isInDoubt = () => now() < doubtUntil;

  const endDoubt = (): void => {
    doubtUntil = Number.NEGATIVE_INFINITY;
    for (const wake of waiting) wake();
  };

  /** Until the time is up, doubt ends or the signal is aborted. */
  const waitForNews = async (ms: number, signal: AbortSignal): Promise<void> => {
    const leaving = new AbortController();
    const wake = () => leaving.abort();
    waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
      await wait(ms, leaving.signal);
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    } finally {
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  };

  const failed = (attempts: readonly ConnectAttempt[]): void => {
    learnedAt = now();
    witnesses = witnesses.filter(({ at }) => now() - at <= memoryMs);
    const about = new Set(
      attempts.flatMap(({ host, ip }) => [
        `owner ${ownerOf(host)}`,
        ...(ip === null ? [] : [`network ${networkOf(ip)}`]),
      ]),
    );
    const known = witnesses.filter((witness) => [...about].some((who) => witness.about.has(who)));
    for (const witness of known) witness.at = now();
    if (known.length === 0 && witnesses.length < witnessesBeforeBlocked) {
      witnesses.push({ about, at: now() });
      if (!wasFoundClosed && !isTrusted()) doubtUntil = now() + doubtMs;
    }
    if (wasFoundClosed || witnesses.length < witnessesBeforeBlocked || isTrusted()) return;
    wasFoundClosed = true;
    // What found it out was trial enough.
    lastTrialAt = now();
    endDoubt();
  };

  return {
    get isBlocked() {
      return isBlocked();
    },
    get isTrusted() {
      return isTrusted();
    },
    settle: async (until, signal) => {
      while (isInDoubt() && !signal.aborted) {
        const ms = Math.min(doubtUntil, until) - now();
        if (ms <= 0) return;
        await waitForNews(ms, signal);
      }
    },
    isOpen: () => {
      if (!isBlocked()) return true;
      if (now() - lastTrialAt < trialMs) return false;
      lastTrialAt = now();
      return true;
    },
    observe: (attempts) => {
      if (attempts.some(({ outcome }) => outcome.kind === 'connected')) {
        if (witnesses.length > 0) witnesses = [];
        wasFoundClosed = false;
        reachedAt = learnedAt = now();
        endDoubt();
        return;
      }
      if (wasFoundClosed && !isBlocked()) {
        wasFoundClosed = false;
        witnesses = [];
      }
      const telling = attempts.filter(isTelling);
      if (telling.length > 0) failed(telling);
    },
    read: () => {
      const checkedAt = Number.isFinite(learnedAt) ? new Date(learnedAt) : null;
      if (isBlocked())
        return {
          smtp: 'BLOCKED',
          checkedAt,
          detail: 'No mail server could be reached, whoever runs it: port 25 is closed from here.',
        };
      if (Number.isFinite(reachedAt))
        return { smtp: 'OPEN', checkedAt: new Date(reachedAt), detail: 'Mail servers can be reached.' };
      return {
        smtp: 'UNKNOWN',
        checkedAt,
        detail:
          checkedAt === null
            ? 'No mail server was tried yet.'
            : 'No mail server was reached yet, and too few were tried to tell why.',
      };
    },
  };
};
