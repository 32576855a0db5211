/** One delivery that was taken: an attempt at it, and the note of what came of that. */
import { insist } from '../patience.ts';
import type { DueDelivery, WebhookStore } from '../ports.ts';
import { printPayload } from './payload.ts';
import { type AttemptPlan, planAttempt } from './plan.ts';
import { type PostOptions, postWebhook } from './post.ts';
import { signAttempt } from './signature.ts';

export type DeliverOptions = {
  readonly store: Pick<WebhookStore, 'listDeliveries' | 'noteAttempt'>;
  readonly post: PostOptions;
  readonly printJobId: (jobId: string) => string;
  /** What the receiver's clock is compared with. */
  readonly now: () => Date;
  /** When attempts are made; it never runs backwards. */
  readonly steadyNow: () => Date;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
};

export type DeliverSignals = {
  /** Cuts an attempt off, which then counts as not made. */
  readonly cut: AbortSignal;
  /** Ends what is tried with a store in trouble; the lease ends by itself, and the delivery is made again. */
  readonly giveUp: AbortSignal;
};

/** More than a job has events: nine tenths and its end. */
const mostEvents = 20;

export const deliver = async (
  delivery: DueDelivery,
  { store, post, printJobId, now, steadyNow, random, onError }: DeliverOptions,
  { cut, giveUp }: DeliverSignals,
): Promise<void> => {
  const { id, jobId, event, url, secret } = delivery;
  const listEvents = async () =>
    (await store.listDeliveries(jobId, { limit: mostEvents, afterId: null })).items;

  const attempt = async (): Promise<AttemptPlan | null> => {
    const events = await listEvents();
    if (events.some(({ attempts }) => attempts.at(-1)?.status === 410))
      return { status: null, error: 'The receiver answered 410 to an earlier event.', outcome: 'FAILED' };
    const attempts = delivery.attempts.length + 1;
    try {
      const body = printPayload(delivery, printJobId);
      const outcome = await postWebhook(url, signAttempt(secret, id, now(), body), body, post, cut);
      return outcome.kind === 'aborted' ? null : planAttempt(outcome, { attempts, now: now(), random });
    } catch (error) {
      // A bug: counted like a failed attempt, or this one would be taken for ever.
      onError(error);
      const problem = 'The gateway could not make the attempt.';
      return planAttempt({ kind: 'problem', problem }, { attempts, now: now(), random });
    }
  };

  const at = steadyNow();
  const startedAt = performance.now();
  const plan = await attempt();
  if (plan === null) return;
  const durationMs = Math.round(performance.now() - startedAt);
  const endedAt = steadyNow();
  const note = async (): Promise<void> => {
    const { status, error, outcome } = plan;
    // Where a job stood is of no use once something newer is to be told, and would hold that up.
    const isStale =
      typeof outcome === 'object' && event === 'bulk_job.progressed' && (await listEvents())[0]?.id !== id;
    await store.noteAttempt(
      id,
      { at, durationMs, status, error },
      isStale
        ? 'FAILED'
        : typeof outcome === 'object'
          ? { retryAt: new Date(endedAt.getTime() + outcome.waitMs) }
          : outcome,
    );
  };
  await insist(note, giveUp, onError);
};
