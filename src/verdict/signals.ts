import type { Evidence, Reason, Signal } from './types.ts';

type Row = Signal & {
  /** Added to the score of the reason; the sum stays in the band of the status. */
  readonly points: number;
  readonly applies: (evidence: Evidence, reason: Reason) => boolean;
};

/**
 * Facts beside the status: each moves the score by its points and is shown with its effect. None changes the status:
 * a role account, a free or a disposable address is deliverable or not like any other.
 */
export const signalTable: readonly Row[] = [
  {
    code: 'CATCH_ALL_REFUSED',
    effect: 'POSITIVE',
    points: 0,
    message: 'A made-up mailbox of the domain was refused, so acceptance means something.',
    applies: (evidence) => catchAllOf(evidence) === 'NO',
  },
  {
    code: 'CATCH_ALL_DOMAIN',
    effect: 'NEGATIVE',
    points: 0,
    message: 'A made-up mailbox of the domain was accepted too.',
    applies: (evidence) => catchAllOf(evidence) === 'YES',
  },
  {
    code: 'CATCH_ALL_UNKNOWN',
    effect: 'NEGATIVE',
    points: -15,
    message: 'It is not known whether the domain accepts every mailbox.',
    applies: (evidence, reason) => reason === 'MAILBOX_EXISTS' && isCatchAllUnknown(evidence),
  },
  {
    code: 'MAILBOX_BUSY',
    effect: 'POSITIVE',
    points: 14,
    message: 'The mailbox exists and gets more mail at the moment than its provider allows.',
    applies: (evidence) => evidence.kind === 'probe' && evidence.probe.meaning?.kind === 'MAILBOX_BUSY',
  },
  {
    code: 'FORWARDED',
    effect: 'NEUTRAL',
    points: -3,
    message: 'The mail server forwards mail for this mailbox to another one.',
    applies: (evidence) => isAccepted(evidence) && replyCodeOf(evidence) === 251,
  },
  {
    code: 'KNOWN_PROVIDER',
    effect: 'POSITIVE',
    points: 4,
    message: 'The domain is run by a known mailbox provider.',
    applies: (evidence) => factsOf(evidence)?.provider?.kind === 'MAILBOX_PROVIDER',
  },
  {
    code: 'SECURITY_GATEWAY',
    effect: 'NEUTRAL',
    points: -4,
    message: 'A mail filter answers in front of the real mail server, which may still refuse.',
    applies: (evidence) => factsOf(evidence)?.provider?.kind === 'SECURITY_GATEWAY',
  },
  {
    code: 'IMPLICIT_MX',
    effect: 'NEGATIVE',
    points: -4,
    message: 'The domain names no mail server; its web address answers for mail.',
    applies: (evidence) =>
      (evidence.kind === 'probe' || evidence.kind === 'egress') &&
      evidence.hosts.kind === 'exchanges' &&
      evidence.hosts.isImplicit,
  },
  {
    code: 'TYPO_SUSPECTED',
    effect: 'NEGATIVE',
    points: -5,
    message: 'The domain looks like a misspelling of a well-known one.',
    applies: (evidence) => (factsOf(evidence)?.suggestion ?? null) !== null,
  },
  {
    code: 'DISPOSABLE_DOMAIN',
    effect: 'NEGATIVE',
    points: -15,
    message: 'The domain gives out throw-away addresses.',
    applies: (evidence) => factsOf(evidence)?.isDisposable === true,
  },
  {
    code: 'ROLE_ACCOUNT',
    effect: 'NEGATIVE',
    points: -5,
    message: 'The address belongs to a function, not to a person.',
    applies: (evidence) => factsOf(evidence)?.isRole === true,
  },
  {
    code: 'FREE_PROVIDER',
    effect: 'NEUTRAL',
    points: 0,
    message: 'Anybody can get an address at this domain for free.',
    applies: (evidence) => factsOf(evidence)?.isFree === true,
  },
  {
    code: 'NEEDS_SMTPUTF8',
    effect: 'NEUTRAL',
    points: -2,
    message: 'The address has characters outside ASCII, which not every sender can use.',
    applies: (evidence) => evidence.kind !== 'syntax' && evidence.address.requiresSmtpUtf8,
  },
];

/** Accepted, and nobody knows whether the domain accepts everything. */
export function isCatchAllUnknown(evidence: Evidence): boolean {
  return isAccepted(evidence) && (catchAllOf(evidence) ?? 'UNKNOWN') === 'UNKNOWN';
}

function isAccepted(evidence: Evidence): boolean {
  return (
    evidence.kind === 'probe' &&
    evidence.probe.phase === 'RCPT_TO' &&
    evidence.probe.meaning?.kind === 'ACCEPTED'
  );
}

function catchAllOf(evidence: Evidence) {
  return evidence.kind === 'probe' ? evidence.probe.catchAll?.answer : undefined;
}

function replyCodeOf(evidence: Evidence) {
  return evidence.kind === 'probe' ? evidence.probe.reply?.code : undefined;
}

function factsOf(evidence: Evidence) {
  return evidence.kind === 'syntax' ? undefined : evidence.facts;
}
