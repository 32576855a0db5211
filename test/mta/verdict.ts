/** What our gateway would say of evidence that a real server gave: classify and judge, with no fact beside it. */
import type { MailHosts } from '../../src/dns/index.ts';
import type { ProbeEvidence, ProbeRequest, Prober } from '../../src/smtp/index.ts';
import { judge, type Reason } from '../../src/verdict/index.ts';
import { ask, makeAddress, makeExchanges } from '../smtp/world.ts';

export type Answered = {
  readonly reason: Reason;
  /** Code and text of the reply, or the fault: what to read when a test fails. */
  readonly said: string;
  readonly evidence: ProbeEvidence;
};

export const verify = async (
  prober: Prober,
  text: string,
  fields: Partial<ProbeRequest> = {},
): Promise<Answered> => {
  const address = makeAddress(text);
  const exchanges = makeExchanges('mx.test');
  const hosts: MailHosts = { kind: 'exchanges', domain: address.domain, exchanges, isImplicit: false };
  const evidence = await prober.probe(ask(text, { exchanges, deadline: Date.now() + 15_000, ...fields }));
  const { reason } = judge({
    kind: 'probe',
    address,
    hosts,
    probe: evidence,
    facts: { isRole: false, isFree: false, isDisposable: false, provider: null, suggestion: null },
  });
  const { reply, fault } = evidence;
  const said = reply
    ? [reply.code, reply.enhancedCode, reply.text].filter((part) => part !== null).join(' ')
    : JSON.stringify(fault);
  return { reason, said, evidence };
};

export const verifyAll = (
  prober: Prober,
  texts: readonly string[],
  fields: Partial<ProbeRequest> = {},
): Promise<Answered[]> => Promise.all(texts.map((text) => verify(prober, text, fields)));

/** `user0@known.test`, `user1@known.test` … */
export const names = (prefix: string, count: number, domain: string): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@${domain}`);

/** The made-up mailbox that asks whether a domain is a catch-all. */
export const isCanary = (path: string): boolean => /^[a-z][a-z0-9]{15}@/.test(path);
