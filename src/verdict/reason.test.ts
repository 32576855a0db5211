import { describe, expect, test } from 'vitest';
import type { Provider } from '../catalog/index.ts';
import type { Phase, ProbeEvidence } from '../smtp/index.ts';
import { judge, reasonTable } from './index.ts';
import {
  address,
  attempt,
  canary,
  exchanges,
  failed,
  hosts,
  meaning,
  mx1,
  mx2,
  noFacts,
  probe,
  refused,
  reply,
  unreached,
} from './samples.ts';
import type { Evidence, Reason } from './types.ts';

type Case = readonly [what: string, evidence: Evidence, reason: Reason];

const shy: Provider = {
  id: 'SHY',
  name: 'Shy',
  kind: 'MAILBOX_PROVIDER',
  acceptsBeforeChecking: true,
  note: '',
};
const facts = noFacts;
const shyFacts = { ...noFacts, provider: shy };
const needsUtf8 = { address: { ...address, localPart: 'jö', requiresSmtpUtf8: true } };
const noUtf8At = (...lacking: readonly (typeof mx1)[]) => ({ kind: 'needsSmtpUtf8', lacking }) as const;
const twoHosts = { hosts: exchanges(mx1, mx2) };

const stages: readonly Case[] = [
  [
    'a syntax fault',
    { kind: 'syntax', fault: { code: 'EMPTY', message: 'Nothing.', position: 0 } },
    'INVALID_SYNTAX',
  ],
  ['NXDOMAIN', { kind: 'dns', address, facts, hosts: hosts('domainNotFound') }, 'DOMAIN_NOT_FOUND'],
  ['neither MX nor address', { kind: 'dns', address, facts, hosts: hosts('noMailHost') }, 'NO_MAIL_HOST'],
  ['a null MX', { kind: 'dns', address, facts, hosts: hosts('nullMx') }, 'NULL_MX'],
  ['SERVFAIL', { kind: 'dns', address, facts, hosts: hosts('failure') }, 'DNS_FAILURE'],
  ['exchanges that nobody asked', { kind: 'dns', address, facts, hosts: exchanges(mx1) }, 'INTERNAL'],
  [
    'port 25 closed everywhere',
    { kind: 'egress', address, facts, hosts: exchanges(mx1), probe: null },
    'EGRESS_BLOCKED',
  ],
  ['an asker who harvests', { kind: 'harvest', address, facts, retryAfterSeconds: 60 }, 'HARVEST_LIMITED'],
  ['no time at all', { kind: 'budget', address, facts }, 'OUT_OF_BUDGET'],
  ['a bug', { kind: 'internal', address, facts }, 'INTERNAL'],
];

const acceptances: readonly Case[] = [
  ['a made-up mailbox was refused', probe(), 'MAILBOX_EXISTS'],
  ['a made-up mailbox was accepted', probe({ catchAll: canary('YES') }), 'CATCH_ALL'],
  ['the made-up mailbox got no answer', probe({ catchAll: canary('UNKNOWN') }), 'MAILBOX_EXISTS'],
  ['no made-up mailbox was asked about', probe({ catchAll: null }), 'MAILBOX_EXISTS'],
  [
    'the provider accepts before checking',
    probe({ catchAll: null }, { facts: shyFacts }),
    'ACCEPTS_BEFORE_CHECKING',
  ],
  [
    '… which explains the canary too',
    probe({ catchAll: canary('YES') }, { facts: shyFacts }),
    'ACCEPTS_BEFORE_CHECKING',
  ],
  [
    '… but this exchange was seen to check',
    probe({ catchAll: canary('NO') }, { facts: shyFacts }),
    'MAILBOX_EXISTS',
  ],
  ['252: accepted unchecked', probe({ reply: reply(252) }), 'ACCEPTS_BEFORE_CHECKING'],
  ['251: will forward', probe({ reply: reply(251) }), 'MAILBOX_EXISTS'],
  [
    'accepted, then dropped',
    probe({ fault: { kind: 'closed', phase: 'RCPT_TO' }, catchAll: null }),
    'MAILBOX_EXISTS',
  ],
];

const refusals: readonly Case[] = [
  ['no such mailbox', probe(refused('MAILBOX_NOT_FOUND')), 'MAILBOX_NOT_FOUND'],
  ['known-bad with 450', probe(refused('MAILBOX_NOT_FOUND', 'RCPT_TO', 450)), 'MAILBOX_NOT_FOUND'],
  ['disabled', probe(refused('MAILBOX_DISABLED')), 'MAILBOX_DISABLED'],
  ['full', probe(refused('MAILBOX_FULL', 'RCPT_TO', 452)), 'MAILBOX_FULL'],
  ['busy', probe(refused('MAILBOX_BUSY', 'RCPT_TO', 450)), 'RATE_LIMITED'],
  ['greylisted', probe(refused('GREYLISTED', 'RCPT_TO', 450)), 'GREYLISTED'],
  ['rate limited in the greeting', probe(refused('RATE_LIMITED', 'GREETING', 421)), 'RATE_LIMITED'],
  ['too many recipients', probe(refused('TOO_MANY_RECIPIENTS', 'RCPT_TO', 452)), 'RATE_LIMITED'],
  ['our IP in the greeting', probe(refused('IP_BLOCKED', 'GREETING', 554)), 'PROBER_BLOCKED'],
  ['our IP at RCPT TO', probe(refused('IP_BLOCKED')), 'PROBER_BLOCKED'],
  ['our EHLO name', probe(refused('EHLO_REFUSED', 'EHLO')), 'PROBER_BLOCKED'],
  ['our reverse path', probe(refused('SENDER_REFUSED', 'MAIL_FROM')), 'PROBER_BLOCKED'],
  ['TLS that it does not offer', probe(refused('TLS_REQUIRED', 'MAIL_FROM', 530)), 'TLS_FAILED'],
  ['STARTTLS refused for good', probe(refused('POLICY', 'STARTTLS', 554)), 'TLS_FAILED'],
  ['our IP at STARTTLS', probe(refused('IP_BLOCKED', 'STARTTLS', 554)), 'PROBER_BLOCKED'],
  ['STARTTLS refused for now', probe(refused('TEMPORARY', 'STARTTLS', 454)), 'TEMPORARY_FAILURE'],
  ['authentication', probe(refused('AUTH_REQUIRED', 'MAIL_FROM', 530)), 'POLICY_REFUSED'],
  ['relaying', probe(refused('RELAY_REFUSED')), 'POLICY_REFUSED'],
  ['a policy', probe(refused('POLICY')), 'POLICY_REFUSED'],
  ['a temporary failure', probe(refused('TEMPORARY', 'RCPT_TO', 451)), 'TEMPORARY_FAILURE'],
  ['a correct command called wrong', probe(refused('SYNTAX_REFUSED', 'RCPT_TO', 501)), 'PROTOCOL_ERROR'],
  ['a reply of no sense', probe(refused('NOT_UNDERSTOOD', 'RCPT_TO', 354)), 'PROTOCOL_ERROR'],
  [
    'SMTPUTF8 that the address needs',
    probe(refused('SMTPUTF8_REQUIRED', 'RCPT_TO', 553), needsUtf8),
    'SMTPUTF8_UNSUPPORTED',
  ],
  [
    '… of one exchange of two',
    probe(refused('SMTPUTF8_REQUIRED', 'RCPT_TO', 553), { ...needsUtf8, ...twoHosts }),
    'POLICY_REFUSED',
  ],
  ['… for now', probe(refused('SMTPUTF8_REQUIRED', 'RCPT_TO', 450), needsUtf8), 'TEMPORARY_FAILURE'],
  ['… of the sender', probe(refused('SMTPUTF8_REQUIRED', 'MAIL_FROM', 553), needsUtf8), 'POLICY_REFUSED'],
  ['SMTPUTF8 that it does not need', probe(refused('SMTPUTF8_REQUIRED', 'RCPT_TO', 553)), 'POLICY_REFUSED'],
  ['null MX behind the exchange', probe(refused('NO_MAIL_ACCEPTED', 'RCPT_TO', 556)), 'NULL_MX'],
  ['521 of the only exchange', probe(refused('NO_MAIL_ACCEPTED', 'GREETING', 521)), 'NO_MAIL_HOST'],
  [
    '521 of one exchange of two',
    probe(refused('NO_MAIL_ACCEPTED', 'GREETING', 521), twoHosts),
    'POLICY_REFUSED',
  ],
];

const faults: readonly Case[] = [
  ['no greeting in time', probe(failed({ kind: 'timeout', phase: 'GREETING' })), 'TIMEOUT'],
  ['no reply to RCPT TO in time', probe(failed({ kind: 'timeout', phase: 'RCPT_TO' })), 'TIMEOUT'],
  ['hung up', probe(failed({ kind: 'closed', phase: 'MAIL_FROM' })), 'PROTOCOL_ERROR'],
  [
    'garbage',
    probe(failed({ kind: 'protocol', phase: 'GREETING', detail: 'not a reply' })),
    'PROTOCOL_ERROR',
  ],
  [
    'a failed handshake',
    probe(failed({ kind: 'tls', phase: 'TLS_HANDSHAKE', detail: 'alert' })),
    'TLS_FAILED',
  ],
  ['no SMTPUTF8', probe(failed(noUtf8At(mx1)), needsUtf8), 'SMTPUTF8_UNSUPPORTED'],
  [
    'no SMTPUTF8 at either',
    probe(failed(noUtf8At(mx1, mx2)), { ...needsUtf8, ...twoHosts }),
    'SMTPUTF8_UNSUPPORTED',
  ],
  [
    'no SMTPUTF8, and the other exchange has no address',
    probe(
      { ...failed(noUtf8At(mx1)), attempts: [attempt('connected'), attempt('noAddress', mx2)] },
      { ...needsUtf8, ...twoHosts },
    ),
    'SMTPUTF8_UNSUPPORTED',
  ],
  [
    '… is at an address of ours alone',
    probe(
      { ...failed(noUtf8At(mx1)), attempts: [attempt('connected'), attempt('unroutable', mx2)] },
      { ...needsUtf8, ...twoHosts },
    ),
    'SMTPUTF8_UNSUPPORTED',
  ],
  [
    '… is at such a one and at one that is down',
    probe(
      {
        ...failed(noUtf8At(mx1)),
        attempts: [attempt('connected'), attempt('unroutable', mx2), attempt('connectTimeout', mx2)],
      },
      { ...needsUtf8, ...twoHosts },
    ),
    'HOST_UNREACHABLE',
  ],
  [
    '… cannot be looked up',
    probe(
      { ...failed(noUtf8At(mx1)), attempts: [attempt('connected'), attempt('dnsFailure', mx2)] },
      { ...needsUtf8, ...twoHosts },
    ),
    'DNS_FAILURE',
  ],
  ['… was not tried', probe(failed(noUtf8At(mx1)), { ...needsUtf8, ...twoHosts }), 'HOST_UNREACHABLE'],
  ['the deadline', probe(failed({ kind: 'budget', phase: 'EHLO' })), 'OUT_OF_BUDGET'],
  [
    'accepted so far, then hung up',
    probe({
      ...failed({ kind: 'closed', phase: 'RCPT_TO' }),
      reply: reply(250),
      meaning: meaning('ACCEPTED'),
      phase: 'MAIL_FROM',
    }),
    'PROTOCOL_ERROR',
  ],
  [
    'refused, then hung up',
    probe({ ...refused('IP_BLOCKED', 'MAIL_FROM'), fault: { kind: 'closed', phase: 'MAIL_FROM' } }),
    'PROBER_BLOCKED',
  ],
  [
    'connecting timed out',
    probe({ ...unreached(attempt('connectTimeout')), fault: { kind: 'timeout', phase: 'CONNECT' } }),
    'HOST_UNREACHABLE',
  ],
  ['connected, and then nothing is known', probe({ reply: null, meaning: null, phase: 'EHLO' }), 'INTERNAL'],
];

const attempts: readonly Case[] = [
  ['refused', probe(unreached(attempt('connectFailed'))), 'HOST_UNREACHABLE'],
  ['timed out', probe(unreached(attempt('connectTimeout'))), 'HOST_UNREACHABLE'],
  ['no address at all', probe(unreached(attempt('noAddress'))), 'NO_MAIL_HOST'],
  [
    'no address at any',
    probe(unreached(attempt('noAddress'), attempt('noAddress', mx2)), twoHosts),
    'NO_MAIL_HOST',
  ],
  ['loopback', probe(unreached(attempt('unroutable'))), 'UNROUTABLE_MAIL_HOST'],
  [
    'loopback and no address',
    probe(unreached(attempt('unroutable'), attempt('noAddress', mx2)), twoHosts),
    'UNROUTABLE_MAIL_HOST',
  ],
  ['SERVFAIL', probe(unreached(attempt('dnsFailure'))), 'DNS_FAILURE'],
  [
    'one witness not heard: loopback and SERVFAIL',
    probe(unreached(attempt('unroutable'), attempt('dnsFailure', mx2)), twoHosts),
    'DNS_FAILURE',
  ],
  [
    'one witness not heard: no address and SERVFAIL',
    probe(unreached(attempt('noAddress'), attempt('dnsFailure', mx2)), twoHosts),
    'DNS_FAILURE',
  ],
  [
    'one witness down: loopback and refused',
    probe(unreached(attempt('unroutable'), attempt('connectFailed', mx2)), twoHosts),
    'HOST_UNREACHABLE',
  ],
  [
    'down tells more than not found',
    probe(unreached(attempt('dnsFailure'), attempt('connectTimeout', mx2)), twoHosts),
    'HOST_UNREACHABLE',
  ],
  ['one witness not asked', probe(unreached(attempt('noAddress')), twoHosts), 'HOST_UNREACHABLE'],
  ['no attempt', probe(unreached()), 'INTERNAL'],
];

describe.each([
  ['a stage', stages],
  ['accepted', acceptances],
  ['refused', refusals],
  ['a fault', faults],
  ['nobody reached', attempts],
])('%s', (_, cases) => {
  test.each(cases)('%s', (__, evidence, reason) => {
    expect(judge(evidence)).toMatchObject({ reason, status: reasonTable[reason].status });
  });
});

test('every reason is reached', () => {
  const reached = [...stages, ...acceptances, ...refusals, ...faults, ...attempts].map(
    ([, , reason]) => reason,
  );
  expect(new Set(reached)).toEqual(new Set(Object.keys(reasonTable)));
});

/** What DESIGN promises first: before RCPT TO nobody has heard of the mailbox. */
test('no refusal before RCPT TO is undeliverable, but of the only host that takes no mail', () => {
  const kinds: readonly NonNullable<ProbeEvidence['meaning']>['kind'][] = [
    'MAILBOX_NOT_FOUND',
    'MAILBOX_DISABLED',
    'MAILBOX_FULL',
    'MAILBOX_BUSY',
    'GREYLISTED',
    'RATE_LIMITED',
    'TOO_MANY_RECIPIENTS',
    'IP_BLOCKED',
    'SENDER_REFUSED',
    'EHLO_REFUSED',
    'TLS_REQUIRED',
    'AUTH_REQUIRED',
    'SMTPUTF8_REQUIRED',
    'RELAY_REFUSED',
    'POLICY',
    'TEMPORARY',
    'SYNTAX_REFUSED',
    'NOT_UNDERSTOOD',
  ];
  const phases: readonly Phase[] = ['GREETING', 'EHLO', 'STARTTLS', 'MAIL_FROM'];
  const statuses = kinds.flatMap((kind) =>
    phases.flatMap((phase) => [450, 550].map((code) => judge(probe(refused(kind, phase, code))).status)),
  );
  expect(new Set(statuses)).toEqual(new Set(['UNKNOWN']));
});
