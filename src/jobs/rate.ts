/** How fast jobs move: rows settled per second over the last ten seconds, from what was seen of their counters. */
import type { Job } from './types.ts';

const windowMs = 10_000;
/** Samples closer together than this replace each other: forty a job are enough for ten seconds. */
const grainMs = 250;
/** A rate over less than this says more about the timer than about the job. */
const shortestMs = 1_000;
/** Jobs whose pace is remembered; past it the one not seen for longest is forgotten. */
const mostJobs = 1_000;

type Sample = { readonly at: number; readonly settled: number };

export type RateMeter = {
  /** Takes note of the job's counters and gives its rate, in rows per second. */
  readonly observe: (job: Job, now: Date) => number;
};

export const createRateMeter = (): RateMeter => {
  const jobs = new Map<string, Sample[]>();

  const samplesOf = (job: Job): Sample[] => {
    const samples =
      jobs.get(job.id) ?? (job.startedAt === null ? [] : [{ at: job.startedAt.getTime(), settled: 0 }]);
    jobs.delete(job.id);
    jobs.set(job.id, samples);
    for (const [oldest] of jobs) {
      if (jobs.size <= mostJobs) break;
      jobs.delete(oldest);
    }
    return samples;
  };

  return {
    observe(job, now) {
      if (job.endedAt !== null) {
        jobs.delete(job.id);
        return 0;
      }
      const at = now.getTime();
      const { settled } = job.counters;
      const samples = samplesOf(job);
      // A clock that was set back makes the future of the past: begin anew.
      if (samples.some((sample) => sample.at > at)) samples.length = 0;
      const before = samples.at(-2);
      if (before !== undefined && at - before.at < grainMs) samples.pop();
      samples.push({ at, settled });
      while (samples.length > 2 && (samples[1]?.at ?? at) <= at - windowMs) samples.shift();
      const first = samples[0];
      if (first === undefined || settled <= first.settled) return 0;
      return (settled - first.settled) / (Math.max(at - first.at, shortestMs) / 1_000);
    },
  };
};
