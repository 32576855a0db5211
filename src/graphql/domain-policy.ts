import { registrableDomain } from '../catalog/index.ts';
import {
  type DmarcDisposition,
  type DmarcPolicy,
  lookupDmarc,
  lookupMtaSts,
  lookupSpf,
  lookupTlsRpt,
  type MtaStsPolicy,
  type PolicyFailure,
  type SpfPolicy,
  type TlsRptPolicy,
} from '../dns/index.ts';
import { builder, openEnum } from './builder.ts';
import { DomainType } from './domain.ts';
import { asksDns } from './field-cost.ts';

/** A failure is shown inside the policy, so that null says one thing only: nothing is published. */
const failureText = ({ failure }: PolicyFailure): string => `The record could not be asked for: ${failure}.`;

const recordText = 'As published, strings joined; null when it could not be asked for.';
const problemText = 'One sentence: the first fault, or why nothing can be said; null when all is well.';

const SpfQualifierType = builder.enumType('SpfQualifier', {
  description: openEnum('What SPF says about a host that sends (RFC 7208 §4.6.2).'),
  values: {
    PASS: { description: '`+`: may send.' },
    FAIL: { description: '`-`: may not send.' },
    SOFTFAIL: { description: '`~`: probably may not send.' },
    NEUTRAL: { description: '`?`: nothing is said.' },
  } satisfies Record<NonNullable<SpfPolicy['allQualifier']>, { description: string }>,
});

const SpfType = builder.objectRef<SpfPolicy | PolicyFailure>('SpfPolicy').implement({
  description: 'Which hosts may send mail for a domain (RFC 7208).',
  fields: (t) => ({
    record: t.string({
      nullable: true,
      description: recordText,
      resolve: (spf) => (spf.kind === 'failure' ? null : spf.record),
    }),
    isValid: t.boolean({
      nullable: true,
      description: 'Can it be evaluated without a permanent error? Null when it could not be asked for.',
      resolve: (spf) => (spf.kind === 'failure' ? null : spf.isValid),
    }),
    allQualifier: t.field({
      type: SpfQualifierType,
      nullable: true,
      description:
        'What it says about hosts that nothing else matched, redirects followed; null when that cannot be told.',
      resolve: (spf) => (spf.kind === 'failure' ? null : spf.allQualifier),
    }),
    problem: t.string({
      nullable: true,
      description: problemText,
      resolve: (spf) => (spf.kind === 'failure' ? failureText(spf) : spf.problem),
    }),
  }),
});

const DmarcDispositionType = builder.enumType('DmarcDisposition', {
  description: openEnum('What a domain asks receivers to do with mail that fails DMARC (RFC 7489 §6.3).'),
  values: {
    NONE: { description: 'Nothing; report only.' },
    QUARANTINE: { description: 'Treat it as suspicious.' },
    REJECT: { description: 'Reject it.' },
  } satisfies Record<DmarcDisposition, { description: string }>,
});

const DmarcType = builder.objectRef<DmarcPolicy | PolicyFailure>('DmarcPolicy').implement({
  description: 'What a domain asks of receivers when mail in its name is not authentic (RFC 7489).',
  fields: (t) => ({
    record: t.string({
      nullable: true,
      description: recordText,
      resolve: (dmarc) => (dmarc.kind === 'failure' ? null : dmarc.record),
    }),
    domain: t.string({
      nullable: true,
      description:
        'Where the record stands: the domain itself or its organisational domain; null when it could not be asked for.',
      resolve: (dmarc) => (dmarc.kind === 'failure' ? null : dmarc.domain),
    }),
    isValid: t.boolean({
      nullable: true,
      description: 'Is it a record that receivers apply? Null when it could not be asked for.',
      resolve: (dmarc) => (dmarc.kind === 'failure' ? null : dmarc.isValid),
    }),
    policy: t.field({
      type: DmarcDispositionType,
      nullable: true,
      description: 'For the domain of the record (`p`); null when receivers apply none.',
      resolve: (dmarc) => (dmarc.kind === 'failure' ? null : dmarc.policy),
    }),
    subdomainPolicy: t.field({
      type: DmarcDispositionType,
      nullable: true,
      description: 'For the domains below it (`sp`, or else `p`); null when receivers apply none.',
      resolve: (dmarc) => (dmarc.kind === 'failure' ? null : dmarc.subdomainPolicy),
    }),
    problem: t.string({
      nullable: true,
      description: problemText,
      resolve: (dmarc) => (dmarc.kind === 'failure' ? failureText(dmarc) : dmarc.problem),
    }),
  }),
});

const MtaStsModeType = builder.enumType('MtaStsMode', {
  description: openEnum('How strictly senders are to hold to a policy (RFC 8461 §5).'),
  values: {
    ENFORCE: { description: 'No delivery without a trusted TLS session to a host of the policy.' },
    TESTING: { description: 'Deliver anyway, and report.' },
    NONE: { description: 'As if there were no policy.' },
  } satisfies Record<NonNullable<MtaStsPolicy['mode']>, { description: string }>,
});

const MtaStsType = builder.objectRef<MtaStsPolicy | PolicyFailure>('MtaStsPolicy').implement({
  description:
    'Does a domain insist on TLS to its exchanges (RFC 8461)? A TXT record and a file on a web server.',
  fields: (t) => ({
    id: t.string({
      nullable: true,
      description:
        'Version of the policy, from the TXT record; null when that is malformed or could not be asked for.',
      resolve: (policy) => (policy.kind === 'failure' ? null : policy.id),
    }),
    mode: t.field({
      type: MtaStsModeType,
      nullable: true,
      description: 'How strict; null when the file could not be had or read.',
      resolve: (policy) => (policy.kind === 'failure' ? null : policy.mode),
    }),
    maxAge: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long senders keep the policy; null when the file could not be had or read.',
      resolve: (policy) => (policy.kind === 'failure' ? null : policy.maxAge),
    }),
    mx: t.stringList({
      description: 'Exchanges that the policy allows: host names, or `*.` and a name.',
      resolve: (policy) => (policy.kind === 'failure' ? [] : policy.mx),
    }),
    problem: t.string({
      nullable: true,
      description: problemText,
      resolve: (policy) => (policy.kind === 'failure' ? failureText(policy) : policy.problem),
    }),
  }),
});

const TlsRptType = builder.objectRef<TlsRptPolicy | PolicyFailure>('TlsRptPolicy').implement({
  description: 'Where a domain wants reports about failed TLS (RFC 8460).',
  fields: (t) => ({
    record: t.string({
      nullable: true,
      description: recordText,
      resolve: (policy) => (policy.kind === 'failure' ? null : policy.record),
    }),
    problem: t.string({
      nullable: true,
      description: problemText,
      resolve: (policy) => (policy.kind === 'failure' ? failureText(policy) : null),
    }),
  }),
});

builder.objectFields(DomainType, (t) => ({
  spf: t.field({
    type: SpfType,
    nullable: true,
    extensions: asksDns,
    description: 'Its SPF record; null when it has none. Costs DNS.',
    resolve: ({ domain }, _args, { services, signal }) => lookupSpf(services.dns, domain, signal),
  }),
  dmarc: t.field({
    type: DmarcType,
    nullable: true,
    extensions: asksDns,
    description:
      'Its DMARC record, or that of its organisational domain; null when neither has one. Costs DNS.',
    resolve: ({ domain }, _args, { services, signal }) =>
      lookupDmarc(services.dns, domain, registrableDomain, signal),
  }),
  mtaSts: t.field({
    type: MtaStsType,
    nullable: true,
    extensions: asksDns,
    description:
      'Its MTA-STS policy; null when it has none. Costs DNS, and one HTTPS request when there is a record.',
    resolve: ({ domain }, _args, { services, signal }) =>
      lookupMtaSts(
        services.dns,
        domain,
        { ...services.policyFiles, isAllowed: (ip) => services.guard.classifyAddress(ip).isRoutable },
        signal,
      ),
  }),
  tlsRpt: t.field({
    type: TlsRptType,
    nullable: true,
    extensions: asksDns,
    description: 'Its TLS reporting record; null when it has none. Costs DNS.',
    resolve: ({ domain }, _args, { services, signal }) => lookupTlsRpt(services.dns, domain, signal),
  }),
}));
