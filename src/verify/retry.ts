/** When an address that was put off is asked again. */
import type { Reason } from '../verdict/index.ts';
import type { Verification } from './types.ts';

/** The refusals that time alone may turn into an answer. */
const passing: ReadonlySet<Reason> = new Set(['GREYLISTED', 'RATE_LIMITED', 'TEMPORARY_FAILURE']);
/** A server may ask for more patience than our schedule, but not for more than a day. */
const longestWaitSeconds = 86_400;

/**
 * Seconds to wait before asking again: the schedule's, or the server's stated delay when that is longer. Null when
 * asking again tells no more, or the schedule is used up.
 * @param scheduledSeconds the schedule's wait before this try; undefined when there is none left
 */
export const planWaitSeconds = (
  { reason, retryAt, evidence }: Verification,
  scheduledSeconds: number | undefined,
): number | null => {
  if (scheduledSeconds === undefined || retryAt === null || !passing.has(reason)) return null;
  // A general `retryAt` does not tell what the server stated from a default of ours.
  const stated = evidence.kind === 'probe' ? (evidence.probe.meaning?.retryAfterSeconds ?? 0) : 0;
  return Math.min(Math.max(scheduledSeconds, stated), longestWaitSeconds);
};

/**
 * When it is asked again, counted from when it was asked; null as above.
 * @param tries how often it was asked again already
 */
export const planRetry = (
  verification: Verification,
  tries: number,
  scheduleSeconds: readonly number[],
): Date | null => {
  const seconds = planWaitSeconds(verification, scheduleSeconds[tries]);
  return seconds === null ? null : new Date(verification.checkedAt.getTime() + seconds * 1_000);
};
