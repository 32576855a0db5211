import { expect, test } from 'vitest';
import { type DomainName, type EmailAddress, type ExchangeHost, parseAddress } from '../address/index.ts';
import type { MailHosts } from '../dns/index.ts';
import { createFacts } from './facts.ts';

const address = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(parsed.fault.code);
  return parsed.address;
};
const at = (domain: string, ...hosts: readonly [string, ...string[]]): MailHosts => ({
  kind: 'exchanges',
  domain: domain as DomainName,
  exchanges: hosts.map((host) => ({ host: host as ExchangeHost, preference: 10 })) as never,
  isImplicit: false,
});
const nowhere = (domain: string): MailHosts => ({ kind: 'nullMx', domain: domain as DomainName });
const google = 'aspmx.l.google.com';
const microsoft = 'firm-test.mail.protection.outlook.com';

/** Asked in this order of one reader: what was kept of an earlier row must not colour a later one. */
test.each([
  ['a person', 'ada@firm.test', undefined, {}],
  ['a role at the same domain', 'info@firm.test', undefined, { isRole: true }],
  ['a person after a role', 'ada@firm.test', undefined, {}],
  ['the exchange tells', 'ada@firm.test', at('firm.test', google), { provider: 'GOOGLE_WORKSPACE' }],
  ['a role there', 'info@firm.test', at('firm.test', google), { isRole: true, provider: 'GOOGLE_WORKSPACE' }],
  ['nobody asked for it', 'ada@firm.test', undefined, {}],
  ['only the first exchange', 'ada@firm.test', at('firm.test', 'mx.firm.test', google), {}],
  ['it moved', 'ada@firm.test', at('firm.test', microsoft), { provider: 'MICROSOFT_365' }],
  ['it takes no mail any more', 'ada@firm.test', nowhere('firm.test'), {}],
  ['another domain', 'ada@other.test', at('other.test', 'mx.other.test'), {}],
  ['free by name', 'ada@gmail.com', undefined, { isFree: true, provider: 'GMAIL' }],
  [
    'the name before the exchange',
    'ada@gmail.com',
    at('gmail.com', microsoft),
    { isFree: true, provider: 'GMAIL' },
  ],
  ['a typo', 'ada@gmail.con', undefined, { suggestion: 'ada@gmail.com' }],
  ['another at the typo', 'bob@gmail.con', undefined, { suggestion: 'bob@gmail.com' }],
  ['disposable', 'ada@mailinator.com', undefined, { isDisposable: true }],
] as const)('%s', (_, text, hosts, expected) => {
  const { provider, ...found } = facts.read(address(text), hosts);
  expect({ ...found, provider: provider?.id ?? null }).toEqual({
    isRole: false,
    isFree: false,
    isDisposable: false,
    suggestion: null,
    provider: null,
    ...expected,
  });
});
const facts = createFacts();
