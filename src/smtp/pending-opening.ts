/** Somebody who waits for a session to be ready, and may leave. Settled once; it lets go of the signal then. */
import type { Opening } from './session-end.ts';

export class PendingOpening {
  readonly promise: Promise<Opening>;
  readonly #resolve: (opening: Opening) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal;
  readonly #abort: () => void;

  /** @param hangUp when the signal aborts first, or has */
  constructor(signal: AbortSignal, hangUp: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<Opening>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    this.#abort = () => {
      this.settle({ kind: 'aborted' });
      hangUp();
    };
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  settle(opening: Opening): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#resolve(opening);
  }

  /** A bug of ours. */
  fail(error: unknown): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#reject(error);
  }
}
