/**
 * How fast a lane may ask and over how many sessions: the settings, or less after it was told to slow down.
 *
 * Additive increase, multiplicative decrease, as congestion control does it: each "slow down" halves both, at most
 * once in HALVE_AT_MOST_EVERY_MS (a pipelined batch is told so eight times in one breath); then a fortieth of the
 * ceiling comes back every RECOVERY_STEP_MS, and a session every RECOVERY_STEPS_PER_SESSION of these, until nothing
 * is held back any more. No timer: it is worked out when somebody looks.
 */
import {
  ASSUMED_PROBES_PER_SECOND,
  HALVE_AT_MOST_EVERY_MS,
  MIN_PROBES_PER_SECOND,
  RECOVERY_STEP_MS,
  RECOVERY_STEPS,
  RECOVERY_STEPS_PER_SESSION,
} from './limits.ts';

/** Looked at each time: what other processes do changes the limits. */
export type BackOffOptions = {
  /** Infinity is no limit. */
  readonly probesPerSecond: number;
  readonly sessions: number;
  readonly now: () => number;
};

export class BackOff {
  readonly #options: BackOffOptions;
  #slowed: { readonly rate: number; readonly sessions: number; readonly at: number } | null = null;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Where recovery ends, and the limit is what the setting says: that limit, or where there is none, one assumed. */
  get #ceiling(): number {
    const { probesPerSecond } = this.#options;
    return Number.isFinite(probesPerSecond) ? probesPerSecond : ASSUMED_PROBES_PER_SECOND;
  }

  /** Infinity is no limit. */
  get probesPerSecond(): number {
    return this.#read().rate;
  }
  get sessions(): number {
    return this.#read().sessions;
  }

  /** @returns whether it went as slowly as it can already, so that only stopping is left */
  slowDown(): boolean {
    const { now } = this.#options;
    if (this.#slowed && Math.abs(now() - this.#slowed.at) < HALVE_AT_MOST_EVERY_MS) return false;
    const { rate, sessions } = this.#read();
    const floor = Math.min(MIN_PROBES_PER_SECOND, this.#ceiling);
    this.#slowed = {
      rate: Math.max(floor, Math.min(rate, this.#ceiling) / 2),
      sessions: Math.max(1, Math.floor(sessions / 2)),
      at: now(),
    };
    return rate <= floor;
  }

  #read(): { readonly rate: number; readonly sessions: number } {
    const { probesPerSecond, sessions, now } = this.#options;
    if (!this.#slowed) return { rate: probesPerSecond, sessions };
    const steps = Math.floor(Math.max(0, now() - this.#slowed.at) / RECOVERY_STEP_MS);
    const rate = this.#slowed.rate + (steps * this.#ceiling) / RECOVERY_STEPS;
    return {
      rate: rate >= this.#ceiling ? probesPerSecond : rate,
      sessions: Math.min(sessions, this.#slowed.sessions + Math.floor(steps / RECOVERY_STEPS_PER_SESSION)),
    };
  }
}
