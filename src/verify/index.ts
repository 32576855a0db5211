/**
 * One address, from text to verdict with its receipt: syntax, then what is remembered, then DNS, then SMTP, each
 * paid for only when the one before leaves the question open.
 *
 * Concurrent askers of one address share one examination; each has its own budget and may leave without harming
 * the others. `watch` shows its stages, and can wait where we were told to come back. Here, too, is found out whether
 * port 25 is open for us at all, and here the greetings of exchanges are remembered. A verdict is remembered for as long
 * as `verdict` says it lives, in the process and in a memory that survives a restart (`VerificationMemory`, a port that
 * `store` implements). An asker that guesses mailboxes of a domain is not answered any more (`harvest.ts`).
 *
 * Refuses to decide anything about replies (`smtp/meaning`) or verdicts (`verdict`), and never rejects for
 * anything that the address, its servers or the memory did: trouble of ours is an UNKNOWN with its reason.
 * Limits: 10,000 verdicts, another 500 of lists, 10,000 domains and 1,000 greetings in the process; a budget for each
 * verification (RCPT_TIMEOUT_MS); 32 unread events a watcher, 10,000 watchers that wait for a retry; 10,000
 * counts of guesses a priority, and 10,000 askers in line behind them.
 */

export { planWaitSeconds } from './retry.ts';
export type * from './types.ts';
export { createVerifier } from './verifier.ts';
