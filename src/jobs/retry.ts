/** What becomes of a verified row: settled, or asked again later. */
import { planWaitSeconds, type Verification } from '../verify/index.ts';
import type { WaitingRow } from './types.ts';

export type RowPlan =
  | { readonly kind: 'settle' }
  | ({ readonly kind: 'wait' } & Pick<WaitingRow, 'retryAt' | 'where'>);

/**
 * `schedule` holds the waits before the second, third … try, in milliseconds; `tries` is how often the row waited
 * already. When the schedule is used up the row settles as it is.
 *
 * A greylist remembers who asked, so that the same address asks again. Where an exchange refuses ours, another one asks
 * at once, as long as there are any that it has not refused.
 */
export const planRow = (
  verification: Verification,
  tries: number,
  schedule: readonly number[],
  now: Date,
  otherSources = 0,
): RowPlan => {
  if (verification.reason === 'PROBER_BLOCKED' && otherSources > 0)
    return { kind: 'wait', retryAt: now, where: 'elsewhere' };
  const scheduledMs = schedule[tries];
  const seconds = planWaitSeconds(verification, scheduledMs === undefined ? undefined : scheduledMs / 1_000);
  return seconds === null
    ? { kind: 'settle' }
    : {
        kind: 'wait',
        retryAt: new Date(now.getTime() + Math.round(seconds * 1_000)),
        ...(verification.reason === 'GREYLISTED' ? { where: 'here' } : {}),
      };
};
