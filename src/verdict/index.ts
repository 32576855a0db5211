/**
 * Evidence and what follows from it: the only place where a verdict is drawn.
 *
 * `judge` takes the receipt of one verification, whatever stage it stopped at, and gives status, reason, score,
 * signals, and how long to believe it. It refuses to blame the mailbox for anything that is not said about it: our
 * own trouble, the resolver's, the server's is UNKNOWN with the reason. It reads meanings, never text.
 *
 *  - `reason.ts`   evidence → reason, decided in words above each step;
 *  - `reasons.ts`  reason → status, words, score, life, time to ask again: a table;
 *  - `signals.ts`  facts beside the status that move the score within the band of the status: a table.
 *
 * Pure: no clock, so all times are seconds from when the evidence was taken.
 */

import { classifyEvidence } from './reason.ts';
import { type ReasonRow, reasonTable, statusTable } from './reasons.ts';
import { isCatchAllUnknown, signalTable } from './signals.ts';
import type { Evidence, Reason, Verdict } from './types.ts';

export { type ReasonRow, reasonTable, statusTable } from './reasons.ts';
export { signalTable } from './signals.ts';
export type * from './types.ts';

/** An acceptance that could not be checked against a made-up mailbox is asked again within the hour. */
const UNCHECKED_LIFE_SECONDS = 3_600;

/** One verdict from the evidence of one address. Total: every evidence has exactly one reason. */
export function judge(evidence: Evidence): Verdict {
  const reason = classifyEvidence(evidence);
  const row: ReasonRow = reasonTable[reason];
  const rows = signalTable.filter(({ applies }) => applies(evidence, reason));
  const retryAfterSeconds = planRetry(evidence, row);
  return {
    status: row.status,
    reason,
    score: rate(
      row,
      rows.reduce((sum, { points }) => sum + points, 0),
    ),
    summary: summarize(evidence, reason, row),
    signals: rows.map(({ code, effect, message }) => ({ code, effect, message })),
    retryAfterSeconds,
    lifeSeconds: planLife(evidence, reason, row, retryAfterSeconds),
  };
}

function rate({ status, score }: ReasonRow, points: number): number {
  const { lowest, highest } = statusTable[status];
  return Math.min(highest, Math.max(lowest, score + points));
}

function summarize(evidence: Evidence, reason: Reason, { summary }: ReasonRow): string {
  if (evidence.kind === 'syntax') return evidence.fault.message;
  if (reason !== 'SMTPUTF8_UNSUPPORTED' && lacksSmtpUtf8(evidence))
    return 'The mail server that was reached cannot take characters outside ASCII; another one of the domain may.';
  return reason === 'MAILBOX_EXISTS' && isCatchAllUnknown(evidence)
    ? 'The mail server accepts mail for this mailbox; whether it would refuse a made-up one is not known.'
    : summary;
}

/** Did an exchange lack it, and was another not heard? */
function lacksSmtpUtf8(evidence: Evidence): boolean {
  return evidence.kind === 'probe' && evidence.probe.fault?.kind === 'needsSmtpUtf8';
}

/** What the evidence states comes before our own habit, for whatever can change by waiting. */
function planRetry(evidence: Evidence, { status, retryAfterSeconds }: ReasonRow): number | null {
  if (evidence.kind === 'harvest') return evidence.retryAfterSeconds;
  const stated = evidence.kind === 'probe' ? (evidence.probe.meaning?.retryAfterSeconds ?? null) : null;
  return status === 'UNKNOWN' ? (stated ?? retryAfterSeconds) : retryAfterSeconds;
}

/** Never past the time to ask again: a remembered "come back later" must not answer the one who came back. */
function planLife(
  evidence: Evidence,
  reason: Reason,
  { lifeSeconds }: ReasonRow,
  retryAfterSeconds: number | null,
): number {
  const life =
    reason === 'MAILBOX_EXISTS' && isCatchAllUnknown(evidence)
      ? Math.min(lifeSeconds, UNCHECKED_LIFE_SECONDS)
      : lifeSeconds;
  return retryAfterSeconds === null ? life : Math.min(life, retryAfterSeconds);
}
