/**
 * When askers leave: their deadline comes, or their signal is aborted. Each probe has a timer; signals are shared by
 * hundreds of probes of a chunk, so each signal has one listener however many wait on it (removing a listener walks
 * the list of all).
 */
import { FewMap } from './few.ts';
import type { Probe } from './probe.ts';

export type Askers = {
  /** Calls `leave` once if the deadline (epoch ms) comes, or the signal is aborted, before the probe is answered. */
  watch(
    probe: Probe,
    until: { deadline: number; signal: AbortSignal; now: number },
    leave: (probe: Probe) => void,
  ): void;
};

/** Those who wait on one signal, and its listener. */
class Waiting {
  readonly leavers = new FewMap<Probe, (probe: Probe) => void>();

  handleEvent(): void {
    for (const [probe, leave] of this.leavers) leave(probe);
  }
}

/** Timers of like durations share a list in Node; a deadline is not told apart finer than this. */
const GRAIN_MS = 10;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const createAskers = (): Askers => {
  const bySignal = new Map<AbortSignal, Waiting>();

  const listen = (signal: AbortSignal): Waiting => {
    const known = bySignal.get(signal);
    if (known) return known;
    const waiting = new Waiting();
    bySignal.set(signal, waiting);
    signal.addEventListener('abort', waiting, { once: true });
    return waiting;
  };

  return {
    watch(probe, { deadline, signal, now }, leave) {
      const left = Math.max(0, deadline - now);
      if (signal.aborted || left === 0) {
        leave(probe);
        return;
      }
      const waiting = listen(signal);
      waiting.leavers.set(probe, leave);
      const ms = Math.min(LONGEST_TIMER_MS, Math.ceil(left / GRAIN_MS) * GRAIN_MS);
      const timer = setTimeout(leave, ms, probe);
      probe.whenAnswered(() => {
        clearTimeout(timer);
        waiting.leavers.delete(probe);
        if (waiting.leavers.size > 0 || bySignal.get(signal) !== waiting) return;
        bySignal.delete(signal);
        signal.removeEventListener('abort', waiting);
      });
    },
  };
};
