/**
 * When askers leave: their signal is aborted, or their time is up. The rows of a chunk share one signal and nearly one
 * deadline, so there is one listener a signal however many wait on it (to remove a listener walks the list of all), and
 * one timer for all whose time is up within the same ten milliseconds. `AbortSignal.any` and `AbortSignal.timeout`
 * would leave their work to the garbage collector.
 */
export type Leaver = {
  readonly signal: AbortSignal;
  /** When its time is up, on the monotonic clock; written by `watch`, 0 for never. */
  dueAt: number;
};

export type Departures<Who> = {
  /** From now on `who` leaves once its signal is aborted, which it is not yet, or `ms` have passed, if any are given. */
  watch(who: Who, ms: number | undefined): void;
  /** It does not leave any more: it has what it came for, or has left. */
  forget(who: Who): void;
};

/** Whoever's time is up leaves so much later at most. */
const grainMs = 10;
/** What a timer can hold: 25 days. */
const longestMs = 2 ** 31 - 1 - grainMs;

export const timeIsUp = new DOMException('time is up', 'TimeoutError');

/** @param leave called with the signal's reason, or `timeIsUp`; it must `forget` who leaves */
export const createDepartures = <Who extends Leaver>(
  leave: (who: Who, reason: unknown) => void,
): Departures<Who> => {
  const bySignal = new Map<AbortSignal, { readonly leavers: Set<Who>; readonly onAbort: () => void }>();
  const byTime = new Map<number, { readonly leavers: Set<Who>; readonly timer: NodeJS.Timeout }>();

  const leaveAll = (leavers: Iterable<Who>, reason: unknown): void => {
    for (const who of leavers) leave(who, reason);
  };

  const findSignal = (signal: AbortSignal) => {
    let group = bySignal.get(signal);
    if (group === undefined) {
      const leavers = new Set<Who>();
      group = { leavers, onAbort: () => leaveAll(leavers, signal.reason) };
      bySignal.set(signal, group);
      signal.addEventListener('abort', group.onAbort, { once: true });
    }
    return group;
  };

  const findTime = (dueAt: number, ms: number) => {
    let group = byTime.get(dueAt);
    if (group === undefined) {
      const leavers = new Set<Who>();
      group = { leavers, timer: setTimeout(() => leaveAll(leavers, timeIsUp), ms) };
      byTime.set(dueAt, group);
    }
    return group;
  };

  return {
    watch: (who, ms) => {
      findSignal(who.signal).leavers.add(who);
      if (ms === undefined) return;
      const at = performance.now();
      who.dueAt = Math.ceil((at + Math.min(ms, longestMs)) / grainMs) * grainMs;
      findTime(who.dueAt, who.dueAt - at).leavers.add(who);
    },
    forget: (who) => {
      const ofSignal = bySignal.get(who.signal);
      ofSignal?.leavers.delete(who);
      if (ofSignal?.leavers.size === 0) {
        who.signal.removeEventListener('abort', ofSignal.onAbort);
        bySignal.delete(who.signal);
      }
      const ofTime = byTime.get(who.dueAt);
      ofTime?.leavers.delete(who);
      if (ofTime?.leavers.size === 0) {
        clearTimeout(ofTime.timer);
        byTime.delete(who.dueAt);
      }
    },
  };
};
