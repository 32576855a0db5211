/** Rounds of work, one at a time: at once when there may be something to do, and else when the next of it is due. */

/** Covers clocks that jump and what other processes write. */
export const longestSleepMs = 5_000;

export type RoundsOptions = {
  /** Takes what there is to take. */
  readonly take: () => Promise<void>;
  /** Asked after each round: milliseconds until something may be due. */
  readonly sleepMs: () => Promise<number>;
  /** Does the process live on for the sake of the next round? */
  readonly keepsAlive: boolean;
  /** A round that fails is made again after the longest sleep. */
  readonly onError: (error: unknown) => void;
};

export type Rounds = {
  readonly isClosed: boolean;
  /** There may be something to take. */
  wake(): void;
  /** Resolves when the round under way has ended; there is none after it. */
  close(): Promise<void>;
};

/** Sleeps until it is woken for the first time. */
export const createRounds = ({ take, sleepMs, keepsAlive, onError }: RoundsOptions): Rounds => {
  let isClosed = false;
  let isWanted = false;
  let timer: NodeJS.Timeout | null = null;
  let round: Promise<void> | null = null;

  const goRound = async (): Promise<void> => {
    let delayMs = longestSleepMs;
    try {
      do {
        isWanted = false;
        await take();
      } while (isWanted && !isClosed);
      delayMs = await sleepMs();
    } catch (error) {
      onError(error);
    }
    round = null;
    if (isClosed) return;
    if (isWanted) wake();
    else {
      timer = setTimeout(wake, delayMs);
      if (!keepsAlive) timer.unref();
    }
  };

  const wake = (): void => {
    if (isClosed) return;
    isWanted = true;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    round ??= goRound();
  };

  return {
    get isClosed() {
      return isClosed;
    },
    wake,
    async close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      await round;
    },
  };
};
