/**
 * What we know and hold per set of exchanges: who waits, the sessions that serve them, and the memory of what the
 * exchanges taught us. Domains with the same MX set share a lane, so a provider with a million domains is one
 * neighbour to us and not a million.
 *
 * A session is opened when somebody waits and none is at work, when more wait than those at work can be expected to
 * serve soon (BACKLOG_PER_SESSION each), or when those at work have gone silent. Batches form by themselves:
 * everybody who came in the same turn of the event loop, or while a session was busy, is taken at once.
 *
 * Told to slow down it halves its rate and sessions (`back-off`); told to stay away, or with nobody to connect to, it
 * answers newcomers with the evidence it has (`stops`). Other lanes share nothing with it but the number of sessions.
 */
import type { DomainName } from '../address/index.ts';
import type { MailExchange } from '../dns/index.ts';
import { Alarm } from './alarm.ts';
import { BackOff } from './back-off.ts';
import type { CatchAllMemory } from './catch-all.ts';
import { type ConnectOptions, SessionOpening } from './connect.ts';
import { Conversation, type ConversationLane } from './conversation.ts';
import { LaneLimits } from './lane-limits.ts';
import { LaneMemory } from './lane-memory.ts';
import { LaneQueue } from './lane-queue.ts';
import { LaneSessions } from './lane-sessions.ts';
import {
  BACKLOG_PER_SESSION,
  MAX_QUEUED_PER_LANE,
  SHORT_HOLD_MS,
  SLOWEST_HOLD_SECONDS,
  type Timeouts,
} from './limits.ts';
import { isBlock, isSlowDown, isUnreachable, type Outcome, UNASKED } from './outcome.ts';
import type { Probe } from './probe.ts';
import type { Ask } from './receipts.ts';
import { readBlockFact } from './reply-facts.ts';
import type { Learned } from './shared-facts.ts';
import type { SessionSlots } from './slots.ts';
import { Stops } from './stops.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';
import type { LaneSnapshot } from './types.ts';
import { Watchers } from './watchers.ts';

export type LaneOptions = ConnectOptions & {
  readonly mailFrom: string;
  readonly maxSessionsPerExchange: number;
  readonly probesPerSecondPerExchange: number;
  readonly slots: SessionSlots;
  readonly catchAll: CatchAllMemory;
  /** Told of what a lane learns that other processes may know; null when nobody wants to. */
  readonly tellOfLane: ((key: string, fact: Learned) => void) | null;
};

const readMonotonicMs = (): number => performance.now();

export class Lane implements ConversationLane {
  /** Its exchanges, whatever their preferences. */
  readonly key: string;
  readonly queue: LaneQueue;
  readonly memory: LaneMemory;
  readonly bucket: TokenBucket;
  readonly catchAll: CatchAllMemory;
  readonly mailFrom: string;
  readonly timeouts: Timeouts;
  readonly now: () => number;

  /** Those who wait for what other processes know before they are added. */
  expected = 0;

  readonly #options: LaneOptions;
  readonly #sessions = new LaneSessions();
  #exchanges: readonly MailExchange[];
  #providerId: string | null = null;
  readonly #stops: Stops;
  readonly #limits: LaneLimits;
  readonly #backOff: BackOff;
  readonly #watchers = new Watchers();
  #isScheduled = false;
  #isClosed = false;
  readonly #alarm = new Alarm(() => this.#pump());

  constructor(key: string, exchanges: readonly MailExchange[], options: LaneOptions) {
    const { tellOfLane } = options;
    const tell = tellOfLane && ((fact: Learned) => tellOfLane(key, fact));
    this.key = key;
    this.#exchanges = exchanges;
    this.#options = options;
    this.mailFrom = options.mailFrom;
    this.timeouts = options.timeouts;
    this.now = options.now;
    this.catchAll = options.catchAll;
    this.queue = new LaneQueue(options.catchAll);
    this.memory = new LaneMemory(options.now, tell);
    this.#stops = new Stops(options.now, tell);
    this.#limits = new LaneLimits(options);
    this.#backOff = new BackOff(this.#limits);
    this.bucket = createTokenBucket(
      () => this.#backOff.probesPerSecond,
      readMonotonicMs,
      () => this.#limits.firstTokens,
    );
  }

  /** May it be forgotten without anybody noticing at once? */
  get isUnused(): boolean {
    return !this.hasWork && this.sessions === 0;
  }

  /** Does anybody wait for it, or is served? */
  get hasWork(): boolean {
    return !this.queue.isEmpty || this.expected > 0;
  }

  get isCrowded(): boolean {
    return this.#options.slots.isCrowded;
  }

  /** Does somebody wait for a session that it might open? */
  get wantsSession(): boolean {
    return !this.#isClosed && this.#mayOpen();
  }

  /** Open, being opened, or not gone yet. */
  get sessions(): number {
    return this.#sessions.count;
  }

  /** Is it told to stay away, or its exchanges dead? Then nobody is asked. */
  get isStopped(): boolean {
    return this.#stops.until !== null;
  }

  snapshot(): LaneSnapshot {
    const { until, lastReply } = this.#stops;
    const { probesPerSecond } = this.#backOff;
    return {
      exchanges: this.#exchanges.map(({ host }) => host),
      state: until !== null ? 'PAUSED' : this.sessions > 0 || !this.queue.isEmpty ? 'ACTIVE' : 'IDLE',
      sessions: this.sessions,
      queued: this.queue.size,
      probesPerSecond: Number.isFinite(probesPerSecond) ? probesPerSecond : null,
      pausedUntil: until === null ? null : new Date(until),
      lastReply,
    };
  }

  /** @param exchanges of the asker's domain, which may prefer them in another order than the last one's did */
  add(probe: Probe, exchanges: readonly MailExchange[]): void {
    const { address, domain, providerId } = probe.question;
    const stopped = this.#stops.answer(domain);
    if (stopped) {
      this.#settle(probe, stopped);
      return;
    }
    // Asked about the domain alone, while somebody else found out.
    const isKnown = address === null && this.catchAll.recall(domain) !== null;
    if (isKnown || this.#isClosed || this.queue.size >= MAX_QUEUED_PER_LANE) {
      this.#settle(probe, UNASKED);
      return;
    }
    this.#exchanges = exchanges;
    this.#providerId = providerId;
    if (probe.isWatched) this.#watchers.add(probe);
    this.queue.add(probe);
    this.schedule();
  }

  /** Takes over what another process learned of these exchanges. Ignores what is not believable. */
  adopt(fact: Learned): void {
    if (fact.kind !== 'block') {
      this.memory.adopt(fact);
      return;
    }
    const hosts = this.#exchanges.map(({ host }) => host);
    const outcome = readBlockFact(fact.value, hosts, new Date(this.now()));
    if (!outcome) return;
    this.#stops.adoptBlock(outcome, fact.until);
    this.schedule();
  }

  /** Another process found out about the domain: whoever waited for a made-up mailbox need not any more. */
  foundOut(domain: DomainName): void {
    if (this.catchAll.recall(domain) === null) return;
    for (const probe of this.queue.takeAwaiting(domain)) this.#settle(probe, UNASKED);
  }

  /** The asker's deadline came, or it left. */
  leave(probe: Probe): void {
    if (probe.isSettled) return;
    const [opening] = this.#sessions.openings;
    const isBeingServed = this.#sessions.atWork.size === 0 && opening !== undefined;
    const outcome =
      probe.acceptance ??
      probe.describe?.() ??
      (isBeingServed ? opening.describe({ fault: { kind: 'timeout', phase: opening.phase } }) : UNASKED);
    this.queue.remove(probe);
    this.#settle(probe, outcome);
    if (this.queue.isEmpty) this.#sessions.abortOpenings();
  }

  /** Our part of the sessions (none is possible) and of the rate, where other processes work on the same exchanges. */
  setShare(sessions: number): void {
    if (this.#limits.share === sessions) return;
    this.#limits.share = sessions;
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  scheduleForToken(): void {
    this.#alarm.ringIn(this.bucket.waitMs());
  }

  refuseAll(outcome: Outcome, from: Conversation | null): void {
    const isAtWork = (one: Conversation): boolean => one !== from && one.isBrisk;
    if (isBlock(outcome)) this.#stops.block(outcome);
    else if ([...this.#sessions.atWork].some(isAtWork)) return;
    for (const probe of this.queue.drain()) this.#settle(probe, outcome);
  }

  refuseDomain(domain: DomainName, outcome: Outcome): void {
    const isWholeLane = this.#stops.blockDomain(domain, outcome);
    for (const probe of isWholeLane ? this.queue.drain() : this.queue.drain(domain))
      this.#settle(probe, outcome);
  }

  slowDown(outcome: Outcome): void {
    const isSlowest = this.#backOff.slowDown();
    this.#stops.noteReply(outcome.reply);
    const seconds = outcome.meaning?.retryAfterSeconds ?? (isSlowest ? SLOWEST_HOLD_SECONDS : 0);
    if (seconds === 0) return;
    this.#stops.hold(outcome, seconds);
    this.schedule();
  }

  left(conversation: Conversation): void {
    if (!this.#sessions.atWork.delete(conversation)) return;
    this.#letGo(conversation.session.closed);
    this.schedule();
  }

  #letGo(closed: Promise<void>): void {
    this.#sessions.letGo(closed, () => {
      this.#options.slots.release();
      this.schedule();
    });
  }

  /** Gives back the session that nobody needs; false when there is none. */
  closeOneIdle(): boolean {
    return !this.queue.hasWork && this.#sessions.closeOneIdle();
  }

  /** Everybody is told that time is over, every session is left. Resolves when the connections are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#alarm.stop();
    this.#sessions.abortOpenings();
    for (const probe of this.queue.drain()) this.#settle(probe, probe.acceptance ?? UNASKED);
    const conversations = [...this.#sessions.atWork];
    for (const conversation of conversations)
      for (const probe of conversation.abandon()) this.#settle(probe, UNASKED);
    await Promise.all(conversations.map(({ session }) => session.closed));
  }

  #pump(): void {
    if (this.#isClosed) return;
    if (this.queue.hasWork) this.#holdBack();
    if (this.#limits.share !== null) this.#sessions.shed(this.#limits.share);
    for (const conversation of [...this.#sessions.atWork]) conversation.feed();
    while (this.#mayOpen() && this.#options.slots.take(this)) void this.#open();
    // Somebody waits for a session that may have gone silent: look again.
    if (this.queue.hasWork && this.#sessions.atWork.size > 0) this.#alarm.ringIn(this.timeouts.patienceMs);
  }

  /** Stopped: those who wait do so for a short while, or hear why not. */
  #holdBack(): void {
    const { until } = this.#stops;
    if (until === null) return;
    if (until - this.now() <= SHORT_HOLD_MS) this.#alarm.ringIn(until - this.now());
    else
      for (const probe of this.queue.drain())
        this.#settle(probe, this.#stops.answer(probe.question.domain) ?? UNASKED);
  }

  #mayOpen(): boolean {
    if (!this.queue.hasWork || this.isStopped) return false;
    const bearable = this.#stops.isOnTrial ? 1 : (this.memory.sessionsAtOnce ?? Number.POSITIVE_INFINITY);
    const most = Math.min(this.#backOff.sessions, bearable);
    if (this.sessions >= most) return false;
    const atWork = this.#sessions.promising;
    if (atWork === 0) return true;
    return this.queue.size > atWork * BACKLOG_PER_SESSION && this.bucket.available() >= 1;
  }

  async #open(): Promise<void> {
    const opening = new SessionOpening<Ask>(this.#options, {
      exchanges: this.memory.planOrder(this.#exchanges),
      providerId: this.#providerId,
      wantsTls: this.memory.needsTls,
      knowsEhlo: !this.memory.needsHelo,
      onProgress: (event) => this.#watchers.tellWaiting(event),
    });
    this.#sessions.openings.add(opening);
    try {
      const opened = await opening.run();
      this.#sessions.openings.delete(opening);
      if (opened.kind === 'session') {
        const { session, attempts } = opened;
        this.memory.learnAttempts(attempts);
        if (!session.knowsEhlo) this.memory.learnHelo();
        this.#stops.connected();
        this.#sessions.atWork.add(new Conversation(session, attempts, this));
        if (this.#isClosed) for (const conversation of [...this.#sessions.atWork]) conversation.leave();
      } else {
        this.#letGo(opening.closed);
        if (opened.kind === 'failed') this.#openingFailed(opened.outcome);
      }
    } catch (error) {
      // A bug of ours fails those who waited for this session; the process lives.
      this.#sessions.openings.delete(opening);
      this.#options.slots.release();
      for (const probe of this.queue.drain()) probe.fail(error);
    }
    this.schedule();
  }

  /** Only the last opening speaks for the lane: while another session is there or coming, it means "not so many". */
  #openingFailed(outcome: Outcome): void {
    this.memory.learnAttempts(outcome.attempts);
    const others = this.#sessions.held;
    const isUnreached = isUnreachable(outcome);
    if (isSlowDown(outcome) || (isUnreached && others > 0)) this.slowDown(outcome);
    if (others > 0) {
      this.memory.learnSessionsAtOnce(others);
      return;
    }
    if (isUnreached) this.#stops.unreachable(outcome);
    else if (outcome.exchange !== null) this.#stops.connected();
    this.refuseAll(outcome, null);
  }

  #settle(probe: Probe, outcome: Outcome): void {
    probe.settle(probe.acceptance ?? outcome, this.catchAll.recall(probe.question.domain));
  }
}
