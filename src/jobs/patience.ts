/** Waiting that can be cut short, and asking a store again that is in trouble. */
import type { StoreTrouble } from './ports.ts';

/** First and longest pause between two attempts at a store in trouble: soon for a busy file, rarely for a full disk. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** Attempts at something that waiting does not help: more would only repeat a bug. */
const mostAttemptsInVain = 3;

/** Is it a store's trouble that waiting may help? */
export const isPassing = (error: unknown): boolean =>
  (error as Partial<StoreTrouble> | null)?.isPassing === true;

/** Resolves after `delayMs`, or at once when the signal says so. */
export const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener('abort', end, { once: true });
  });

/**
 * Does `work` until it succeeds, with growing pauses, for as long as the trouble may pass and `giveUp` is silent.
 * Gives null when it gave up. Each failure is told to `onError`.
 */
export const insist = async <Result>(
  work: () => Promise<Result>,
  giveUp: AbortSignal,
  onError: (error: unknown) => void,
): Promise<Result | null> => {
  for (
    let attempt = 1, pauseMs = firstPauseMs;
    ;
    attempt += 1, pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  ) {
    try {
      return await work();
    } catch (error) {
      onError(error);
      if (giveUp.aborted || (!isPassing(error) && attempt >= mostAttemptsInVain)) return null;
      await pause(pauseMs, giveUp);
    }
  }
};
