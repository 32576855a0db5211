/** What becomes of a verified row: settled, or asked again later. */
import type { Reason } from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';

/** The refusals that time alone may turn into an answer. */
const passing: ReadonlySet<Reason> = new Set(['GREYLISTED', 'RATE_LIMITED', 'TEMPORARY_FAILURE']);
/** A server may ask for more patience than our schedule, but not for more than a day. */
const longestWaitMs = 86_400_000;

export type RowPlan = { readonly kind: 'settle' } | { readonly kind: 'wait'; readonly retryAt: Date };

/** The delay that the server itself stated, which a general `retryAt` does not tell from a default of ours. */
const statedWaitMs = ({ evidence }: Verification): number =>
  evidence.kind === 'probe' ? (evidence.probe.meaning?.retryAfterSeconds ?? 0) * 1_000 : 0;

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
  const waitMs = schedule[tries];
  if (waitMs === undefined || verification.retryAt === null || !passing.has(verification.reason))
    return { kind: 'settle' };
  const patienceMs = Math.min(Math.max(waitMs, statedWaitMs(verification)), longestWaitMs);
  return { kind: 'wait', retryAt: new Date(now.getTime() + patienceMs) };
};
