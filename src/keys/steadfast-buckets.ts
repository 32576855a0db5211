import type { BucketLevel, BucketStore, Draught } from './ports.ts';

/** A person does not notice it; a request that waits longer for its bucket than for its answer would be absurd. */
const usualDeadlineMs = 300;
/** A database that is away is one fault, whoever asks meanwhile. */
const sayEveryMs = 10_000;

/**
 * Buckets that others share, as long as they can be drawn from in time; in trouble those of this process, so that
 * limits hold still, if for each process by itself. While there is trouble one draw at a time tries the shared ones: no
 * crowd waits for a database that is away, nor falls upon it when it comes back.
 * @param onError told of the trouble at most once in 10 s
 */
export const steadfastBuckets = (
  shared: BucketStore,
  local: BucketStore,
  onError: (error: unknown) => void,
  {
    deadlineMs = usualDeadlineMs,
    now = () => performance.now(),
  }: {
    readonly deadlineMs?: number;
    /** Milliseconds of a clock that never goes back. */
    readonly now?: () => number;
  } = {},
): BucketStore => {
  let isInTrouble = false;
  let isTried = false;
  let saidAt = Number.NEGATIVE_INFINITY;

  /** Rejects when it is late; what it says after that is not listened to. */
  const drawInTime = (name: string, draught: Draught): Promise<BucketLevel> => {
    const { promise, resolve, reject } = Promise.withResolvers<BucketLevel>();
    const timer = setTimeout(
      () => reject(new Error(`no bucket could be drawn from within ${deadlineMs} ms`)),
      deadlineMs,
    );
    shared.draw(name, draught).then(resolve, reject);
    return promise.finally(() => clearTimeout(timer));
  };

  const say = (error: unknown): void => {
    if (now() - saidAt < sayEveryMs) return;
    saidAt = now();
    onError(error);
  };

  return {
    async draw(name, draught) {
      if (isInTrouble && isTried) return local.draw(name, draught);
      isTried = true;
      try {
        const level = await drawInTime(name, draught);
        isInTrouble = false;
        return level;
      } catch (error) {
        isInTrouble = true;
        say(error);
        return local.draw(name, draught);
      } finally {
        isTried = false;
      }
    },
  };
};
