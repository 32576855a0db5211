/**
 * Every time and ceiling of the conversations, with the runaway that each prevents. Those of one reply are beside its
 * reader (`protocol/reply-reader.ts`).
 */

/** In milliseconds. RFC 5321 §4.5.3.2 gives minutes to each, which is right for a queue and wrong for a question. */
export type Timeouts = {
  /** RFC: none. Two SYN retransmissions (1 s, 3 s) fit in; a host that needs more will not hold a conversation. */
  readonly connectMs: number;
  /** RFC: 5 min. postscreen waits 6 s and Sendmail's greet_pause 5 s before they speak, on purpose. */
  readonly greetingMs: number;
  /** RFC: 5 min. Room for a server that looks up our name twice, with one resolver dead. */
  readonly ehloMs: number;
  readonly startTlsMs: number;
  /** Both flights and a slow key. */
  readonly tlsHandshakeMs: number;
  /** RFC: 5 min. */
  readonly mailFromMs: number;
  /** RFC: 5 min. Policy services and call-outs run here: Postfix's own recipient verification takes 6 to 9 s. For each reply, not each octet. */
  readonly rcptToMs: number;
  /** RFC: 2 min. We have what we came for. */
  readonly quitMs: number;
  /** From the first look-up to a session that is ready, over all exchanges and addresses. */
  readonly openMs: number;
  /** How long an unused session is kept. Postfix keeps its own for 2 s; servers end theirs after some tens of seconds. */
  readonly idleMs: number;
  /** The whole life of a session, as Postfix's smtp_connection_reuse_time_limit: a tarpit must not keep it for ever. */
  readonly sessionMs: number;
  /** A session silent for this long does not keep others from being opened for those who wait. */
  readonly patienceMs: number;
  /**
   * A pipelined write, longer than those that were answered before, whose MAIL FROM was answered and nothing after it
   * for this long (half as long again once a recipient was): the rest may be lost, and is asked one at a time in a new
   * session. Short enough to leave time for that; a server that is only slow costs a session once.
   */
  readonly pipelineMs: number;
  /** When no session is left for lanes that wait, one that has had this long makes way: a huge job must not keep all. */
  readonly shareMs: number;
};

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 5_000,
  greetingMs: 12_000,
  ehloMs: 10_000,
  startTlsMs: 10_000,
  tlsHandshakeMs: 10_000,
  mailFromMs: 10_000,
  rcptToMs: 20_000,
  quitMs: 2_000,
  openMs: 30_000,
  idleMs: 5_000,
  sessionMs: 300_000,
  patienceMs: 1_000,
  pipelineMs: 4_000,
  shareMs: 5_000,
};

/** Exchanges and addresses of each that are tried for one session: an MX set of thousands is a denial of service. */
export const MAX_EXCHANGES = 10;
export const MAX_ADDRESSES_PER_EXCHANGE = 4;
/** Exchanges that may refuse us before we believe them: knocking at ten doors of a house that said no is abuse. */
export const MAX_REFUSALS_WHILE_OPENING = 3;

/** Octets read in one session. A reply is bounded already; this bounds their sum, lies included. */
export const MAX_SESSION_OCTETS = 8 * 1024 * 1024;
/** Past this a session is not given more work, so that an honest long one never meets the ceiling above. */
export const RETIRE_AFTER_OCTETS = 4 * 1024 * 1024;

/**
 * Refusals (4xx or 5xx to MAIL FROM or RCPT TO) that one session may see. Postfix starts to stall a client at 10
 * (smtpd_soft_error_limit) and hangs up at 20; others are stricter. Also how many RCPT TO may be outstanding, since
 * each of them may be refused: that bounds what is ever buffered for writing to some 3 KB a session.
 */
export const MAX_REFUSALS_PER_SESSION = 8;
/** Recipients of one transaction; every server must take 100 (RFC 5321 §4.5.3.1.8). */
export const MAX_RECIPIENTS_PER_TRANSACTION = 100;
/** Sessions in which one recipient is asked: hang-ups, 421 and 452 4.5.3 must not go round for ever. */
export const MAX_TRIES = 3;
/** Transactions in which a made-up mailbox is tried before the answer is UNKNOWN. */
export const MAX_CANARY_TRIES = 2;

/** Waiting requests for each open session, above which a lane opens another. */
export const BACKLOG_PER_SESSION = 64;
/** Requests waiting in one lane, and in all: past it a request is told at once that there is no room. */
export const MAX_QUEUED_PER_LANE = 50_000;
export const MAX_QUEUED = 200_000;
/** Lanes whose memory is kept; the one unused for longest is forgotten first. */
export const MAX_LANES = 20_000;
/** Domains whose catch-all answer is kept. */
export const MAX_CATCH_ALL_DOMAINS = 100_000;

/** Lines of a transcript, and characters of one: enough for a greeting, EHLO twice and TLS. */
export const MAX_TRANSCRIPT_ENTRIES = 250;
export const MAX_TRANSCRIPT_CHARACTERS = 1_000;

/** How long a lane or a domain that said we are blocked is left alone. */
export const BLOCK_PAUSE_MS = 5 * 60_000;
/** Domains of one lane that may say so before the whole lane is left alone. */
export const MAX_BLOCKED_DOMAINS = 2;
/**
 * Told to slow down: rate and sessions are halved, not for each of the eight replies of one write but once a second,
 * which is also longer than most round trips: so a halving is felt before the next.
 */
export const HALVE_AT_MOST_EVERY_MS = 1_000;
/** Where halving ends. Slower than one probe in two seconds is no conversation: then a session costs more than it asks. */
export const MIN_PROBES_PER_SECOND = 0.5;
/** From what halving starts where the operator set no limit: the default of the setting. */
export const ASSUMED_PROBES_PER_SECOND = 20;
/** A fortieth of the rate comes back every 15 s: from nothing to all in 10 min, about how long rate windows are. */
export const RECOVERY_STEP_MS = 15_000;
export const RECOVERY_STEPS = 40;
/** A session comes back each minute. */
export const RECOVERY_STEPS_PER_SESSION = 4;
/** A stated delay up to this is waited for with everybody in the queue; a longer one is told to those who wait. */
export const SHORT_HOLD_MS = 3_000;
/** How long a lane is left alone that wants us slower still when we are at the slowest, and does not say how long. */
export const SLOWEST_HOLD_SECONDS = 60;
/** The longest that one reply stops a lane, however long a delay it states: a peer must not stop us for a day. */
export const MAX_HOLD_MS = 60 * 60_000;

/** Openings in a row without any connection before a lane is believed to be dead: one may have been a lost packet. */
export const BREAKER_FAILURES = 2;
/** How long it is then left alone: doubled with each trial that fails. A reboot takes a minute or two. */
export const BREAKER_OPEN_MS = 30_000;
/** The longest: it is also for how long a host that came back may stay unnoticed. */
export const BREAKER_MAX_OPEN_MS = 10 * 60_000;
/** How long what was learned of a lane's exchanges is believed. */
export const LEARNED_LIFE_MS = 60 * 60_000;

/** Greylisted recipients of a lane whose passing is waited for: a few are enough to learn a delay from. */
export const MAX_GREYLISTED_PER_LANE = 100;
/** How long a learned greylisting delay, or a recipient that was put off, is remembered. */
export const GREYLIST_LIFE_MS = 24 * 60 * 60_000;
/** One that passed later than this was asked too late to teach anything; postgrey waits 5 min, others up to an hour. */
export const MAX_GREYLIST_DELAY_MS = 60 * 60_000;

/** RCPT_… gives no setting for these: YES and NO are a property of the domain, UNKNOWN of the moment. */
export const CATCH_ALL_LIFE_MS = 24 * 60 * 60_000;
/** Below the first RCPT_GREYLIST_RETRY (5 min), so that the second try may ask again. */
export const CATCH_ALL_UNKNOWN_LIFE_MS = 3 * 60_000;

/** What other processes found out is waited for this long, once: a store in trouble costs a moment and no verdict. */
export const FACTS_DEADLINE_MS = 200;
/** How long a store that failed is then left alone; the look-up that tries it anew is waited for by nobody. */
export const FACTS_PAUSE_MS = 10_000;
/** A subject is looked up once in this time, and so is one of which nothing is known. */
export const LOOKED_UP_LIFE_MS = 60_000;
/** Subjects whose look-up is remembered: a list of millions of domains must not fill the heap. */
export const MAX_LOOKED_UP = 100_000;
/** Subjects of one look-up, and facts of one write: a statement of the store must stay short. */
export const MAX_FACTS_AT_ONCE = 1_000;
/** What is learned is written together, this long after the first of it. */
export const FACTS_GATHER_MS = 500;
/** Facts that wait for being written: past it the oldest are given up, since somebody can find them out again. */
export const MAX_FACTS_WAITING = 20_000;
/** One write, and the last ones when the process ends. */
export const FACTS_WRITE_DEADLINE_MS = 2_000;

/** How often a process says on which lanes it works, and hears who else does. */
export const SHARES_BEAT_MS = 2_000;
/** While its share is not settled: so soon others are heard to have made room. */
export const SHARES_SOON_MS = 250;
/** Not heard of for so long, a process is gone, and its part is the others': three beats missed. */
export const SHARES_LIFE_MS = 8_000;
/** Whoever comes to a lane first waits this long to hear its share, once: a store in trouble costs a moment. */
export const SHARES_JOIN_MS = 200;
/** One call of the store: shorter than what a beat may be late in a life. */
export const SHARES_DEADLINE_MS = 2_000;
/** Lanes of one call: a statement of the store must stay short. */
export const MAX_CLAIMS_AT_ONCE = 1_000;
