/**
 * One open session at work for its lane: whom it asks next, and what each answer, refusal or hang-up means for those
 * who wait. The policy of DESIGN's "Talking to an exchange" is here:
 *
 * - As many RCPT TO may be outstanding as the session may still see refusals (8 less those seen), so that even if
 *   every one is refused the server's patience is not tried. What is answered makes room for the next, in the same
 *   transaction while it is the same domain.
 * - With PIPELINING the first write of a transaction carries MAIL FROM, the RCPTs and last the canary, when the
 *   domain's catch-all state is unknown. Without it the canary is asked once somebody was accepted.
 * - A session that answered somebody and is then hung up on (or told 421) is followed by another for those left, at
 *   most MAX_TRIES; one that answered nobody speaks for the lane: everybody waiting gets its evidence.
 * - PIPELINING is used while it is not known to lose commands (`pipelining`); a session is left when it has seen
 *   enough (`tally`).
 * - What a server teaches (recipients of a transaction or session, refusals of a session, honest PIPELINING, TLS,
 *   greylisting) goes to the lane's memory.
 */
import { Asks } from './asks.ts';
import { MAX_CANARY_TRIES, type Timeouts } from './limits.ts';
import { classifyReply } from './meaning/index.ts';
import { isSlowDown, type Outcome, redactOutcome } from './outcome.ts';
import { Pipelining } from './pipelining.ts';
import type { Probe } from './probe.ts';
import { describeAnswer } from './progress.ts';
import type { Reply } from './protocol/index.ts';
import { type Ask, Receipts } from './receipts.ts';
import type { Session, SessionEnd } from './session.ts';
import { isHangUp, Tally } from './tally.ts';
import { Turns, type TurnsLane } from './turns.ts';
import type { ConnectAttempt } from './types.ts';

/** What a conversation needs of its lane. */
export type ConversationLane = TurnsLane & {
  readonly timeouts: Timeouts;
  /** Do other lanes wait for a session, with none left in all? */
  readonly isCrowded: boolean;
  /** Everybody who waits in the lane hears this, unless a session other than `from` is at work. */
  refuseAll(outcome: Outcome, from: Conversation): void;
  /** The exchange told us to go slower, or to stay away for a while. */
  slowDown(outcome: Outcome): void;
  /** The conversation takes nothing more; its connection may still be closing. */
  left(conversation: Conversation): void;
  /** Look again at who could be served. */
  schedule(): void;
  /** Look again once a token is there. */
  scheduleForToken(): void;
};

export class Conversation {
  readonly session: Session<Ask>;
  readonly #receipts: Receipts;
  readonly #lane: ConversationLane;
  readonly #asks: Asks;
  readonly #tally: Tally;
  readonly #pipelining: Pipelining;
  readonly #turns: Turns;
  readonly #abort = new AbortController();
  #wantsTls = false;
  #isSecuring = false;
  #isRetiring = false;
  #hasLeft = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(session: Session<Ask>, attempts: readonly ConnectAttempt[], lane: ConversationLane) {
    this.session = session;
    this.#receipts = new Receipts(session, attempts);
    this.#asks = new Asks(lane, this.#receipts);
    this.#lane = lane;
    this.#tally = new Tally(session, lane);
    const { memory, timeouts } = lane;
    const tally = this.#tally;
    this.#pipelining = new Pipelining({
      session,
      memory,
      asks: this.#asks,
      tally,
      pipelineMs: timeouts.pipelineMs,
      onLost: () => this.#askLostAgain(),
    });
    this.#turns = new Turns({
      session,
      lane,
      asks: this.#asks,
      receipts: this.#receipts,
      tally,
      pipelining: this.#pipelining,
    });
    session.attach({
      answered: (ask, reply) => this.#answered(ask, reply),
      envelopeRefused: (reply) => this.#envelopeRefused(reply),
      advanced: () => {
        this.#tally.restartSilence();
        this.feed();
        lane.schedule();
      },
      ended: (end) => this.#ended(end),
      broke: (error) => this.#break(error),
    });
  }

  get isIdle(): boolean {
    return this.session.isQuiet && !this.#isSecuring;
  }

  /** Does it take nobody any more? */
  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  /** Has it answered lately, so that what waits may wait for it? */
  get isBrisk(): boolean {
    return this.isIdle || this.#tally.silentMs < this.#lane.timeouts.patienceMs;
  }

  /** Takes what waits and may be asked now. Safe to call at any time. */
  feed(): void {
    if (this.#hasLeft || this.#isSecuring) return;
    try {
      this.#feed();
    } catch (error) {
      this.#break(error);
    }
  }

  #feed(): void {
    const { session } = this;
    if (this.#wantsTls || this.#mustRetire()) {
      if (!session.isQuiet) return;
      // Many refusals before TLS are counted by the server after it too: the next session secures first.
      if (this.#mustRetire()) this.leave();
      else this.#secure().catch((error: unknown) => this.#break(error));
      return;
    }
    if (!session.isQuiet && !this.#pipelining.isUsed) return;
    let turn = this.#turns.take();
    while (turn === 'again') turn = this.#turns.take();
    if (turn === 'asked') clearTimeout(this.#idleTimer);
    else if (turn === 'idle') this.#rest();
    else if (turn === 'noToken') this.#lane.scheduleForToken();
  }

  /** A bug of ours: fails those who were being asked, and nobody else. */
  #break(error: unknown): void {
    for (const ask of [...this.#asks.inFlight]) {
      this.#asks.release(ask);
      if (ask.probe) ask.probe.fail(error);
      else ask.queue.isCanaryAsked = false;
      this.#lane.queue.refresh(ask.queue);
    }
    this.leave();
  }

  /** Takes nobody any more, and leaves when those it asks about are answered. */
  retire(): void {
    this.#isRetiring = true;
    this.feed();
  }

  /** QUIT, or hang up when replies are outstanding. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#idleTimer);
    this.#pipelining.stop();
    this.#abort.abort();
    this.session.quit();
    this.#lane.left(this);
  }

  /** What is left to ask about goes unanswered: the process ends. */
  abandon(): readonly Probe[] {
    const probes = [...this.#asks.inFlight].flatMap(({ probe }) => (probe ? [probe] : []));
    this.#asks.inFlight.clear();
    this.leave();
    return probes;
  }

  #mustRetire(): boolean {
    return this.#isRetiring || this.#tally.mustRetire(this.#pipelining.isUsed);
  }

  /** What was pipelined went unanswered: another session asks it one at a time. */
  #askLostAgain(): void {
    this.session.log.note('no reply to what was pipelined: asking one at a time in another session');
    const fault = { kind: 'timeout', phase: 'RCPT_TO' } as const;
    this.#asks.askAllAgain([...this.#asks.inFlight], this.#receipts.describe('RCPT_TO', { fault }));
    this.leave();
  }

  /** Nothing to do: kept for a while for whoever comes. */
  #rest(): void {
    if (!this.session.isQuiet) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.leave(), this.#lane.timeouts.idleMs);
  }

  #answered(ask: Ask, reply: Reply): void {
    const { probe, queue, transaction } = ask;
    const { domain, providerId } = queue;
    this.#asks.release(ask);
    this.#pipelining.answered(ask);
    this.#tally.answered(reply.code >= 400);
    const recipient = { localPart: ask.localPart, domain };
    const meaning = this.#lane.memory.greylist.learn(
      `${ask.localPart}@${domain}`,
      classifyReply({ phase: 'RCPT_TO', reply, recipient, providerId }),
    );
    if (meaning.kind === 'GREYLISTED' && probe) transaction.isGreylisted = true;
    if (meaning.kind === 'ACCEPTED') transaction.accepted++;
    if (probe) this.#asks.tell(probe, describeAnswer(meaning), reply);
    if (isSlowDown({ reply, meaning })) this.#lane.slowDown(this.#asks.asSeenByOthers(ask, reply, meaning));

    if (meaning.kind === 'TLS_REQUIRED' && this.#canSecure()) {
      this.#startTlsLater();
      this.#asks.askAgain(ask, () => this.#receipts.ofAnswer(ask, reply, meaning));
    } else if (meaning.kind === 'TOO_MANY_RECIPIENTS' && transaction.accepted > 0) {
      transaction.isFull = true;
      this.#lane.memory.learnRecipientsPerTransaction(transaction.accepted);
      this.#asks.askAgain(ask, () => this.#receipts.ofAnswer(ask, reply, meaning));
    } else if (probe) this.#asks.settleMailbox(ask, probe, reply, meaning);
    else this.#asks.settleCanary(ask, reply, meaning);
    this.#lane.queue.refresh(queue);
  }

  #envelopeRefused(reply: Reply): void {
    const asks = [...this.#asks.inFlight];
    const outcome = this.#receipts.ofRefusal('MAIL_FROM', reply, asks[0]?.queue.providerId ?? null);
    this.#tally.envelopeRefused(asks.filter(({ sent }) => sent !== null).length);
    if (isSlowDown(outcome)) this.#lane.slowDown(outcome);
    if (outcome.meaning?.kind === 'TLS_REQUIRED' && this.#canSecure()) {
      this.#startTlsLater();
      this.#asks.askAllAgain(asks, outcome);
      return;
    }
    this.#isRetiring = true;
    if (this.#tally.transactions > 1) this.#asks.askAllAgain(asks, outcome);
    else {
      this.#asks.settleAll(asks, outcome);
      if (!this.#turns.usesSmtpUtf8) this.#lane.refuseAll(outcome, this);
    }
  }

  #ended(end: SessionEnd): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#idleTimer);
    this.#pipelining.stop();
    this.#abort.abort();
    const asks = [...this.#asks.inFlight];
    this.#tally.learnFromEnd(end, asks.length > 0);
    // 421 in a pipeline answers the first and ends all: the others hear it without that one's address.
    const outcome = redactOutcome(
      this.#receipts.ofEnd(end, asks[0]?.queue.providerId ?? null),
      asks.map(({ localPart, queue: { domain } }) => ({ localPart, domain })),
    );
    // One that ends an idle session (4.4.2) says nothing about our pace.
    if (asks.length > 0 && isSlowDown(outcome)) this.#lane.slowDown(outcome);
    if (isHangUp(end) && this.#tally.hasAnswered) this.#asks.askAllAgain(asks, outcome);
    else {
      // A canary met with silence or garbage would meet it again: those accepted must not wait for that.
      for (const { probe, queue } of asks) if (!probe) queue.canaryTries = MAX_CANARY_TRIES;
      this.#asks.settleAll(asks, outcome);
      if (!this.#tally.hasAnswered) this.#lane.refuseAll(outcome, this);
    }
    this.#lane.left(this);
  }

  #canSecure(): boolean {
    return this.session.capabilities.offersStartTls && !this.session.isSecure;
  }

  #startTlsLater(): void {
    this.#wantsTls = true;
    this.#lane.memory.learnTls();
  }

  async #secure(): Promise<void> {
    this.#isSecuring = true;
    this.#wantsTls = false;
    this.#turns.forget();
    const opening = await this.session.secure(this.#abort.signal);
    this.#isSecuring = false;
    if (this.#hasLeft) return;
    if (opening.kind === 'ready') {
      this.feed();
      return;
    }
    const outcome = this.#receipts.ofUnsecured(opening, null);
    this.#hasLeft = true;
    this.#lane.left(this);
    this.#lane.refuseAll(outcome, this);
  }
}
