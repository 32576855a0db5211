/** The port `verify` as a table, and time as the test tells it. */
import { expect, vi } from 'vitest';
import type { ParsedAddress } from '../../src/address/index.ts';
import {
  createJobs,
  type Job,
  type JobStore,
  type Jobs,
  type JobsOptions,
  type StartJob,
} from '../../src/jobs/index.ts';
import type { Reason } from '../../src/verdict/index.ts';
import type { Verification, VerifyOptions } from '../../src/verify/index.ts';
import { inlineList } from './inputs.ts';
import { textOf, verdictOf } from './verdicts.ts';

type Ask = { readonly text: string; readonly at: number; readonly options: VerifyOptions };

/** Answers as `answer` says and writes down what it was asked; an address that is none gets INVALID_SYNTAX. */
export const fakeVerify = (
  answer: (text: string, asked: number, options: VerifyOptions) => Promise<Reason> | Reason,
) => {
  const asks: Ask[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const verify = async (address: ParsedAddress, options: VerifyOptions): Promise<Verification> => {
    const text = textOf(address);
    const asked = asks.filter((ask) => ask.text === text).length;
    asks.push({ text, at: Date.now(), options });
    if (address.kind === 'fault') return verdictOf(address, 'INVALID_SYNTAX');
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    try {
      const reason = await answer(text, asked, options);
      return verdictOf(address, reason, new Date(Date.now() + 1_000));
    } finally {
      underWay -= 1;
    }
  };
  return {
    verify,
    asks,
    get mostUnderWay() {
      return mostUnderWay;
    },
  };
};

export const openJobs = (store: JobStore, over: Partial<JobsOptions> & Pick<JobsOptions, 'verify'>) => {
  const errors: unknown[] = [];
  const jobs = createJobs({
    store,
    uploads: null,
    webhooks: null,
    now: () => new Date(),
    retentionMs: 30 * 86_400_000,
    retrySchedule: [],
    onError: (error) => errors.push(error),
    ...over,
  });
  return { jobs, errors };
};

export const startJob = async (
  jobs: Jobs,
  list: Iterable<string> | AsyncIterable<string>,
  over: Partial<StartJob> = {},
): Promise<Job> => {
  const outcome = await jobs.start(inlineList(list, over));
  if (outcome.kind !== 'started') throw new Error(`not started: ${outcome.kind}`);
  return outcome.job;
};

export const readJob = async (jobs: Pick<Jobs, 'read'>, id: string): Promise<Job> => {
  const job = await jobs.read(id);
  if (job === null) throw new Error('the job is gone');
  return job;
};

/** Lets time pass in steps until the condition holds; fails when it does not within `atMostMs` of that time. */
export const passUntil = async (
  holds: () => Promise<boolean> | boolean,
  atMostMs = 60_000,
  stepMs = 10,
): Promise<void> => {
  const until = Date.now() + atMostMs;
  while (!(await holds())) {
    expect(Date.now(), 'the time it may take').toBeLessThan(until);
    await vi.advanceTimersByTimeAsync(stepMs);
  }
};

export const untilEnded = (
  jobs: Pick<Jobs, 'read'>,
  id: string,
  atMostMs?: number,
  stepMs?: number,
): Promise<void> => passUntil(async () => (await readJob(jobs, id)).endedAt !== null, atMostMs, stepMs);

export const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
