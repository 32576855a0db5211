/**
 * A ceiling on what is out at once. Who comes later waits in line, first come first served; the line has a ceiling
 * too, and a place in it a deadline. A burst of 2,000 questions sent at once lost 1,232 of them in one resolver's
 * receive buffer (measured on loopback), and each loss costs its asker a timeout.
 */
export type Gate = {
  /** Runs the task when there is room. `full`: the line was, or the wait outlasted its deadline, or the signal fired. */
  run<Value>(task: () => Promise<Value>, signal: AbortSignal): Promise<Value | 'full'>;
};

export type GateOptions = {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly waitTimeoutMs: number;
};

export const createGate = ({ maxRunning, maxWaiting, waitTimeoutMs }: GateOptions): Gate => {
  let running = 0;
  /** In the order of coming; a Set, so that one who leaves the line early costs O(1). */
  const waiting = new Set<(entered: boolean) => void>();

  const wait = (signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const leave = (entered: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiting.delete(leave);
        resolve(entered);
      };
      const giveUp = () => leave(false);
      const timer = setTimeout(giveUp, waitTimeoutMs);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.add(leave);
    });

  return {
    async run(task, signal) {
      if (signal.aborted) return 'full';
      if (running >= maxRunning) {
        if (waiting.size >= maxWaiting) return 'full';
        // Whoever leaves hands its place over, so `running` already counts us when we enter.
        if (!(await wait(signal))) return 'full';
      } else running += 1;
      try {
        return await task();
      } finally {
        const [next] = waiting;
        if (next) next(true);
        else running -= 1;
      }
    },
  };
};
