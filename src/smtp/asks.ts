/**
 * The recipients that are out in one session, and what becomes of each: settled with its receipt, kept until the
 * made-up mailbox is answered, asked again, or given up. `conversation` decides which of these it is.
 */
import type { DomainName } from '../address/index.ts';
import { type CatchAllMemory, classifyCanary } from './catch-all.ts';
import type { DomainQueue, LaneQueue } from './lane-queue.ts';
import { MAX_CANARY_TRIES, MAX_TRIES } from './limits.ts';
import type { Meaning } from './meaning/index.ts';
import { isBlock, type Outcome, redactReply } from './outcome.ts';
import type { Probe } from './probe.ts';
import { describeCanary } from './progress.ts';
import type { Reply } from './protocol/index.ts';
import type { Ask, Receipts } from './receipts.ts';
import type { CatchAllFinding } from './types.ts';

/** What is needed of the lane to settle who was asked. */
export type AskingLane = {
  readonly queue: LaneQueue;
  readonly catchAll: CatchAllMemory;
  readonly now: () => number;
  /** The exchange blocks us where this domain is concerned. */
  refuseDomain(domain: DomainName, outcome: Outcome): void;
};

export class Asks {
  readonly inFlight = new Set<Ask>();
  /** Mailboxes asked in this session and answered, or still to be. */
  asked = 0;
  readonly #lane: AskingLane;
  readonly #receipts: Receipts;

  constructor(lane: AskingLane, receipts: Receipts) {
    this.#lane = lane;
    this.#receipts = receipts;
  }

  settleMailbox(ask: Ask, probe: Probe, reply: Reply, meaning: Meaning): void {
    const { queue } = ask;
    if (classifyCanary(meaning) === 'NO') this.#lane.catchAll.noteRefusal(queue.domain);
    const finding = this.#lane.catchAll.recall(queue.domain);
    if (!probe.isSettled) {
      const outcome = this.#receipts.ofAnswer(ask, reply, meaning);
      if (meaning.kind !== 'ACCEPTED' || finding) probe.settle(outcome, finding);
      else {
        probe.acceptance = outcome;
        queue.awaitingCanary.add(probe);
      }
    }
    if (isBlock({ meaning })) this.#lane.refuseDomain(queue.domain, this.asSeenByOthers(ask, reply, meaning));
  }

  asSeenByOthers(ask: Ask, reply: Reply, meaning: Meaning): Outcome {
    const seen = redactReply(reply, { localPart: ask.localPart, domain: ask.queue.domain });
    return this.#receipts.describe('RCPT_TO', { reply: seen, meaning });
  }

  tell(probe: Probe, message: string, reply: Reply | null): void {
    probe.tell({ phase: 'RCPT_TO', message, exchange: this.#receipts.exchange, reply });
  }

  settleCanary(ask: Ask, reply: Reply, meaning: Meaning): void {
    const { queue, transaction } = ask;
    // Beside a greylisted mailbox an acceptance is that of one which was known here before, or of nobody.
    const answer =
      transaction.isGreylisted && meaning.kind === 'ACCEPTED' ? 'UNKNOWN' : classifyCanary(meaning);
    for (const probe of queue.awaitingCanary) this.tell(probe, describeCanary(answer), reply);
    const finding = this.#lane.catchAll.conclude(
      queue.domain,
      { answer, reply, checkedAt: new Date(this.#lane.now()) },
      // Those who come again when the greylisting is over must find nothing in the way of asking it again.
      meaning.kind === 'GREYLISTED' ? ((meaning.retryAfterSeconds ?? 600) - 1) * 1_000 : undefined,
    );
    if (finding) this.#giveFinding(queue, finding, this.#receipts.printOwn(ask, reply));
    else queue.isCanaryAsked = false;
  }

  /** @param lines what was said of the made-up mailbox: part of the receipt of everybody who waited for it */
  #giveFinding(queue: DomainQueue, finding: CatchAllFinding, lines: Outcome['transcript'] = []): void {
    const nobody = this.#receipts.describe('RCPT_TO', { reply: finding.reply });
    this.#lane.queue.settleCanary(queue, (probe) => {
      const outcome = probe.acceptance ?? nobody;
      // As it went over the wire: a canary that was pipelined was sent before the first reply came.
      const transcript = [...outcome.transcript, ...lines].sort((a, b) => a.at.getTime() - b.at.getTime());
      probe.settle({ ...outcome, transcript }, finding);
    });
  }

  /** Not answered, for no fault of the recipient: back to its place, or the end of its tries. */
  askAgain(ask: Ask, describe: () => Outcome): void {
    const { probe, queue } = ask;
    if (!probe) {
      this.#returnCanary(queue);
      return;
    }
    probe.tries++;
    // It was not answered: to those who come after it, it is not one that was asked.
    this.asked--;
    if (probe.tries < MAX_TRIES) {
      this.tell(probe, 'not answered for reasons of the session: to be asked again', null);
      this.#lane.queue.putBack(queue, [probe]);
    } else probe.settle(describe(), this.#lane.catchAll.recall(queue.domain));
  }

  askAllAgain(asks: readonly Ask[], outcome: Outcome): void {
    // From the last, since each goes to the front.
    for (const ask of asks.toReversed()) {
      this.release(ask);
      this.askAgain(ask, () => outcome);
      this.#lane.queue.refresh(ask.queue);
    }
  }

  settleAll(asks: readonly Ask[], outcome: Outcome): void {
    for (const ask of asks) {
      this.release(ask);
      const { probe, queue } = ask;
      if (probe) probe.settle(outcome, this.#lane.catchAll.recall(queue.domain));
      else this.#returnCanary(queue);
      this.#lane.queue.refresh(queue);
    }
  }

  /** The canary went unanswered: somebody asks it again, or it is given up for now. */
  #returnCanary(queue: DomainQueue): void {
    queue.isCanaryAsked = false;
    queue.canaryTries++;
    // Another process may have found out meanwhile: then nobody asks it again.
    const known = this.#lane.catchAll.recall(queue.domain);
    if (known) {
      this.#giveFinding(queue, known);
      return;
    }
    if (queue.canaryTries < MAX_CANARY_TRIES) return;
    const finding = { answer: 'UNKNOWN', reply: null, checkedAt: new Date(this.#lane.now()) } as const;
    this.#lane.catchAll.conclude(queue.domain, finding);
    this.#giveFinding(queue, finding);
  }

  /** It is answered, or will not be. Its queue is to be refreshed once it is known what follows from that. */
  release(ask: Ask): void {
    if (!this.inFlight.delete(ask)) return;
    if (ask.probe) ask.probe.describe = null;
    ask.queue.inFlight--;
  }
}
