/** What one watcher of a job's progress reads: the newest snapshot and nothing else, so that not reading costs that alone. */
import type { ProgressSnapshot } from './types.ts';

/** Whom the hub tells. */
export type Listener = {
  /** `state` is what two snapshots are compared by: one that was given already is not given again. */
  readonly push: (snapshot: ProgressSnapshot, state: string, isLast: boolean) => void;
  /** The job is gone, or the process ends. */
  readonly end: () => void;
};

type Next = (result: IteratorResult<ProgressSnapshot, undefined>) => void;

/** An iterator over the newest snapshot; `onEnd` is called once, however it ends. */
export const createSnapshots = (
  first: ProgressSnapshot,
  firstState: string,
  onEnd: () => void,
): Listener & { readonly iterator: AsyncIterableIterator<ProgressSnapshot> } => {
  let newest: ProgressSnapshot | null = first;
  let newestState = firstState;
  let isLast = first.job.endedAt !== null;
  let isEnded = false;
  // Asked for and not there yet; more than one only when a reader does not wait for its answers.
  let asked: Next[] = [];

  const end = (): void => {
    if (isEnded) return;
    isEnded = true;
    newest = null;
    for (const answer of asked) answer({ value: undefined, done: true });
    asked = [];
    onEnd();
  };
  const iterator: AsyncIterableIterator<ProgressSnapshot> = {
    next() {
      if (newest !== null) {
        const value = newest;
        newest = null;
        if (isLast) end();
        return Promise.resolve({ value, done: false });
      }
      if (isEnded) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve) => asked.push(resolve));
    },
    return() {
      end();
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return {
    iterator,
    end,
    push(snapshot, state, last) {
      if (isEnded || state === newestState) return;
      newestState = state;
      isLast = last;
      const answer = asked.shift();
      if (answer === undefined) newest = snapshot;
      else {
        answer({ value: snapshot, done: false });
        if (last) end();
      }
    },
  };
};
