/**
 * One address, from text to verdict with its receipt: syntax, then what is remembered, then DNS, then SMTP, each
 * paid for only when the one before leaves the question open.
 *
 * Concurrent askers of one address share one examination; each has its own budget and may leave without harming
 * the others. A verdict is remembered for as long as `verdict` says it lives, in the process and in a memory that
 * survives a restart (`VerificationMemory`, a port that `store` implements).
 *
 * Refuses to decide anything about replies (`smtp/meaning`) or verdicts (`verdict`), and never rejects for
 * anything that the address, its servers or the memory did: trouble of ours is an UNKNOWN with its reason.
 * Limits: 10,000 verdicts in the process; a budget for each verification (RCPT_TIMEOUT_MS).
 */
export type * from './types.ts';
export { createVerifier } from './verifier.ts';
