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
 * - A first pipelined write that is answered in part and then by silence may have lost the rest: another session asks
 *   one command at a time.
 * - What a server teaches (recipients of a transaction or session, refusals of a session, honest PIPELINING, TLS,
 *   greylisting) goes to the lane's memory.
 */
import { type AskingLane, Asks } from './asks.ts';
import { type Batch, type Transaction, takeBatch } from './batch.ts';
import type { LaneMemory } from './lane-memory.ts';
import { BACKLOG_PER_SESSION, MAX_CANARY_TRIES, RETIRE_AFTER_OCTETS, type Timeouts } from './limits.ts';
import { classifyReply } from './meaning/index.ts';
import { isSlowDown, type Outcome, redactOutcome } from './outcome.ts';
import type { Probe } from './probe.ts';
import { describeAnswer } from './progress.ts';
import type { Recipient, Reply } from './protocol/index.ts';
import { type Ask, Receipts } from './receipts.ts';
import type { Session, SessionEnd } from './session.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { ConnectAttempt } from './types.ts';

/** What a conversation needs of its lane. */
export type ConversationLane = AskingLane & {
  readonly memory: LaneMemory;
  readonly bucket: TokenBucket;
  readonly mailFrom: string;
  readonly timeouts: Timeouts;
  /** Is nobody to be asked for now? */
  readonly isStopped: boolean;
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
  readonly #abort = new AbortController();
  #transaction: Transaction | null = null;
  #transactions = 0;
  #answers = 0;
  #refusals = 0;
  #wasRefusedLast = false;
  #lastReplyAt = performance.now();
  #wantsTls = false;
  #isSecuring = false;
  #isRetiring = false;
  #hasLeft = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #doubtTimer: NodeJS.Timeout | undefined;

  constructor(session: Session<Ask>, attempts: readonly ConnectAttempt[], lane: ConversationLane) {
    this.session = session;
    this.#receipts = new Receipts(session, attempts);
    this.#asks = new Asks(lane, this.#receipts);
    this.#lane = lane;
    session.attach({
      answered: (ask, reply) => this.#answered(ask, reply),
      envelopeRefused: (reply) => this.#envelopeRefused(reply),
      advanced: () => {
        this.#lastReplyAt = performance.now();
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

  /** Has it answered lately, so that what waits may wait for it? */
  get isBrisk(): boolean {
    return this.isIdle || performance.now() - this.#lastReplyAt < this.#lane.timeouts.patienceMs;
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
    if (!session.isQuiet && !this.#pipelines) return;
    while (!this.#hasLeft && this.#takeOnce());
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

  /** QUIT, or hang up when replies are outstanding. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#doubtTimer);
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

  /** Offered, and not known to lose commands. */
  get #pipelines(): boolean {
    return this.session.capabilities.offersPipelining && this.#lane.memory.hasHonestPipelining !== false;
  }

  /** Down to a quarter of its patience, a session asks two at a time at most: while many wait, a new one is faster. */
  get #isWornOut(): boolean {
    const { memory, queue } = this.#lane;
    const most = memory.refusalsPerSession;
    return this.#pipelines && (most - this.#refusals) * 4 <= most && queue.size > BACKLOG_PER_SESSION;
  }

  #mustRetire(): boolean {
    const { session } = this;
    const most = session.capabilities.maxTransactionsPerSession;
    return (
      this.#isRetiring ||
      this.#refusals >= this.#lane.memory.refusalsPerSession ||
      this.#isWornOut ||
      this.#answers >= this.#lane.memory.recipientsPerSession ||
      session.octetsRead > RETIRE_AFTER_OCTETS ||
      session.ageMs > this.#lane.timeouts.sessionMs / 2 ||
      (this.#lane.isCrowded && session.ageMs > this.#lane.timeouts.shareMs) ||
      (most !== null && this.#transactions >= most && !session.canAsk)
    );
  }

  /** @returns whether there may be more to take */
  #takeOnce(): boolean {
    const { queue, memory, bucket } = this.#lane;
    const { session } = this;
    const { capabilities } = session;
    if (!queue.hasWork || this.#lane.isStopped) {
      this.#rest();
      return false;
    }
    const tokens = bucket.available();
    if (tokens < 1) {
      this.#lane.scheduleForToken();
      return false;
    }
    const wasFull = this.#transaction?.isFull ?? true;
    const patience = Math.min(
      this.#pipelines ? memory.refusalsPerSession - this.#refusals : 1,
      memory.recipientsPerSession - this.#answers,
    );
    const batch = takeBatch(queue, {
      isPipelined: this.#pipelines,
      isQuiet: session.isQuiet,
      open: session.canAsk ? this.#transaction : null,
      recipientsPerTransaction: memory.recipientsPerTransaction(capabilities),
      window: patience - this.#asks.inFlight.size,
      tokens,
    });
    // The open transaction stood in the way and does no more: a new one may begin.
    if (!batch) return session.isQuiet && !wasFull && (this.#transaction?.isFull ?? false);
    if (batch.usesSmtpUtf8 && !capabilities.offersSmtpUtf8) {
      this.#settleUnasked(batch);
      return true;
    }
    this.#ask(batch);
    return false;
  }

  #settleUnasked({ queue, probes }: Batch): void {
    const outcome = this.#receipts.describe('MAIL_FROM', { fault: { kind: 'needsSmtpUtf8' } });
    for (const probe of probes) probe.settle(outcome, this.#lane.catchAll.recall(queue.domain));
    this.#lane.queue.refresh(queue);
  }

  #ask({ queue, transaction: current, usesSmtpUtf8, probes, hasCanary }: Batch): void {
    clearTimeout(this.#idleTimer);
    const { catchAll, bucket, mailFrom } = this.#lane;
    const { domain } = queue;
    const transaction = current ?? {
      domain,
      usesSmtpUtf8,
      asked: 0,
      accepted: 0,
      hasCanary: false,
      isGreylisted: false,
      isFull: false,
    };
    const inEarlier = this.#asks.asked - transaction.asked;
    const recipients: Recipient<Ask>[] = [];
    const add = (probe: Probe | null, localPart: string): void => {
      const before = { inTransaction: transaction.asked, inEarlier };
      const ask: Ask = { probe, queue, localPart, before, transaction, sent: null };
      if (probe) {
        probe.describe = () => this.#receipts.ofAbandoned(ask);
        transaction.asked++;
        this.#asks.asked++;
      }
      this.#asks.inFlight.add(ask);
      recipients.push({ forwardPath: `${localPart}@${domain}`, tag: ask });
    };
    const how = this.#transactions > 0 ? ' in a session that was kept' : '';
    for (const probe of probes) {
      add(probe, probe.question.address?.localPart ?? '');
      this.#asks.tell(probe, `asking about the mailbox${how}`, null);
    }
    if (hasCanary) {
      for (const probe of queue.awaitingCanary)
        this.#asks.tell(probe, 'asking about a made-up mailbox', null);
      queue.isCanaryAsked = true;
      transaction.hasCanary = true;
      add(null, catchAll.readLocalPart(domain));
    }
    queue.inFlight += recipients.length;
    bucket.take(recipients.length);
    this.#lane.queue.refresh(queue);
    if (this.#asks.inFlight.size === recipients.length) this.#lastReplyAt = performance.now();
    if (current) this.session.ask(recipients);
    else {
      this.#transactions++;
      this.#transaction = transaction;
      const isUnpipelined = !this.#pipelines;
      this.session.begin({ reversePath: mailFrom, usesSmtpUtf8, isUnpipelined }, recipients);
      if (!isUnpipelined && this.#lane.memory.hasHonestPipelining === null) this.#doubtLater();
    }
  }

  /** The first pipelined write: when it is answered in part only, what was lost is asked one at a time. */
  #doubtLater(): void {
    const writtenAt = performance.now();
    clearTimeout(this.#doubtTimer);
    this.#doubtTimer = setTimeout(() => {
      const isLost = !this.#hasLeft && this.#asks.inFlight.size > 0 && this.#lastReplyAt > writtenAt;
      if (!isLost || this.#lane.memory.hasHonestPipelining !== null) return;
      this.#lane.memory.learnPipelining(false);
      this.session.log.note('no reply to what was pipelined: asking one at a time in another session');
      const fault = { kind: 'timeout', phase: 'RCPT_TO' } as const;
      this.#asks.askAllAgain([...this.#asks.inFlight], this.#receipts.describe('RCPT_TO', { fault }));
      this.leave();
    }, this.#lane.timeouts.pipelineMs);
  }

  /** What the time that a reply to RCPT TO took says of PIPELINING. */
  #learnPipelining(): void {
    const { memory, timeouts } = this.#lane;
    if (this.#pipelines) {
      if (memory.hasHonestPipelining === null) memory.learnPipelining(true);
    } else if (this.session.capabilities.offersPipelining && memory.hasHonestPipelining === false) {
      // Just as silent when it is asked one at a time: slow, and no liar.
      const isSlow = performance.now() - this.#lastReplyAt > timeouts.pipelineMs / 2;
      if (isSlow) memory.learnPipelining(true);
    }
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
    this.#learnPipelining();
    this.#answers++;
    this.#wasRefusedLast = reply.code >= 400;
    if (this.#wasRefusedLast) this.#refusals++;
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
    this.#wasRefusedLast = true;
    // The recipients that were sent along are refused behind it, and the server counts each.
    this.#refusals += 1 + asks.filter(({ sent }) => sent !== null).length;
    if (isSlowDown(outcome)) this.#lane.slowDown(outcome);
    if (outcome.meaning?.kind === 'TLS_REQUIRED' && this.#canSecure()) {
      this.#startTlsLater();
      this.#asks.askAllAgain(asks, outcome);
      return;
    }
    this.#isRetiring = true;
    if (this.#transactions > 1) this.#asks.askAllAgain(asks, outcome);
    else {
      this.#asks.settleAll(asks, outcome);
      if (!this.#transaction?.usesSmtpUtf8) this.#lane.refuseAll(outcome, this);
    }
  }

  #ended(end: SessionEnd): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#doubtTimer);
    this.#abort.abort();
    const asks = [...this.#asks.inFlight];
    const hungUp = end.kind === 'closing' || end.fault.kind === 'closed';
    const isSudden =
      asks.length > 0 || performance.now() - this.#lastReplyAt < this.#lane.timeouts.patienceMs;
    if (hungUp && this.#wasRefusedLast && isSudden)
      this.#lane.memory.learnRefusalsPerSession(this.#refusals - 1);
    // 421 in a pipeline answers the first and ends all: the others hear it without that one's address.
    const outcome = redactOutcome(
      this.#receipts.ofEnd(end, asks[0]?.queue.providerId ?? null),
      asks.map(({ localPart, queue: { domain } }) => ({ localPart, domain })),
    );
    // One that ends an idle session (4.4.2) says nothing about our pace.
    if (asks.length > 0 && isSlowDown(outcome)) this.#lane.slowDown(outcome);
    if (asks.length > 0 && end.kind === 'closing' && this.#answers > 0 && !this.#wasRefusedLast)
      this.#lane.memory.learnRecipientsPerSession(this.#answers);
    if (hungUp && this.#answers > 0) this.#asks.askAllAgain(asks, outcome);
    else {
      // A canary met with silence or garbage would meet it again: those accepted must not wait for that.
      for (const { probe, queue } of asks) if (!probe) queue.canaryTries = MAX_CANARY_TRIES;
      this.#asks.settleAll(asks, outcome);
      if (this.#answers === 0) this.#lane.refuseAll(outcome, this);
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
    this.#transaction = null;
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
