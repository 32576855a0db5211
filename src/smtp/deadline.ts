/** One timer that is moved often and fires seldom: moving it costs a clock reading, not a timer. */
export class Deadline {
  readonly #onPassed: () => void;
  /** In whole milliseconds, which cost a session no memory of their own; 0 is never. */
  #dueAt = 0;
  #firesAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /** Ends in so many milliseconds from now, instead of when it would have. */
  move(ms: number): void {
    this.#dueAt = Math.ceil(performance.now() + ms);
    if (this.#timer === undefined || this.#dueAt < this.#firesAt) this.#arm();
  }

  stop(): void {
    this.#dueAt = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#firesAt = this.#dueAt;
    this.#timer = setTimeout(check, Math.max(1, Math.ceil(this.#dueAt - performance.now())), this);
  }

  /** The timer's: it may have come early, since the deadline was moved on meanwhile. */
  pass(): void {
    this.#timer = undefined;
    if (this.#dueAt === 0) return;
    if (this.#dueAt - performance.now() > 0.5) this.#arm();
    else {
      this.#dueAt = 0;
      this.#onPassed();
    }
  }
}

const check = (deadline: Deadline): void => deadline.pass();
