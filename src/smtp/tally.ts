/**
 * What one session has seen so far: transactions, answers, refusals, and when the last reply came. From that follows
 * how many more recipients it bears and when it is to be left, and from how it ends what its exchange bears.
 */
import type { LaneMemory } from './lane-memory.ts';
import { BACKLOG_PER_SESSION, RETIRE_AFTER_OCTETS, type Timeouts } from './limits.ts';
import type { Capabilities } from './protocol/index.ts';
import type { SessionEnd } from './session.ts';

export type TallyLane = {
  readonly memory: LaneMemory;
  readonly timeouts: Timeouts;
  readonly queue: { readonly size: number };
  /** Do other lanes wait for a session, with none left in all? */
  readonly isCrowded: boolean;
};

/** What is looked at of the session. */
export type TalliedSession = {
  readonly capabilities: Capabilities;
  readonly octetsRead: number;
  readonly ageMs: number;
  readonly canAsk: boolean;
};

export class Tally {
  readonly #session: TalliedSession;
  readonly #lane: TallyLane;
  #transactions = 0;
  #answers = 0;
  #refusals = 0;
  #wasRefusedLast = false;
  #lastReplyAt = performance.now();

  constructor(session: TalliedSession, lane: TallyLane) {
    this.#session = session;
    this.#lane = lane;
  }

  get transactions(): number {
    return this.#transactions;
  }
  get hasAnswered(): boolean {
    return this.#answers > 0;
  }
  get lastReplyAt(): number {
    return this.#lastReplyAt;
  }
  get silentMs(): number {
    return performance.now() - this.#lastReplyAt;
  }

  /** A reply came, or is awaited from now on. */
  restartSilence(): void {
    this.#lastReplyAt = performance.now();
  }

  begun(): void {
    this.#transactions++;
  }

  answered(isRefusal: boolean): void {
    this.#answers++;
    this.#wasRefusedLast = isRefusal;
    if (isRefusal) this.#refusals++;
  }

  /** @param recipients that were sent along: they are refused behind it, and the server counts each */
  envelopeRefused(recipients: number): void {
    this.#wasRefusedLast = true;
    this.#refusals += 1 + recipients;
  }

  /** RCPT TOs that may be outstanding, since each may be refused. */
  patience(isPipelined: boolean): number {
    const { memory } = this.#lane;
    return Math.min(
      isPipelined ? memory.refusalsPerSession - this.#refusals : 1,
      memory.recipientsPerSession - this.#answers,
    );
  }

  mustRetire(isPipelined: boolean): boolean {
    const { memory, timeouts, isCrowded } = this.#lane;
    const { capabilities, octetsRead, ageMs, canAsk } = this.#session;
    const most = capabilities.maxTransactionsPerSession;
    return (
      this.#refusals >= memory.refusalsPerSession ||
      (isPipelined && this.#isWornOut) ||
      this.#answers >= memory.recipientsPerSession ||
      octetsRead > RETIRE_AFTER_OCTETS ||
      ageMs > timeouts.sessionMs / 2 ||
      (isCrowded && ageMs > timeouts.shareMs) ||
      (most !== null && this.#transactions >= most && !canAsk)
    );
  }

  /** The exchange ended it: what that says of how much a session bears. */
  learnFromEnd(end: SessionEnd, isAsking: boolean): void {
    const { memory, timeouts } = this.#lane;
    const isSudden = isAsking || this.silentMs < timeouts.patienceMs;
    if (isHangUp(end) && this.#wasRefusedLast && isSudden) memory.learnRefusalsPerSession(this.#refusals - 1);
    if (isAsking && end.kind === 'closing' && this.hasAnswered && !this.#wasRefusedLast)
      memory.learnRecipientsPerSession(this.#answers);
  }

  /** Down to a quarter of its patience, a session asks two at a time at most: while many wait, a new one is faster. */
  get #isWornOut(): boolean {
    const { memory, queue } = this.#lane;
    const most = memory.refusalsPerSession;
    return (most - this.#refusals) * 4 <= most && queue.size > BACKLOG_PER_SESSION;
  }
}

/** By 421 or without a word. */
export const isHangUp = (end: SessionEnd): boolean => end.kind === 'closing' || end.fault.kind === 'closed';
