/**
 * Is port 25 open for us at all? Most networks close it, and then every exchange of the world looks dead. Exchanges
 * of many owners in many networks unreachable, and not one reachable, is no longer their trouble: from then on the
 * answer is EGRESS_BLOCKED at once.
 *
 * UNKNOWN: nothing was learned, or nothing lately. OPEN: an exchange was reached. BLOCKED: enough independent
 * witnesses failed, a time-out as well as a refusal (firewalls answer with RST and ICMP too); one verification a
 * minute is let through as a trial, and the first exchange that is reached ends it.
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

export type Egress = {
  /** May this verification connect? False while port 25 is known to be closed and no trial is due. */
  isOpen(): boolean;
  /** Learns from what came of connecting, by one verification. */
  observe(attempts: readonly ConnectAttempt[]): void;
  /** Was the port found closed? */
  readonly isBlocked: boolean;
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
}): Egress => {
  const { now, ownerOf } = options;
  /** Since an exchange was reached last; more than `witnessesBeforeBlocked` are never kept. */
  let witnesses: Witness[] = [];
  let wasFoundClosed = false;
  let reachedAt = Number.NEGATIVE_INFINITY;
  let learnedAt = Number.NEGATIVE_INFINITY;
  let lastTrialAt = Number.NEGATIVE_INFINITY;

  const isBlocked = () => wasFoundClosed && now() - learnedAt <= memoryMs;

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
    if (known.length === 0 && witnesses.length < witnessesBeforeBlocked) witnesses.push({ about, at: now() });
    if (wasFoundClosed || witnesses.length < witnessesBeforeBlocked || now() - reachedAt < trustMs) return;
    wasFoundClosed = true;
    // What found it out was trial enough.
    lastTrialAt = now();
  };

  return {
    get isBlocked() {
      return isBlocked();
    },
    isOpen: () => {
      if (!isBlocked()) return true;
      if (now() - lastTrialAt < trialMs) return false;
      lastTrialAt = now();
      return true;
    },
    observe: (attempts) => {
      if (attempts.some(({ outcome }) => outcome.kind === 'connected')) {
        witnesses = [];
        wasFoundClosed = false;
        reachedAt = learnedAt = now();
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
