/**
 * Is port 25 open for us at all? Most networks close it, and then every exchange of the world looks dead. Many
 * exchanges of different owners unreachable, and not one reachable, is no longer their trouble: from then on the
 * answer is EGRESS_BLOCKED at once, with one real try a minute to notice when the port opens.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt } from '../smtp/index.ts';

/** Fewer could be one provider's outage, or a list full of dead domains of one owner. */
const ownersBeforeBlocked = 8;
/** Evidence older than this tells of another network. */
const memoryMs = 10 * 60_000;
/** How often a verification is let through while blocked. */
const trialMs = 60_000;
/** More owners than this are not kept: the question is answered long before. */
const mostOwners = 64;

export type Egress = {
  /** May this verification connect? False while port 25 is known to be closed and no trial is due. */
  isOpen(): boolean;
  /** Learns from what came of connecting. */
  observe(attempts: readonly ConnectAttempt[]): void;
  /** Was the port found closed? */
  readonly isBlocked: boolean;
};

export const createEgress = (options: {
  readonly now: () => number;
  /** Who runs an exchange: its registrable domain. */
  readonly ownerOf: (host: ExchangeHost) => string;
}): Egress => {
  const { now, ownerOf } = options;
  /** Owner → when none of its exchanges could be reached, last. */
  const failures = new Map<string, number>();
  let lastTrialAt = Number.NEGATIVE_INFINITY;

  const forgetOld = () => {
    for (const [owner, at] of failures) if (now() - at > memoryMs) failures.delete(owner);
  };
  const isBlocked = () => {
    forgetOld();
    return failures.size >= ownersBeforeBlocked;
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
        failures.clear();
        return;
      }
      for (const { host, outcome } of attempts)
        if (outcome.kind === 'connectFailed' || outcome.kind === 'connectTimeout')
          if (failures.size < mostOwners || failures.has(ownerOf(host))) failures.set(ownerOf(host), now());
    },
  };
};
