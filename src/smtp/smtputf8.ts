/**
 * Who takes an address that needs SMTPUTF8 (RFC 6531). The exchange that a lane speaks with may lack it while another
 * of the set has it, so the others are asked in turn, each by the lane of those that are left: limits and memory stay
 * where they are. That nobody offers it is a fact only when everybody was heard; who was not, is in the attempts.
 *
 * Exchanges that were connected to and gave no session are asked once more, by themselves, for their own evidence.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { MailExchange } from '../dns/index.ts';
import type { ProbeEvidence, ProbeRequest } from './types.ts';

type Exchanges = ProbeRequest['exchanges'];

/** @param ask asks the lane of a set of exchanges */
export const askForSmtpUtf8 = async (
  exchanges: Exchanges,
  ask: (exchanges: Exchanges) => Promise<ProbeEvidence>,
): Promise<ProbeEvidence> => {
  const lacking = new Set<ExchangeHost>();
  const tried = new Set<ExchangeHost>();
  const askedAlone = new Set<ExchangeHost>();

  const planNext = (attempts: ProbeEvidence['attempts']): readonly MailExchange[] => {
    const untried = exchanges.filter(({ host }) => !tried.has(host));
    if (untried.length > 0) return untried;
    const connected = new Set(
      attempts.flatMap(({ host, outcome }) => (outcome.kind === 'connected' ? [host] : [])),
    );
    const unheard = exchanges.filter(
      ({ host }) => connected.has(host) && !lacking.has(host) && !askedAlone.has(host),
    );
    for (const { host } of unheard) askedAlone.add(host);
    return unheard;
  };

  let evidence = await ask(exchanges);
  // Each round tries an exchange that was not tried, or asks one alone that was not yet.
  while (evidence.fault?.kind === 'needsSmtpUtf8') {
    if (evidence.exchange) lacking.add(evidence.exchange);
    for (const host of [...lacking, ...evidence.attempts.map((attempt) => attempt.host)]) tried.add(host);
    const lackers = { kind: 'needsSmtpUtf8', lacking: [...lacking] } as const;
    const [first, ...others] = planNext(evidence.attempts);
    if (!first) return { ...evidence, fault: lackers };
    const next = await ask([first, ...others]);
    if (isUnreached(next)) for (const { host } of [first, ...others]) tried.add(host);
    evidence = join({ ...evidence, fault: lackers }, next);
  }
  return evidence;
};

/** Nobody spoke; the attempts say why. */
const isUnreached = ({ reply, fault }: ProbeEvidence): boolean => reply === null && fault === null;

/** One receipt of both, which is the later one's unless that reached nobody. */
const join = (before: ProbeEvidence, next: ProbeEvidence): ProbeEvidence => {
  const text = `${before.exchange} does not offer SMTPUTF8: another exchange may`;
  const note = { at: next.startedAt, direction: 'NOTE', text } as const;
  return {
    ...(isUnreached(next) ? before : next),
    attempts: [...before.attempts, ...next.attempts],
    transcript: [...before.transcript, note, ...next.transcript],
    startedAt: before.startedAt,
    durationMs: before.durationMs + next.durationMs,
  };
};
