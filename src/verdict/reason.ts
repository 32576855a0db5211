import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt, Meaning, SessionFault } from '../smtp/index.ts';
import type { Evidence, Reason } from './types.ts';

type Probe = Extract<Evidence, { readonly kind: 'probe' }>;

/**
 * The reason for a verdict, by the stage at which the verification stopped.
 *
 * Hard facts need all witnesses, soft ones only one: UNDELIVERABLE is given only when everything that was asked says
 * so, and one witness who could not be heard makes it unknown.
 */
export function classifyEvidence(evidence: Evidence): Reason {
  switch (evidence.kind) {
    case 'syntax':
      return 'INVALID_SYNTAX';
    case 'dns':
      return classifyHosts(evidence.hosts.kind);
    case 'egress':
      return 'EGRESS_BLOCKED';
    case 'harvest':
      return 'HARVEST_LIMITED';
    case 'probe':
      return classifyProbe(evidence);
    case 'budget':
      return 'OUT_OF_BUDGET';
    case 'internal':
      return 'INTERNAL';
  }
}

type HostsKind = Extract<Evidence, { readonly kind: 'dns' }>['hosts']['kind'];

function classifyHosts(kind: HostsKind): Reason {
  switch (kind) {
    case 'nullMx':
      return 'NULL_MX';
    case 'domainNotFound':
      return 'DOMAIN_NOT_FOUND';
    case 'noMailHost':
      return 'NO_MAIL_HOST';
    case 'failure':
      return 'DNS_FAILURE';
    case 'exchanges':
      // There was somebody to ask and nobody was asked: only a bug of ours stops there.
      return 'INTERNAL';
  }
}

/**
 * A refusal decides, and so does any reply to RCPT TO: what happened to the session afterwards (it was dropped, the
 * canary timed out) does not take it back. Else the fault that ended the session. Else nobody was reached, and the
 * attempts tell why.
 */
function classifyProbe(evidence: Probe): Reason {
  const { reply, meaning, phase, fault, attempts } = evidence.probe;
  if (reply !== null && meaning !== null && (meaning.kind !== 'ACCEPTED' || phase === 'RCPT_TO')) {
    return classifyMeaning(evidence, meaning, reply.code);
  }
  if (fault !== null) return classifyFault(evidence, fault);
  if (attempts.some(({ outcome }) => outcome.kind === 'connected')) return 'INTERNAL';
  return classifyAttempts(evidence);
}

/** Meanings that name one reason in every phase. The others need a look at the evidence. */
const reasonOf = {
  MAILBOX_BUSY: 'RATE_LIMITED',
  GREYLISTED: 'GREYLISTED',
  RATE_LIMITED: 'RATE_LIMITED',
  // The session should have asked the rest in another transaction; until then it is a limit like any other.
  TOO_MANY_RECIPIENTS: 'RATE_LIMITED',
  IP_BLOCKED: 'PROBER_BLOCKED',
  SENDER_REFUSED: 'PROBER_BLOCKED',
  EHLO_REFUSED: 'PROBER_BLOCKED',
  TLS_REQUIRED: 'TLS_FAILED',
  AUTH_REQUIRED: 'POLICY_REFUSED',
  RELAY_REFUSED: 'POLICY_REFUSED',
  POLICY: 'POLICY_REFUSED',
  TEMPORARY: 'TEMPORARY_FAILURE',
  SYNTAX_REFUSED: 'PROTOCOL_ERROR',
  NOT_UNDERSTOOD: 'PROTOCOL_ERROR',
  MAILBOX_NOT_FOUND: 'MAILBOX_NOT_FOUND',
  MAILBOX_DISABLED: 'MAILBOX_DISABLED',
  MAILBOX_FULL: 'MAILBOX_FULL',
  ACCEPTED: null,
  SMTPUTF8_REQUIRED: null,
  NO_MAIL_ACCEPTED: null,
} as const satisfies Record<Meaning['kind'], Reason | null>;

function classifyMeaning(evidence: Probe, { kind }: Meaning, code: number): Reason {
  const { phase } = evidence.probe;
  switch (kind) {
    case 'ACCEPTED':
      return classifyAcceptance(evidence, code);
    case 'MAILBOX_NOT_FOUND':
    case 'MAILBOX_DISABLED':
    case 'MAILBOX_FULL':
      // Before RCPT TO the server has not heard of the mailbox, whatever its words are.
      if (phase !== 'RCPT_TO') return code < 500 ? 'TEMPORARY_FAILURE' : 'POLICY_REFUSED';
      return reasonOf[kind];
    case 'SMTPUTF8_REQUIRED':
      return classifySmtpUtf8Refusal(evidence, code);
    case 'NO_MAIL_ACCEPTED':
      return classifyNoMail(evidence);
    case 'POLICY':
    case 'SYNTAX_REFUSED':
      // A server that offered STARTTLS and then refuses it leaves us without the TLS that we had need of.
      return phase === 'STARTTLS' ? 'TLS_FAILED' : reasonOf[kind];
    default:
      return reasonOf[kind];
  }
}

/**
 * Accepted: what that is worth depends on whether the domain would have accepted anything.
 *
 *  - A made-up mailbox was refused: the exchange checks, whatever is said of its provider. MAILBOX_EXISTS.
 *  - The server says that it did not check (252, RFC 5321 §3.5.3), or its provider is known not to:
 *    ACCEPTS_BEFORE_CHECKING. That explains an accepted made-up mailbox too, so it comes before CATCH_ALL.
 *  - A made-up mailbox was accepted: CATCH_ALL.
 *  - Not known (it was greylisted, dropped, never asked): MAILBOX_EXISTS still, with a lower score, the signal
 *    CATCH_ALL_UNKNOWN and a short life. Most domains are no catch-alls, so the acceptance is most likely true, and a
 *    wrong one costs a bounce in some percent of cases; UNKNOWN would cost every customer of a server that shuns made-up
 *    mailboxes a good address, each time it is asked.
 */
function classifyAcceptance({ probe, facts }: Probe, code: number): Reason {
  const answer = probe.catchAll?.answer ?? 'UNKNOWN';
  if (code === 252) return 'ACCEPTS_BEFORE_CHECKING';
  if (answer === 'NO') return 'MAILBOX_EXISTS';
  if (facts.provider?.acceptsBeforeChecking === true) return 'ACCEPTS_BEFORE_CHECKING';
  return answer === 'YES' ? 'CATCH_ALL' : 'MAILBOX_EXISTS';
}

/**
 * "This host accepts no mail" is about the domain when the domain has only this host, or when it was said of the
 * recipient's domain (5.1.10 at RCPT TO). One of several exchanges may simply be retired.
 */
function classifyNoMail({ hosts, probe }: Probe): Reason {
  if (probe.phase === 'RCPT_TO') return 'NULL_MX';
  return hosts.kind === 'exchanges' && hosts.exchanges.length === 1 ? 'NO_MAIL_HOST' : 'POLICY_REFUSED';
}

/**
 * An exchange that offers SMTPUTF8 and refuses the address for it (x.6.7). About the address only when it needs the
 * extension, was named, for good, and by the only exchange there is: another one may take it.
 */
function classifySmtpUtf8Refusal({ address, hosts, probe: { phase } }: Probe, code: number): Reason {
  if (code < 500) return 'TEMPORARY_FAILURE';
  const isOnlyOne = hosts.kind === 'exchanges' && hosts.exchanges.length === 1;
  return address.requiresSmtpUtf8 && phase === 'RCPT_TO' && isOnlyOne
    ? 'SMTPUTF8_UNSUPPORTED'
    : 'POLICY_REFUSED';
}

/**
 * The address needs SMTPUTF8 and no exchange that spoke to us offers it. A fact only when each of the set said so, or
 * is one that no mail can get to; of those that were not heard, the attempts tell why.
 */
function classifyNoSmtpUtf8({ hosts, probe: { attempts } }: Probe, lacking: readonly ExchangeHost[]): Reason {
  if (hosts.kind !== 'exchanges') return 'INTERNAL';
  const unheard = hosts.exchanges.filter(
    ({ host }) => !lacking.includes(host) && !isOutOfReach(attempts.filter((one) => one.host === host)),
  );
  if (unheard.length === 0) return 'SMTPUTF8_UNSUPPORTED';
  const ofUnheard = attempts.filter((one) => unheard.some(({ host }) => host === one.host));
  if (ofUnheard.some(isConnectFailure)) return 'HOST_UNREACHABLE';
  return ofUnheard.some(({ outcome }) => outcome.kind === 'dnsFailure') ? 'DNS_FAILURE' : 'HOST_UNREACHABLE';
}

/** Has the host no address that the internet can reach? */
function isOutOfReach(attempts: readonly ConnectAttempt[]): boolean {
  return (
    attempts.length > 0 &&
    attempts.every(({ outcome }) => outcome.kind === 'noAddress' || outcome.kind === 'unroutable')
  );
}

function classifyFault(evidence: Probe, fault: SessionFault): Reason {
  const { attempts } = evidence.probe;
  switch (fault.kind) {
    case 'timeout':
      // Nobody was connected to: that is the more exact finding.
      return fault.phase === 'CONNECT' && attempts.some(isConnectFailure) ? 'HOST_UNREACHABLE' : 'TIMEOUT';
    case 'closed':
    case 'protocol':
      return 'PROTOCOL_ERROR';
    case 'tls':
      return 'TLS_FAILED';
    case 'needsSmtpUtf8':
      return classifyNoSmtpUtf8(evidence, fault.lacking);
    case 'budget':
      return 'OUT_OF_BUDGET';
  }
}

/**
 * Nobody was connected to. In this order:
 *  1. a connection was refused or timed out: there is a host, and it may be back;
 *  2. a look-up failed: there may be a host that we could not find;
 *  3. an exchange was not tried: it might have answered;
 *  4. only now every witness says that mail cannot get there: at least one is unroutable, the rest have no address.
 */
function classifyAttempts({ hosts, probe: { attempts } }: Probe): Reason {
  if (attempts.length === 0) return 'INTERNAL';
  if (attempts.some(isConnectFailure)) return 'HOST_UNREACHABLE';
  if (attempts.some(({ outcome }) => outcome.kind === 'dnsFailure')) return 'DNS_FAILURE';
  const tried = new Set(attempts.map(({ host }) => host));
  if (hosts.kind === 'exchanges' && !hosts.exchanges.every(({ host }) => tried.has(host))) {
    return 'HOST_UNREACHABLE';
  }
  return attempts.some(({ outcome }) => outcome.kind === 'unroutable')
    ? 'UNROUTABLE_MAIL_HOST'
    : 'NO_MAIL_HOST';
}

function isConnectFailure({ outcome }: ConnectAttempt): boolean {
  return outcome.kind === 'connectFailed' || outcome.kind === 'connectTimeout';
}
