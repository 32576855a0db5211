/**
 * Asks exchanges about mailboxes, as a delivery would begin and without one: connect, EHLO, MAIL FROM, RCPT TO, and
 * leave before DATA. `createProber` takes questions and gives evidence: the reply, who gave it, what it means and
 * the transcript. Inside: `protocol` (SMTP without a socket), `meaning` (what a reply says), `session` (a socket's
 * deadlines), `connect` (exchanges and addresses in order, past the `guard`), `lane` (sessions shared per MX set,
 * batches, turns, memory) and `conversation` (one session at work).
 *
 * Refuses to send DATA, to draw a verdict, to resolve names (a port does), to connect to an address that the
 * guard did not judge, and to go on where it is told to stop. Never rejects for anything that a peer did.
 *
 * Limits are in `limits.ts`, one name and one reason each: 8 refusals a session, 100 recipients a transaction,
 * 10 exchanges and 4 addresses each, 30 s to open a session, 5 min for its life, 8 MB read.
 */
export { createGuard, type Guard } from './guard.ts';
export type { LaneClaim, LaneNode, LaneShares } from './lane-shares.ts';
export type { Meaning } from './meaning/index.ts';
export { createProber, type ProberOptions } from './prober.ts';
export type { Fact, SharedFacts } from './shared-facts.ts';
export type * from './types.ts';
