import { type DomainName, parseDomain } from '../address/index.ts';
import { isDisposable, isFree, providerByDomain, registrableDomain } from '../catalog/index.ts';
import type { DnsFailure, MailExchange } from '../dns/index.ts';
import type { CatchAllFinding } from '../smtp/index.ts';
import { grantedTo } from './access.ts';
import { builder, openEnum } from './builder.ts';
import { asksDns, asksSmtp, type FieldCost } from './field-cost.ts';
import { exchangeOf, MailExchangeType } from './mail-exchange.ts';
import { ProviderType } from './provider.ts';
import { refuse } from './refusal.ts';
import { ReplyType } from './reply.ts';

export type DomainSource = { readonly domain: DomainName; readonly unicodeDomain: string };

const DnsFailureType = builder.enumType('DnsFailure', {
  description: openEnum('Why a question to DNS got no usable answer. Says nothing about the domain.'),
  values: {
    SERVFAIL: { description: 'The resolver could not get an answer from the zone.' },
    TIMEOUT: { description: 'No answer in time.' },
    REFUSED: { description: 'The resolver refused to answer.' },
    BAD_ANSWER: { description: 'The answer could not be read.' },
    NO_RESOLVER: { description: 'No resolver could be reached.' },
    OVERLOADED: { description: 'Too many questions outstanding in this gateway.' },
    ABORTED: { description: 'The client left, or the time for this request ended.' },
  } satisfies Record<DnsFailure, { description: string }>,
});

const MxType = builder.objectRef<MailExchange>('MxRecord').implement({
  description: 'Where mail for a domain goes (RFC 5321 §5.1).',
  fields: (t) => ({
    preference: t.exposeInt('preference', { description: 'Lower is asked first; 0 for an implicit MX.' }),
    exchange: t.field({
      type: MailExchangeType,
      description: 'The host.',
      resolve: ({ host }) => exchangeOf(host),
    }),
  }),
});

const CatchAllAnswerType = builder.enumType('CatchAllAnswer', {
  description: openEnum('Does a domain accept any local part?'),
  values: {
    YES: { description: 'A made-up mailbox was accepted.' },
    NO: { description: 'A made-up mailbox was refused.' },
    UNKNOWN: { description: 'The exchange gave no answer that tells.' },
  } satisfies Record<CatchAllFinding['answer'], { description: string }>,
});

const CatchAllType = builder.objectRef<CatchAllFinding>('CatchAll').implement({
  description: 'What a made-up mailbox of a domain was told; asked at most once in 24 hours.',
  fields: (t) => ({
    answer: t.field({
      type: CatchAllAnswerType,
      description: 'Is it a catch-all?',
      resolve: ({ answer }) => answer,
    }),
    reply: t.field({
      type: ReplyType,
      nullable: true,
      description: 'The reply that told; null when there was none.',
      resolve: ({ reply }) => reply,
    }),
    checkedAt: t.field({
      type: 'DateTime',
      description: 'When it was asked.',
      resolve: ({ checkedAt }) => checkedAt,
    }),
  }),
});

export const DomainType = builder.node(builder.objectRef<DomainSource>('Domain'), {
  description: 'The part after the `@`. Its name and its facts cost nothing; what DNS says costs DNS.',
  id: { resolve: ({ domain }) => domain },
  loadOne: (id) => {
    const parsed = parseDomain(id);
    return parsed.kind === 'domain' ? parsed : null;
  },
  fields: (t) => ({
    name: t.exposeString('domain', { description: 'As A-label in lower case.' }),
    unicodeName: t.exposeString('unicodeDomain', { description: 'As people read it.' }),
    registrableDomain: t.string({
      nullable: true,
      description:
        'The part that was registered, by the Public Suffix List; null for a public suffix itself.',
      resolve: ({ domain }) => registrableDomain(domain),
    }),
    isDisposable: t.boolean({
      description: 'Is it known for throw-away mailboxes?',
      resolve: ({ domain }) => isDisposable(domain),
    }),
    isFree: t.boolean({
      description: 'Can anybody have a mailbox there for free?',
      resolve: ({ domain }) => isFree(domain),
    }),
    provider: t.field({
      type: ProviderType,
      nullable: true,
      extensions: asksDns,
      description: 'Who runs its mail: by its name when that tells, else by its MX, which costs DNS.',
      resolve: ({ domain }, _args, { services, signal }) =>
        providerByDomain(domain) ?? services.verifier.lookupProvider(domain, signal),
    }),
    exists: t.boolean({
      nullable: true,
      extensions: asksDns,
      description: 'Is the name in DNS? Null when DNS fails. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const { kind } = await lookups.mailHosts(domain);
        return kind === 'failure' ? null : kind !== 'domainNotFound';
      },
    }),
    acceptsMail: t.boolean({
      nullable: true,
      extensions: asksDns,
      description: 'Does DNS say where its mail goes? Null when DNS fails. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const { kind } = await lookups.mailHosts(domain);
        return kind === 'failure' ? null : kind === 'exchanges';
      },
    }),
    isNullMx: t.boolean({
      nullable: true,
      extensions: asksDns,
      description: 'Does it say that it takes no mail (RFC 7505)? Null when DNS fails. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const { kind } = await lookups.mailHosts(domain);
        return kind === 'failure' ? null : kind === 'nullMx';
      },
    }),
    isImplicitMx: t.boolean({
      nullable: true,
      extensions: asksDns,
      description:
        'Without MX records, is it its own exchange (RFC 5321 §5.1)? Null when DNS fails. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const hosts = await lookups.mailHosts(domain);
        return hosts.kind === 'failure' ? null : hosts.kind === 'exchanges' && hosts.isImplicit;
      },
    }),
    mx: t.field({
      type: [MxType],
      nullable: true,
      extensions: { ...asksDns, size: { atMost: 10 } } satisfies FieldCost,
      description: 'Its exchanges by preference, at most 10; null when DNS fails. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const hosts = await lookups.mailHosts(domain);
        return hosts.kind === 'failure' ? null : hosts.kind === 'exchanges' ? hosts.exchanges : [];
      },
    }),
    dnsFailure: t.field({
      type: DnsFailureType,
      nullable: true,
      extensions: asksDns,
      description:
        'Why `exists`, `acceptsMail`, `mx` and their kin are null; null when they are not. Costs DNS.',
      resolve: async ({ domain }, _args, { lookups }) => {
        const hosts = await lookups.mailHosts(domain);
        return hosts.kind === 'failure' ? hosts.failure : null;
      },
    }),
    catchAll: t.field({
      type: CatchAllType,
      nullable: true,
      extensions: asksSmtp,
      description:
        'Does it accept any local part? Asks an exchange, unless it was asked in the last 24 hours; null when there is none to ask. Costs DNS and SMTP.',
      resolve: ({ domain }, _args, { services, signal }) => services.verifier.lookupCatchAll(domain, signal),
    }),
  }),
});

builder.queryField('domain', (t) =>
  t.field({
    type: DomainType,
    extensions: grantedTo('verify'),
    description: 'One domain by its name.',
    args: {
      name: t.arg.string({ required: true, description: 'A domain name, as A-label or as people write it.' }),
    },
    resolve: (_root, { name }) => {
      const parsed = parseDomain(name);
      if (parsed.kind === 'fault')
        throw refuse('BAD_DOMAIN', parsed.fault.message, { argument: 'name', problem: parsed.fault.code });
      return parsed;
    },
  }),
);
