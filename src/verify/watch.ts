/**
 * One verification as a stream: each stage as it happens, then the verdict. With `waitForRetry` it waits where it was
 * told to come back and asks again, until there is a final verdict or the schedule ends.
 */
import type { ParsedAddress } from '../address/index.ts';
import { createEventQueue } from './event-queue.ts';
import { planRetry } from './retry.ts';
import type { Verification, VerifyOptions, WatchEvent, WatchOptions } from './types.ts';

/** A conversation has about ten stages. The runaway: ten thousand readers that never read. */
const mostEvents = 32;
/**
 * Watchers that wait for a retry at once, each with a timer of up to a day. The runaway: a client that watches a whole
 * list of greylisted addresses. Past it a watcher gets the verdict so far, which says when to come back.
 */
const mostWaiting = 10_000;

/** A stage without what only some of them have. */
export type Stage = Pick<WatchEvent, 'stage' | 'message'> & Partial<WatchEvent>;

export type WatchPorts = {
  readonly verify: (
    address: ParsedAddress,
    options: VerifyOptions,
    observe: (stage: Stage) => void,
  ) => Promise<Verification>;
  readonly scheduleSeconds: readonly number[];
  readonly now: () => number;
  /** Rejects when the signal comes first. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

const left = new DOMException('The watcher left.', 'AbortError');

export const createWatch = ({ verify, scheduleSeconds, now, wait, onError }: WatchPorts) => {
  let waiting = 0;

  const follow = async (
    address: ParsedAddress,
    { waitForRetry, maxAgeSeconds, owner = null }: WatchOptions,
    signal: AbortSignal,
    tell: (stage: Stage) => void,
  ): Promise<void> => {
    const first = maxAgeSeconds === undefined ? {} : { maxAgeSeconds };
    for (let tries = 0; ; tries += 1) {
      const age = tries === 0 ? first : { maxAgeSeconds: 0 };
      const verification = await verify(address, { priority: 'interactive', owner, signal, ...age }, tell);
      if (signal.aborted) return;
      const retryAt = waitForRetry ? planRetry(verification, tries, scheduleSeconds) : null;
      if (retryAt === null || waiting >= mostWaiting)
        return tell({ stage: 'VERDICT', message: verification.summary, verification });
      const ms = Math.max(0, retryAt.getTime() - now());
      tell({
        stage: 'WAITING',
        message: `told to come back: asked again in ${Math.ceil(ms / 1_000)} s`,
        verification: { ...verification, retryAt },
      });
      waiting += 1;
      try {
        await wait(ms, signal);
      } finally {
        waiting -= 1;
      }
    }
  };

  return (address: ParsedAddress, options: WatchOptions): AsyncIterableIterator<WatchEvent, undefined> => {
    const leaving = new AbortController();
    const queue = createEventQueue<WatchEvent>(mostEvents, () => leaving.abort(left));
    const signal = AbortSignal.any([options.signal, leaving.signal]);
    if (signal.aborted) queue.end();
    else {
      signal.addEventListener('abort', () => queue.end(), { once: true });
      follow(address, options, signal, (stage) =>
        queue.push({ at: new Date(now()), exchange: null, reply: null, verification: null, ...stage }),
      )
        .catch((error: unknown) => {
          if (!signal.aborted) onError(error);
        })
        .finally(() => queue.finish());
    }
    return queue.iterator;
  };
};
