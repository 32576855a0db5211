/**
 * Why a lane, or one of its domains, is not asked now, with the evidence that everybody who comes meanwhile gets:
 *
 *  - it blocks us (BLOCK_PAUSE_MS), a domain at first, and the lane once MAX_BLOCKED_DOMAINS of them say so;
 *  - it stated a delay: until then, at most MAX_HOLD_MS; or it stated none and wants us slower than we can go;
 *  - its exchanges cannot be connected to: what the breaker says.
 *
 * Replies kept here are shown to others, so they are given without anybody's address.
 */
import type { DomainName } from '../address/index.ts';
import { Breaker } from './breaker.ts';
import { FewMap } from './few.ts';
import { BLOCK_PAUSE_MS, MAX_BLOCKED_DOMAINS, MAX_HOLD_MS, SHORT_HOLD_MS } from './limits.ts';
import type { Outcome } from './outcome.ts';
import type { Reply } from './protocol/index.ts';
import { printBlockFact } from './reply-facts.ts';
import type { Learned } from './shared-facts.ts';

type Stop = { readonly kind: 'blocked' | 'told' | 'dead'; readonly until: number; readonly outcome: Outcome };

export class Stops {
  readonly #now: () => number;
  readonly #tell: ((fact: Learned) => void) | null;
  readonly #breaker: Breaker;
  readonly #blockedDomains = new FewMap<DomainName, Stop>();
  #block: Stop | null = null;
  #told: Stop | null = null;
  /** Of the last opening that connected to nobody. */
  #unreachable: Outcome | null = null;
  #lastReply: Reply | null = null;

  /** @param tell is told of a block of the whole lane; null when nobody wants to know */
  constructor(now: () => number, tell: ((fact: Learned) => void) | null = null) {
    this.#now = now;
    this.#tell = tell;
    this.#breaker = new Breaker(now);
  }

  /** The last reply that slowed the lane down or stopped it. */
  get lastReply(): Reply | null {
    return this.#lastReply;
  }

  /** Must the next connection be a trial, with no other beside it? */
  get isOnTrial(): boolean {
    return this.#breaker.state === 'HALF_OPEN';
  }

  /** Epoch milliseconds; null when the lane may be asked. */
  get until(): number | null {
    return this.#readLane()?.until ?? null;
  }

  /** What a newcomer of this domain is told instead of being asked; null when it may wait for being asked. */
  answer(domain: DomainName): Outcome | null {
    const stop = this.#readLane() ?? this.#read(this.#blockedDomains.get(domain) ?? null);
    if (!stop || (stop.kind === 'told' && stop.until - this.#now() <= SHORT_HOLD_MS)) return null;
    return this.#describe(stop);
  }

  block(outcome: Outcome): void {
    this.noteReply(outcome.reply);
    const until = this.#now() + BLOCK_PAUSE_MS;
    this.#block = { kind: 'blocked', until, outcome };
    this.#tell?.({ kind: 'block', value: printBlockFact(outcome), until });
  }

  /** Another process with our source met a block; one that was met here stays. */
  adoptBlock(outcome: Outcome, until: number): void {
    if (this.#read(this.#block)) return;
    this.noteReply(outcome.reply);
    this.#block = { kind: 'blocked', until: Math.min(until, this.#now() + BLOCK_PAUSE_MS), outcome };
  }

  /** @returns whether it is now the whole lane */
  blockDomain(domain: DomainName, outcome: Outcome): boolean {
    const until = this.#now() + BLOCK_PAUSE_MS;
    for (const [blocked, stop] of this.#blockedDomains)
      if (!this.#read(stop)) this.#blockedDomains.delete(blocked);
    this.#blockedDomains.set(domain, { kind: 'blocked', until, outcome });
    this.noteReply(outcome.reply);
    const isWholeLane = this.#blockedDomains.size >= MAX_BLOCKED_DOMAINS;
    if (isWholeLane) this.block(outcome);
    return isWholeLane;
  }

  /** The exchange said for how long it wants to hear nothing. */
  hold(outcome: Outcome, seconds: number): void {
    const until = this.#now() + Math.min(seconds * 1_000, MAX_HOLD_MS);
    if (until > (this.#told?.until ?? 0)) this.#told = { kind: 'told', until, outcome };
  }

  unreachable(outcome: Outcome): void {
    this.#unreachable = outcome;
    this.#breaker.failed();
  }

  connected(): void {
    this.#breaker.connected();
  }

  noteReply(reply: Reply | null): void {
    if (reply) this.#lastReply = reply;
  }

  #readLane(): Stop | null {
    const dead: Stop | null =
      this.#breaker.state === 'OPEN' && this.#unreachable
        ? { kind: 'dead', until: this.#breaker.until, outcome: this.#unreachable }
        : null;
    return this.#read(this.#block) ?? this.#read(this.#told) ?? dead;
  }

  #read(stop: Stop | null): Stop | null {
    return stop && stop.until > this.#now() ? stop : null;
  }

  #describe({ kind, until, outcome }: Stop): Outcome {
    const who = outcome.exchange ?? 'the exchange';
    const leftSeconds = Math.ceil((until - this.#now()) / 1_000);
    const text = {
      blocked: `not asked: ${who} refused us a short while ago`,
      told: `not asked: ${who} told us to slow down, for another ${leftSeconds} s`,
      dead: `not connected: no exchange could be reached a short while ago; tried again in ${leftSeconds} s`,
    }[kind];
    const note = { at: new Date(this.#now()), direction: 'NOTE', text } as const;
    const isStated = kind === 'told' && (outcome.meaning?.retryAfterSeconds ?? null) !== null;
    const meaning =
      isStated && outcome.meaning ? { ...outcome.meaning, retryAfterSeconds: leftSeconds } : outcome.meaning;
    return { ...outcome, meaning, transcript: [...outcome.transcript, note] };
  }
}
