/** One timer that is moved often and fires seldom: moving it costs a clock reading, not a timer. */
export type Deadline = {
  /** Ends in so many milliseconds from now, instead of when it would have. */
  readonly move: (ms: number) => void;
  readonly stop: () => void;
};

export const createDeadline = (onPassed: () => void): Deadline => {
  let dueAt = Number.POSITIVE_INFINITY;
  let firesAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const arm = (): void => {
    clearTimeout(timer);
    firesAt = dueAt;
    timer = setTimeout(check, Math.max(1, Math.ceil(dueAt - performance.now())));
  };
  const check = (): void => {
    timer = undefined;
    firesAt = Number.POSITIVE_INFINITY;
    if (dueAt === Number.POSITIVE_INFINITY) return;
    if (dueAt - performance.now() > 0.5) arm();
    else {
      dueAt = Number.POSITIVE_INFINITY;
      onPassed();
    }
  };
  return {
    move(ms) {
      dueAt = performance.now() + ms;
      if (timer === undefined || dueAt < firesAt) arm();
    },
    stop() {
      dueAt = Number.POSITIVE_INFINITY;
      clearTimeout(timer);
      timer = undefined;
    },
  };
};
