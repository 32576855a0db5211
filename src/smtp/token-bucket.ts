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
 * @param perSecond 0 is no limit
 * @param monotonicMs a clock that never goes back
 */
export const createTokenBucket = (perSecond: number, monotonicMs: () => number): TokenBucket => {
  if (perSecond === 0) return { available: () => Number.POSITIVE_INFINITY, take: () => {}, waitMs: () => 0 };
  let tokens = perSecond;
  let filledAt = monotonicMs();
  const fill = (): number => {
    const now = monotonicMs();
    tokens = Math.min(perSecond, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    return tokens;
  };
  return {
    available: () => Math.floor(fill()),
    take: (count) => {
      fill();
      tokens -= count;
    },
    waitMs: () => Math.ceil((Math.max(0, 1 - fill()) / perSecond) * 1000),
  };
};
