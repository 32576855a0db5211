/** When an address that was put off is asked again. */
import type { Reason } from '../verdict/index.ts';
import type { Verification } from './types.ts';

/** The refusals that time alone may turn into an answer. */
const passing: ReadonlySet<Reason> = new Set(['GREYLISTED', 'RATE_LIMITED', 'TEMPORARY_FAILURE']);
/** A server may ask for more patience than our schedule, but not for more than a day. */
const longestWaitSeconds = 86_400;

/**
 * Null when asking again tells no more, or the schedule is used up. The server's stated delay wins when it is longer
 * than the schedule's.
 * @param tries how often it was asked again already
 */
export const planRetry = (
  { reason, retryAt, checkedAt, evidence }: Verification,
  tries: number,
  scheduleSeconds: readonly number[],
): Date | null => {
  const scheduled = scheduleSeconds[tries];
  if (scheduled === undefined || retryAt === null || !passing.has(reason)) return null;
  const stated = evidence.kind === 'probe' ? (evidence.probe.meaning?.retryAfterSeconds ?? 0) : 0;
  const seconds = Math.min(Math.max(scheduled, stated), longestWaitSeconds);
  return new Date(checkedAt.getTime() + seconds * 1_000);
};
