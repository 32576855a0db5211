/** What a job's counters and its rate say about how far it is. */
import type { Job, Progress } from './types.ts';

/** The rate to one decimal; a paused job has none, however fast it was a moment ago. */
export const progressOf = ({ counters, nextRetryAt, endedAt, state }: Job, rate: number): Progress => {
  const perSecond = state === 'PAUSED' ? 0 : rate;
  // Waiting rows move by their own clock: the rate says nothing about them.
  const active = counters.total - counters.settled - counters.waiting;
  const secondsLeft =
    endedAt !== null ? 0 : active <= 0 || perSecond <= 0 ? null : Math.ceil(active / perSecond);
  return { ...counters, perSecond: Math.round(perSecond * 10) / 10, secondsLeft, nextRetryAt };
};
