import { type ExchangeHost, parseExchangeHost } from '../address/index.ts';
import { providerByExchange } from '../catalog/index.ts';
import type { HostAddress } from '../dns/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { asksDns, asksSmtp, type FieldCost } from './field-cost.ts';
import { GreetingType } from './greeting.ts';
import { ProviderType } from './provider.ts';
import { refuse } from './refusal.ts';

export type MailExchangeSource = { readonly host: ExchangeHost };

export const exchangeOf = (host: ExchangeHost): MailExchangeSource => ({ host });

const ExchangeAddressType = builder.objectRef<HostAddress>('ExchangeAddress').implement({
  description: 'One IP address of a mail exchange.',
  fields: (t) => ({
    ip: t.exposeString('ip', { description: 'In its usual text form.' }),
    family: t.exposeInt('family', { description: '4 or 6.' }),
    ptr: t.string({
      nullable: true,
      extensions: asksDns,
      description:
        'The name that the address points back to; null when there is none or DNS fails. Costs DNS.',
      resolve: async ({ ip }, _args, { services, signal }) => {
        const names = await services.dns.lookupNames(ip, signal);
        return names.kind === 'names' ? (names.names[0] ?? null) : null;
      },
    }),
    isRoutable: t.boolean({
      description:
        'May it be connected to? False for special-purpose addresses: loopback, private, link-local …',
      resolve: ({ ip }, _args, { services }) => services.guard.classifyAddress(ip).isRoutable,
    }),
  }),
});

export const MailExchangeType = builder.node(builder.objectRef<MailExchangeSource>('MailExchange'), {
  description: 'A host that takes mail for domains (RFC 5321 §2.3.9).',
  id: { resolve: ({ host }) => host },
  loadOne: (id) => {
    const host = parseExchangeHost(id);
    return host === null ? null : exchangeOf(host);
  },
  fields: (t) => ({
    host: t.exposeString('host', { description: 'Its name as A-label.' }),
    addresses: t.field({
      type: [ExchangeAddressType],
      nullable: true,
      extensions: { ...asksDns, size: { atMost: 4 } } satisfies FieldCost,
      description: 'Its addresses, at most 4; empty when it has none, null when DNS fails. Costs DNS.',
      resolve: async ({ host }, _args, { services, signal }) => {
        const found = await services.dns.lookupAddresses(host, signal);
        return found.kind === 'failure' ? null : found.kind === 'none' ? [] : found.addresses;
      },
    }),
    provider: t.field({
      type: ProviderType,
      nullable: true,
      description: 'Who runs it, by its name; null when that is not known.',
      resolve: ({ host }) => providerByExchange(host),
    }),
    greeting: t.field({
      type: GreetingType,
      nullable: true,
      extensions: asksSmtp,
      description:
        'What it says of itself before anybody is asked about; null when it could not be asked in time. Costs one SMTP session, remembered for some minutes; at most 20 exchanges an operation.',
      resolve: ({ host }, _args, { lookups }) => lookups.greeting(host),
    }),
  }),
});

builder.queryField('mailExchange', (t) =>
  t.field({
    type: MailExchangeType,
    extensions: grantedTo('verify'),
    description: 'One mail exchange by its host name. Only `greeting` asks the host anything.',
    args: { host: t.arg.string({ required: true, description: 'A host name, such as an MX record has.' }) },
    resolve: (_root, { host }) => {
      const parsed = parseExchangeHost(host);
      if (parsed === null) throw refuse('BAD_DOMAIN', 'host is not a host name.', { argument: 'host' });
      return exchangeOf(parsed);
    },
  }),
);
