/** A second's worth of tokens, refilled steadily. No timer of its own: it says how long to wait. */
export type TokenBucket = {
  /** Whole tokens there are now; Infinity without a limit, negative after a debt. */
  available(): number;
  /** Takes them, into debt if need be: what cannot be split (a batch and its canary) is paid for afterwards. */
  take(count: number): void;
  /** Milliseconds until one token is there; 0 when it is. */
  waitMs(): number;
};

class Bucket implements TokenBucket {
  readonly #readPerSecond: () => number;
  readonly #monotonicMs: () => number;
  readonly #readFirst: () => number;
  /** Null until somebody looks. */
  #tokens: number | null = null;
  #filledAt: number;

  constructor(readPerSecond: () => number, monotonicMs: () => number, readFirst: () => number) {
    this.#readPerSecond = readPerSecond;
    this.#readFirst = readFirst;
    this.#monotonicMs = monotonicMs;
    this.#filledAt = monotonicMs();
  }

  available(): number {
    return Math.floor(this.#fill());
  }

  take(count: number): void {
    this.#tokens = this.#fill() - count;
  }

  waitMs(): number {
    const missing = Math.max(0, 1 - this.#fill());
    return missing === 0 ? 0 : Math.ceil((missing / this.#readPerSecond()) * 1000);
  }

  #fill(): number {
    const now = this.#monotonicMs();
    const perSecond = this.#readPerSecond();
    const kept =
      this.#tokens === null ? this.#readFirst() : this.#tokens + ((now - this.#filledAt) / 1000) * perSecond;
    const tokens =
      perSecond === Number.POSITIVE_INFINITY ? perSecond : Math.min(Math.max(1, perSecond), kept);
    this.#tokens = tokens;
    this.#filledAt = now;
    return tokens;
  }
}

/**
 * @param readPerSecond more than 0, Infinity is no limit; read each time, since it may change: more than a second's
 *   worth of the rate as it is now is not kept. Below one a second, one token is.
 * @param monotonicMs a clock that never goes back
 * @param readFirst tokens that are there when it is looked at first, at most a second's worth, which is the default
 */
export const createTokenBucket = (
  readPerSecond: () => number,
  monotonicMs: () => number,
  readFirst: () => number = () => Number.POSITIVE_INFINITY,
): TokenBucket => new Bucket(readPerSecond, monotonicMs, readFirst);
