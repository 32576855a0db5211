/** Rings once at the earliest of the times that it was set to; then it may be set again. Stopped, it never rings. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ringsAt = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  ringIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#ringsAt <= at) return;
    clearTimeout(this.#timer);
    this.#ringsAt = at;
    this.#timer = setTimeout(
      () => {
        this.#ringsAt = Number.POSITIVE_INFINITY;
        this.#ring();
      },
      Math.max(1, ms),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ringsAt = Number.NEGATIVE_INFINITY;
  }
}
