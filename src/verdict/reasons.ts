import type { Reason, Status } from './types.ts';

/**
 * What a status promises, and the band that its scores stay in. Bands do not overlap, so that sorting by score never
 * puts a mailbox that refused us above one that we only failed to reach.
 */
export const statusTable = {
  DELIVERABLE: {
    description: "The recipient's own mail server accepts mail for this address.",
    lowest: 70,
    highest: 100,
  },
  RISKY: {
    description: 'Mail is accepted for the address, or the mailbox is there, but it may still not arrive.',
    lowest: 50,
    highest: 69,
  },
  UNKNOWN: {
    description:
      'It could not be found out, and nothing of that is the fault of the address: the reason says what was in the way.',
    lowest: 11,
    highest: 49,
  },
  UNDELIVERABLE: {
    description: 'Mail to this address will be refused: its syntax, its domain or its mail server says so.',
    lowest: 0,
    highest: 10,
  },
} as const satisfies Record<
  Status,
  { readonly description: string; readonly lowest: number; readonly highest: number }
>;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type ReasonRow = {
  readonly status: Status;
  /** For the schema: when this reason is given. */
  readonly description: string;
  /** For a person, about one address, without naming it. */
  readonly summary: string;
  /** Before any signal; within the band of the status. */
  readonly score: number;
  /**
   * How long the verdict may be remembered. After Postfix verify(8): accepted 7 d (address_verify_positive_refresh_time),
   * refused between 3 h and 3 d (address_verify_negative_refresh_time, _expire_time). What is unknown is asked again
   * within minutes; what depends on the asker (its budget, its limit, our bug) is not remembered at all.
   */
  readonly lifeSeconds: number;
  /** When asking again may tell more, unless the evidence states a delay; null when it will not. */
  readonly retryAfterSeconds: number | null;
};

/** Every reason once: its status, its words, its numbers. The schema's descriptions are printed from it. */
export const reasonTable = {
  MAILBOX_EXISTS: {
    status: 'DELIVERABLE',
    description:
      'The exchange accepted the recipient and refuses made-up mailboxes of the domain. Where a made-up mailbox could not be asked about, the signal CATCH_ALL_UNKNOWN says so and the score is lower.',
    summary: 'The mail server accepts mail for this mailbox and refuses made-up ones.',
    score: 95,
    lifeSeconds: 7 * DAY,
    retryAfterSeconds: null,
  },
  INVALID_SYNTAX: {
    status: 'UNDELIVERABLE',
    description: 'The text is not an address that SMTP could carry; `syntax.problem` has code and position.',
    summary: 'The text is not a valid email address.',
    score: 0,
    lifeSeconds: 7 * DAY,
    retryAfterSeconds: null,
  },
  DOMAIN_NOT_FOUND: {
    status: 'UNDELIVERABLE',
    description: 'The domain does not exist (NXDOMAIN).',
    summary: 'The domain does not exist.',
    score: 0,
    lifeSeconds: 3 * HOUR,
    retryAfterSeconds: null,
  },
  NO_MAIL_HOST: {
    status: 'UNDELIVERABLE',
    description:
      'The domain has neither MX nor A or AAAA records, none of its mail hosts has an address, or its only mail host says that it accepts no mail (RFC 5321 §5.1, RFC 7504).',
    summary: 'The domain has no mail server.',
    score: 0,
    lifeSeconds: 3 * HOUR,
    retryAfterSeconds: null,
  },
  NULL_MX: {
    status: 'UNDELIVERABLE',
    description: 'The domain declares that it accepts no mail (null MX, RFC 7505).',
    summary: 'The domain declares that it accepts no mail.',
    score: 0,
    lifeSeconds: DAY,
    retryAfterSeconds: null,
  },
  UNROUTABLE_MAIL_HOST: {
    status: 'UNDELIVERABLE',
    description:
      'Every mail host of the domain is at a special-purpose address (loopback, private, link-local, metadata …) that the public internet cannot reach. We never connect to one.',
    summary: 'The mail servers of the domain are at addresses that the internet cannot reach.',
    score: 1,
    lifeSeconds: 3 * HOUR,
    retryAfterSeconds: null,
  },
  MAILBOX_NOT_FOUND: {
    status: 'UNDELIVERABLE',
    description: 'The exchange says that there is no such mailbox (5.1.1 and kin, said about the recipient).',
    summary: 'The mail server says that this mailbox does not exist.',
    score: 2,
    lifeSeconds: DAY,
    retryAfterSeconds: null,
  },
  MAILBOX_DISABLED: {
    status: 'UNDELIVERABLE',
    description: 'The exchange says that the mailbox is disabled (5.2.1 and kin, said about the recipient).',
    summary: 'The mail server says that this mailbox is disabled.',
    score: 5,
    lifeSeconds: 3 * DAY,
    retryAfterSeconds: null,
  },
  SMTPUTF8_UNSUPPORTED: {
    status: 'UNDELIVERABLE',
    description: 'The local part needs SMTPUTF8 (RFC 6531) and no exchange of the domain offers it.',
    summary: 'The mail server cannot take addresses with characters outside ASCII.',
    score: 5,
    lifeSeconds: 3 * DAY,
    retryAfterSeconds: null,
  },
  CATCH_ALL: {
    status: 'RISKY',
    description:
      'The exchange accepted the recipient, and a made-up mailbox of the domain too: acceptance tells nothing about this one.',
    summary: 'The mail server accepts every mailbox of this domain, so this one may not exist.',
    score: 62,
    lifeSeconds: DAY,
    retryAfterSeconds: null,
  },
  ACCEPTS_BEFORE_CHECKING: {
    status: 'RISKY',
    description:
      'The exchange belongs to a provider known to accept every recipient and to refuse later, or says itself (reply 252) that it did not check.',
    summary: 'The mail server accepts first and checks later, so this mailbox may not exist.',
    score: 60,
    lifeSeconds: DAY,
    retryAfterSeconds: null,
  },
  MAILBOX_FULL: {
    status: 'RISKY',
    description: 'The mailbox exists but is full (4.2.2 or 5.2.2, said about the recipient).',
    summary: 'The mailbox exists but is full.',
    score: 52,
    lifeSeconds: 3 * HOUR,
    retryAfterSeconds: null,
  },
  GREYLISTED: {
    status: 'UNKNOWN',
    description: 'The exchange asks every stranger to come back later; `retryAt` says when.',
    summary: 'The mail server asks unknown senders to come back later (greylisting).',
    score: 40,
    lifeSeconds: 15 * MINUTE,
    // postgrey's default delay and the first step of RCPT_GREYLIST_RETRY.
    retryAfterSeconds: 5 * MINUTE,
  },
  RATE_LIMITED: {
    status: 'UNKNOWN',
    description:
      'The exchange says that it is asked too often, by us or for this mailbox; `retryAt` says when to ask again.',
    summary: 'The mail server limits how often it answers.',
    score: 35,
    lifeSeconds: 15 * MINUTE,
    retryAfterSeconds: 15 * MINUTE,
  },
  PROBER_BLOCKED: {
    status: 'UNKNOWN',
    description:
      'The exchange refuses us: our IP address, EHLO name, reverse path or reputation. It says nothing about the mailbox, at whichever stage it was said.',
    summary: 'The mail server refuses to talk to this verifier; that says nothing about the mailbox.',
    score: 30,
    lifeSeconds: 30 * MINUTE,
    retryAfterSeconds: null,
  },
  TEMPORARY_FAILURE: {
    status: 'UNKNOWN',
    description:
      'The exchange answered with a temporary failure (4xx) of another kind; `retryAt` says when to ask again.',
    summary: 'The mail server has a temporary problem.',
    score: 35,
    lifeSeconds: 15 * MINUTE,
    retryAfterSeconds: 15 * MINUTE,
  },
  HOST_UNREACHABLE: {
    status: 'UNKNOWN',
    description: 'No exchange of the domain could be connected to.',
    summary: 'No mail server of the domain could be reached.',
    score: 20,
    lifeSeconds: 10 * MINUTE,
    retryAfterSeconds: null,
  },
  TIMEOUT: {
    status: 'UNKNOWN',
    description: 'The exchange did not answer in time; the evidence says in which phase.',
    summary: 'The mail server did not answer in time.',
    score: 25,
    lifeSeconds: 10 * MINUTE,
    retryAfterSeconds: null,
  },
  TLS_FAILED: {
    status: 'UNKNOWN',
    description: 'The exchange insists on TLS, and it could not be agreed on.',
    summary: 'The mail server insists on encryption, which could not be set up.',
    score: 28,
    lifeSeconds: 30 * MINUTE,
    retryAfterSeconds: null,
  },
  PROTOCOL_ERROR: {
    status: 'UNKNOWN',
    description:
      'What answered does not speak SMTP: endless or oversized replies, refusals of correct commands, dropped in mid-dialogue.',
    summary: 'The mail server does not keep to the mail protocol.',
    score: 20,
    lifeSeconds: 30 * MINUTE,
    retryAfterSeconds: null,
  },
  POLICY_REFUSED: {
    status: 'UNKNOWN',
    description: 'The exchange refused for good (5xx) for a reason that is neither the mailbox nor us.',
    summary: 'The mail server refused by a rule of its own that says nothing about the mailbox.',
    score: 25,
    lifeSeconds: 30 * MINUTE,
    retryAfterSeconds: null,
  },
  DNS_FAILURE: {
    status: 'UNKNOWN',
    description:
      "The mail hosts could not be looked up (SERVFAIL, timeout, refused): the resolver's or the zone's trouble.",
    summary: 'The mail servers of the domain could not be looked up.',
    score: 20,
    lifeSeconds: 2 * MINUTE,
    retryAfterSeconds: null,
  },
  EGRESS_BLOCKED: {
    status: 'UNKNOWN',
    description: 'This gateway cannot reach port 25 anywhere: found out once, not for each address.',
    summary: 'This verifier cannot reach any mail server from where it runs.',
    score: 30,
    lifeSeconds: MINUTE,
    retryAfterSeconds: null,
  },
  HARVEST_LIMITED: {
    status: 'UNKNOWN',
    description:
      'This API key was told of so many unknown mailboxes of the domain that its questions look like address harvesting: nobody was asked, nor was memory, and `retryAt` says from when they are answered again. It says nothing about the mailbox.',
    summary: 'Too many unknown mailboxes of this domain were asked about; this one was not looked up.',
    score: 30,
    // The asker's own, like its budget: another one may ask.
    lifeSeconds: 0,
    // The evidence says when.
    retryAfterSeconds: null,
  },
  OUT_OF_BUDGET: {
    status: 'UNKNOWN',
    description: "The deadline or the client's limit came first.",
    summary: 'There was not enough time to find out.',
    score: 30,
    lifeSeconds: 0,
    retryAfterSeconds: null,
  },
  INTERNAL: {
    status: 'UNKNOWN',
    description: 'A fault of this gateway; it was counted and says nothing about the address.',
    summary: 'This verifier failed; that says nothing about the address.',
    score: 30,
    lifeSeconds: 0,
    retryAfterSeconds: null,
  },
} as const satisfies Record<Reason, ReasonRow>;
