/** Whom a session asks next, and in which transaction: decided here, done in `conversation`. */
import type { DomainName } from '../address/index.ts';
import type { DomainQueue, LaneQueue } from './lane-queue.ts';
import type { Probe } from './probe.ts';

/** One MAIL FROM and what was asked in it: always one domain, since some providers refuse mixed ones. */
export type Transaction = {
  readonly domain: DomainName;
  readonly usesSmtpUtf8: boolean;
  /** Mailboxes asked; the canary is not counted. */
  asked: number;
  accepted: number;
  hasCanary: boolean;
  /** A mailbox asked in it was greylisted: what is then accepted in it is no proof of anything. */
  isGreylisted: boolean;
  /** It takes no more recipients: the server said so, or the next in line need another envelope. */
  isFull: boolean;
};

export type Batch = {
  readonly queue: DomainQueue;
  /** Null: a new transaction begins. */
  readonly transaction: Transaction | null;
  readonly usesSmtpUtf8: boolean;
  readonly probes: readonly Probe[];
  /** A made-up mailbox goes last. */
  readonly hasCanary: boolean;
};

export type Capacity = {
  readonly isPipelined: boolean;
  /** Is no reply awaited, so that a new transaction may begin? */
  readonly isQuiet: boolean;
  /** The open transaction, when the server would take more recipients in it. */
  readonly open: Transaction | null;
  readonly recipientsPerTransaction: number;
  /** How many RCPT TO may go out now: what refusals the session may still see, less what is outstanding. */
  readonly window: number;
  /** Whole tokens of the lane's rate, at least one. The canary may go on credit. */
  readonly tokens: number;
};

/**
 * Takes a batch out of the queue: from the open transaction's domain while it may go on, else from the next in turn
 * once the session is quiet.
 *
 * Real mailboxes come first and the canary last, since some servers hang up after a refusal. It rides along when
 * the write is pipelined and the domain's state unknown; without PIPELINING it goes once somebody waits for it.
 *
 * @returns null when nothing fits now. When the open transaction is what stands in the way, it is marked full.
 */
export const takeBatch = (lane: LaneQueue, capacity: Capacity): Batch | null => {
  const { isPipelined, isQuiet, open, recipientsPerTransaction, window, tokens } = capacity;
  const recipients = open ? open.asked + (open.hasCanary ? 1 : 0) : 0;
  const canGoOn = open !== null && !open.isFull && recipients < recipientsPerTransaction;
  const same = canGoOn ? lane.goOn(open.domain) : null;
  const transaction = same ? open : null;
  if (!same && !isQuiet) return null;
  // The MAIL FROM that goes in the same write may be refused as well, and counts like a recipient.
  const outstanding = isPipelined && !same && window > 1 ? window - 1 : window;
  const room = Math.min(outstanding, recipientsPerTransaction - (same ? recipients : 0), tokens + 1);
  if (room <= 0) return null;
  const queue = same ?? lane.next();
  if (!queue) return null;

  const wantsCanary = lane.wantsCanary(queue) && !transaction?.hasCanary && !transaction?.isGreylisted;
  const isDue = wantsCanary && lane.isCanaryDue(queue);
  const most = Math.min(tokens, wantsCanary && (isDue || room > 1) ? room - 1 : room);
  const probes = lane.take(queue, transaction?.usesSmtpUtf8 ?? null, most);
  const rides = isPipelined && probes.length > 0;
  const hasCanary = wantsCanary && (isDue || rides) && probes.length < room;
  if (probes.length === 0 && !hasCanary) {
    if (transaction) transaction.isFull = true;
    lane.refresh(queue);
    return null;
  }
  const usesSmtpUtf8 =
    transaction?.usesSmtpUtf8 ?? probes.some((probe) => probe.question.address?.requiresSmtpUtf8);
  return { queue, transaction, usesSmtpUtf8, probes, hasCanary };
};
