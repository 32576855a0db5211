/**
 * Results as they settle, in the order of their positions, each exactly once: a cursor into the store that waits where
 * the results end for now. What is read is what was asked for, so a reader that stops costs nothing; when to look
 * again it is told by the hub, whose one read of the job's row serves all watchers.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hub } from './hub.ts';
import type { JobStore } from './ports.ts';
import type { Job, SettledRow } from './types.ts';

/** Results given at a time. */
const batchRows = 500;
const all = { statuses: null, reasons: null, search: null };

export type ResultsWatchOptions = {
  readonly hub: Pick<Hub, 'listen'>;
  readonly store: Pick<JobStore, 'readJob' | 'readResults'>;
};

type Batch = IteratorResult<readonly SettledRow[], undefined>;

const done: Batch = { value: undefined, done: true };

export const createResultsWatch =
  ({ hub, store }: ResultsWatchOptions) =>
  async (
    id: string,
    afterPosition: number,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<readonly SettledRow[]> | null> => {
    const job = await store.readJob(id);
    if (job === null) return null;
    let { settled } = job.counters;
    let isJobEnded = job.endedAt !== null;
    let position = afterPosition;
    let isEnded = false;
    /** Lets the pending read look again. */
    let wake = (): void => undefined;
    let reading: Promise<unknown> = Promise.resolve();

    const learn = (newer: Job): void => {
      settled = newer.counters.settled;
      isJobEnded = newer.endedAt !== null;
      wake();
    };
    const end = (): void => {
      if (isEnded) return;
      isEnded = true;
      leave();
      signal.removeEventListener('abort', end);
      wake();
    };
    const leave = isJobEnded
      ? () => undefined
      : hub.listen(id, { push: (snapshot) => learn(snapshot.job), end });
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();

    const read = async (): Promise<Batch> => {
      while (!isEnded) {
        if (position < settled) {
          const { items } = await store.readResults(id, {
            ...all,
            afterPosition: position,
            limit: batchRows,
          });
          // A reader that is faster than the store shares the event loop with all others.
          await nextTurn();
          if (isEnded) break;
          const last = items.at(-1);
          if (last !== undefined) {
            position = last.position;
            return { value: items, done: false };
          }
          // It was erased under our hands.
          break;
        }
        if (isJobEnded) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      end();
      return done;
    };

    const iterator: AsyncIterableIterator<readonly SettledRow[]> = {
      next() {
        const batch = reading.then(read);
        reading = batch.catch(end);
        return batch;
      },
      return() {
        end();
        return Promise.resolve(done);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  };
