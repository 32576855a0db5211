/** A second's worth of tokens, refilled steadily. No timer of its own: it says how long to wait. */
export type TokenBucket = {
  /** Whole tokens there are now; Infinity without a limit, negative after a debt. */
  readonly available: () => number;
  /** Takes them, into debt if need be: what cannot be split (a batch and its canary) is paid for afterwards. */
  readonly take: (count: number) => void;
  /** Milliseconds until one token is there; 0 when it is. */
  readonly waitMs: () => number;
};

/**
 * @param readPerSecond more than 0, Infinity is no limit; read each time, since it may change: more than a second's
 *   worth of the rate as it is now is not kept. Below one a second, one token is.
 * @param monotonicMs a clock that never goes back
 */
export const createTokenBucket = (readPerSecond: () => number, monotonicMs: () => number): TokenBucket => {
  let tokens = Number.POSITIVE_INFINITY;
  let filledAt = monotonicMs();
  const fill = (): number => {
    const now = monotonicMs();
    const perSecond = readPerSecond();
    tokens =
      perSecond === Number.POSITIVE_INFINITY
        ? perSecond
        : Math.min(Math.max(1, perSecond), tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    return tokens;
  };
  return {
    available: () => Math.floor(fill()),
    take: (count) => {
      tokens = fill() - count;
    },
    waitMs: () => {
      const missing = Math.max(0, 1 - fill());
      return missing === 0 ? 0 : Math.ceil((missing / readPerSecond()) * 1000);
    },
  };
};
