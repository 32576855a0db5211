/** What becomes of a verified row: settled, or asked again later. */
import { planWaitSeconds, type Verification } from '../verify/index.ts';

export type RowPlan = { readonly kind: 'settle' } | { readonly kind: 'wait'; readonly retryAt: Date };

/**
 * `schedule` holds the waits before the second, third … try, in milliseconds; `tries` is how often the row waited
 * already. When the schedule is used up the row settles as it is.
 */
export const planRow = (
  verification: Verification,
  tries: number,
  schedule: readonly number[],
  now: Date,
): RowPlan => {
  const scheduledMs = schedule[tries];
  const seconds = planWaitSeconds(verification, scheduledMs === undefined ? undefined : scheduledMs / 1_000);
  return seconds === null
    ? { kind: 'settle' }
    : { kind: 'wait', retryAt: new Date(now.getTime() + Math.round(seconds * 1_000)) };
};
