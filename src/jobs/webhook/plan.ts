/** What becomes of a delivery after an attempt. Decides and does nothing. */
import type { PostOutcome } from './post.ts';

export type AttemptPlan = {
  readonly status: number | null;
  /** One sentence when it failed. */
  readonly error: string | null;
  readonly outcome: 'DELIVERED' | 'FAILED' | { readonly waitMs: number };
};

const minute = 60_000;
const hour = 60 * minute;
/** Before the second, third … attempt: eleven in a day. A receiver that is back within it hears of everything. */
const retryDelaysMs: readonly number[] = [
  5_000,
  30_000,
  2 * minute,
  10 * minute,
  30 * minute,
  1 * hour,
  2 * hour,
  4 * hour,
  8 * hour,
  8 * hour,
];
/** Drawn to either side of a delay, so that those who failed together do not come back together. */
const jitter = 0.1;
/** A receiver that asks to be left alone for a year must not keep a delivery for a year. */
const longestRetryAfterMs = 8 * hour;

/**
 * 2xx is delivered; 410 says that nobody wants it (Standard Webhooks). Everything else is tried again, the other 4xx
 * too: a 401 is a secret that is being changed, a 404 a receiver that is being deployed, and a day of it costs eleven
 * requests. A redirect is not followed: it would send what is signed for one place to another, past the check of the URL.
 * `attempts` are those that were made, this one included; `random` gives from 0 up to, not including, 1.
 */
export const planAttempt = (
  post: Exclude<PostOutcome, { kind: 'aborted' }>,
  { attempts, now, random }: { readonly attempts: number; readonly now: Date; readonly random: () => number },
): AttemptPlan => {
  const status = post.kind === 'response' ? post.status : null;
  if (status !== null && status >= 200 && status < 300) return { status, error: null, outcome: 'DELIVERED' };
  const error = post.kind === 'response' ? describeStatus(post.status) : post.problem;
  const delayMs = retryDelaysMs[attempts - 1];
  if (status === 410 || delayMs === undefined) return { status, error, outcome: 'FAILED' };
  const askedMs = post.kind === 'response' ? readRetryAfter(post.retryAfter, now) : 0;
  const drawnMs = Math.round(delayMs * (1 - jitter + 2 * jitter * random()));
  return { status, error, outcome: { waitMs: Math.max(drawnMs, Math.min(askedMs, longestRetryAfterMs)) } };
};

const describeStatus = (status: number): string => {
  if (status === 410) return 'The receiver answered 410: it wants no more of it.';
  if (status >= 300 && status < 400)
    return `The receiver answered ${status}: redirects are not followed, the URL must be the final one.`;
  return `The receiver answered ${status}.`;
};

/** RFC 9110 §10.2.3: seconds, or a date; 0 for what is neither. */
const readRetryAfter = (text: string | null, now: Date): number => {
  if (text === null) return 0;
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1_000;
  const at = / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, at - now.getTime());
};
