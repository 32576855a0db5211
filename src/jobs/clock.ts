/**
 * Time that never runs backwards within the process, so that a clock that is set back keeps no waiting row waiting for
 * longer than it was told, and no job ends before it began. Where the clock falls behind, time goes on at the pace of
 * the monotonic clock; where it jumps ahead, time follows, and what waits is asked early.
 */
export const createSteadyClock = (now: () => Date): (() => Date) => {
  let last = now().getTime();
  let at = performance.now();
  return () => {
    const passed = performance.now() - at;
    at += passed;
    last = Math.max(now().getTime(), last + passed);
    return new Date(last);
  };
};
