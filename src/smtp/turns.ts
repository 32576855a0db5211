/**
 * The turns of one session: whom it asks next, put into the words of the dialogue and written. One transaction after
 * another, each of one domain; one RCPT TO for each probe, and last the made-up mailbox.
 *
 * Refuses to know what an answer means: that is the conversation's.
 */
import type { AskingLane, Asks } from './asks.ts';
import { type Batch, type Transaction, takeBatch } from './batch.ts';
import type { LaneMemory } from './lane-memory.ts';
import type { Pipelining } from './pipelining.ts';
import type { Probe } from './probe.ts';
import type { Recipient } from './protocol/index.ts';
import type { Ask, Receipts } from './receipts.ts';
import type { Session } from './session.ts';
import type { Tally } from './tally.ts';
import type { TokenBucket } from './token-bucket.ts';

export type TurnsLane = AskingLane & {
  readonly memory: LaneMemory;
  readonly bucket: TokenBucket;
  readonly mailFrom: string;
  /** Is nobody to be asked for now? */
  readonly isStopped: boolean;
};

export type TurnsOptions = {
  readonly session: Session<Ask>;
  readonly lane: TurnsLane;
  readonly asks: Asks;
  readonly receipts: Receipts;
  readonly tally: Tally;
  readonly pipelining: Pipelining;
};

/**
 * `asked`     a batch went out.
 * `again`     nobody was asked, and there may be more to take.
 * `nothing`   nobody may be asked in this session now.
 * `idle`      nobody waits.
 * `noToken`   somebody waits for the lane's rate.
 */
export type Turn = 'asked' | 'again' | 'nothing' | 'idle' | 'noToken';

export class Turns {
  readonly #options: TurnsOptions;
  #transaction: Transaction | null = null;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get usesSmtpUtf8(): boolean {
    return this.#transaction?.usesSmtpUtf8 ?? false;
  }

  /** TLS begins: the server knows of no transaction any more. */
  forget(): void {
    this.#transaction = null;
  }

  take(): Turn {
    const { session, lane, asks, tally, pipelining } = this.#options;
    const { queue, memory, bucket } = lane;
    const { capabilities } = session;
    if (!queue.hasWork || lane.isStopped) return 'idle';
    const tokens = bucket.available();
    if (tokens < 1) return 'noToken';
    const isPipelined = pipelining.isUsed;
    const wasFull = this.#transaction?.isFull ?? true;
    const batch = takeBatch(queue, {
      isPipelined,
      isQuiet: session.isQuiet,
      open: session.canAsk ? this.#transaction : null,
      recipientsPerTransaction: memory.recipientsPerTransaction(capabilities),
      window: tally.patience(isPipelined) - asks.inFlight.size,
      tokens,
    });
    if (!batch) {
      // The open transaction stood in the way and does no more: a new one may begin.
      const isFullNow = !wasFull && (this.#transaction?.isFull ?? false);
      return session.isQuiet && isFullNow ? 'again' : 'nothing';
    }
    if (batch.usesSmtpUtf8 && !capabilities.offersSmtpUtf8) {
      this.#settleUnasked(batch);
      return 'again';
    }
    this.#ask(batch);
    return 'asked';
  }

  #settleUnasked({ queue, probes }: Batch): void {
    const { lane, receipts } = this.#options;
    const outcome = receipts.describe('MAIL_FROM', {
      fault: { kind: 'needsSmtpUtf8', lacking: [receipts.exchange] },
    });
    for (const probe of probes) probe.settle(outcome, lane.catchAll.recall(queue.domain));
    lane.queue.refresh(queue);
  }

  #ask(batch: Batch): void {
    const { session, lane, asks, tally, pipelining } = this.#options;
    const transaction = batch.transaction ?? openTransaction(batch);
    const recipients = prepareRecipients(batch, transaction, this.#options);
    lane.bucket.take(recipients.length);
    if (asks.inFlight.size === recipients.length) tally.restartSilence();
    if (batch.transaction) session.ask(recipients);
    else {
      tally.begun();
      this.#transaction = transaction;
      const { usesSmtpUtf8 } = batch;
      const isUnpipelined = !pipelining.isUsed;
      session.begin({ reversePath: lane.mailFrom, usesSmtpUtf8, isUnpipelined }, recipients);
    }
    const last = recipients.at(-1);
    if (last) pipelining.written(last.tag);
  }
}

const openTransaction = ({ queue: { domain }, usesSmtpUtf8 }: Batch): Transaction => ({
  domain,
  usesSmtpUtf8,
  asked: 0,
  accepted: 0,
  hasCanary: false,
  isGreylisted: false,
  isFull: false,
});

/** Counts everybody of the batch as asked and out; what is given is to be sent at once. */
const prepareRecipients = (
  { queue, probes, hasCanary }: Batch,
  transaction: Transaction,
  { lane, asks, receipts, tally }: TurnsOptions,
): readonly Recipient<Ask>[] => {
  const { domain } = queue;
  const inEarlier = asks.asked - transaction.asked;
  const recipients: Recipient<Ask>[] = [];
  const add = (probe: Probe | null, localPart: string): void => {
    const before = { inTransaction: transaction.asked, inEarlier };
    const ask: Ask = { probe, queue, localPart, before, transaction, sent: null };
    if (probe) {
      probe.describe = () => receipts.ofAbandoned(ask);
      transaction.asked++;
      asks.asked++;
    }
    asks.inFlight.add(ask);
    recipients.push({ forwardPath: `${localPart}@${domain}`, tag: ask });
  };
  const how = tally.transactions > 0 ? ' in a session that was kept' : '';
  for (const probe of probes) {
    add(probe, probe.question.address?.localPart ?? '');
    asks.tell(probe, `asking about the mailbox${how}`, null);
  }
  if (hasCanary) {
    for (const probe of queue.awaitingCanary) asks.tell(probe, 'asking about a made-up mailbox', null);
    queue.isCanaryAsked = true;
    transaction.hasCanary = true;
    add(null, lane.catchAll.readLocalPart(domain));
  }
  queue.inFlight += recipients.length;
  lane.queue.refresh(queue);
  return recipients;
};
