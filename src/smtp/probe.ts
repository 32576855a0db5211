/** One question that somebody waits for: an address, or a domain's catch-all alone. Answered exactly once. */
import type { DomainName, EmailAddress } from '../address/index.ts';
import type { Outcome } from './outcome.ts';
import type { CatchAllFinding, Priority, ProbeEvent, ProbeEvidence } from './types.ts';

export type Question = {
  /** Null when only the made-up mailbox is asked. */
  readonly address: EmailAddress | null;
  readonly domain: DomainName;
  readonly providerId: string | null;
  readonly priority: Priority;
  readonly observe?: ((event: ProbeEvent) => void) | undefined;
};

/** What the asker gets; either half may be of no interest to it. */
export type Answer = { readonly evidence: ProbeEvidence; readonly finding: CatchAllFinding };

export class Probe {
  readonly question: Question;
  readonly answer: Promise<Answer>;
  /** Sessions that ended, or transactions that were full, before this one was answered. */
  tries = 0;
  /** The exchange took the mailbox; the made-up one is still to be asked. */
  acceptance: Outcome | null = null;
  /** While it is being asked: what there would be to show if the asker left now. */
  describe: (() => Outcome) | null = null;

  readonly #startedAt: number;
  readonly #now: () => number;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #isSettled = false;
  #answered: (() => void) | null = null;

  constructor(question: Question, now: () => number) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.question = question;
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#now = now;
    this.#startedAt = now();
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get isWatched(): boolean {
    return this.question.observe !== undefined;
  }

  /** Is it not asked yet, so that what the lane does is done for it? */
  get isWaiting(): boolean {
    return !this.#isSettled && this.acceptance === null && this.describe === null;
  }

  /** Calls back once when it is answered: in that turn, and without a promise for each who waits. */
  whenAnswered(callback: () => void): void {
    const earlier = this.#answered;
    if (this.#isSettled) callback();
    else
      this.#answered = earlier
        ? () => {
            earlier();
            callback();
          }
        : callback;
  }

  #settled(): void {
    this.#isSettled = true;
    this.#answered?.();
    this.#answered = null;
  }

  /** One stage, told to who watches; a watcher that throws fails its own question and nobody else's. */
  tell(event: Omit<ProbeEvent, 'at'> & { readonly at?: Date }): void {
    const { observe } = this.question;
    if (!observe || this.#isSettled) return;
    try {
      observe({ ...event, at: event.at ?? new Date(this.#now()) });
    } catch (error) {
      this.fail(error);
    }
  }

  settle(outcome: Outcome, catchAll: CatchAllFinding | null): void {
    if (this.#isSettled) return;
    this.#settled();
    const now = this.#now();
    this.#resolve({
      evidence: {
        ...outcome,
        catchAll,
        startedAt: new Date(this.#startedAt),
        durationMs: Math.max(0, now - this.#startedAt),
      },
      finding: catchAll ?? { answer: 'UNKNOWN', reply: outcome.reply, checkedAt: new Date(now) },
    });
  }

  /** A bug of ours: fails this one question. */
  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settled();
    this.#reject(error);
  }
}
