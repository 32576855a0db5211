/**
 * Whether it is worth connecting at all. Without it, each chunk of a list with a dead domain would wait for the same
 * SYNs again.
 *
 *   CLOSED     connections are opened as needed. BREAKER_FAILURES openings in a row without a connection: OPEN.
 *   OPEN       nobody connects, for BREAKER_OPEN_MS, doubled with each trial that failed up to BREAKER_MAX_OPEN_MS.
 *   HALF_OPEN  that time is over: one trial. Connected: CLOSED, and all is forgotten. Not: OPEN for longer.
 *
 * Being refused in words is a connection: the host is there.
 */
import { BREAKER_FAILURES, BREAKER_MAX_OPEN_MS, BREAKER_OPEN_MS } from './limits.ts';

export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #until = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get state(): 'CLOSED' | 'OPEN' | 'HALF_OPEN' {
    if (this.#failures < BREAKER_FAILURES) return 'CLOSED';
    return this.#now() < this.#until ? 'OPEN' : 'HALF_OPEN';
  }

  /** Epoch milliseconds at which a trial may be made; in the past unless it is OPEN. */
  get until(): number {
    return this.#until;
  }

  failed(): void {
    this.#failures++;
    const trials = Math.max(0, this.#failures - BREAKER_FAILURES);
    this.#until = this.#now() + Math.min(BREAKER_MAX_OPEN_MS, BREAKER_OPEN_MS * 2 ** Math.min(trials, 20));
  }

  connected(): void {
    this.#failures = 0;
  }
}
