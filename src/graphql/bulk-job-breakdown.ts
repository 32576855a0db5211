import type { Breakdown } from '../jobs/index.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { sizedBy } from './field-cost.ts';
import { largestPage, readPageSize } from './page.ts';
import { VerificationReasonType } from './verification.ts';

type BreakdownSource = { readonly jobId: string; counted?: Promise<Breakdown> };

/** All three fields share one count; the domains are read to the ceiling and cut to what was asked. */
const count = (source: BreakdownSource, { services }: Context): Promise<Breakdown> => {
  source.counted ??= services.jobs.breakdown(source.jobId, largestPage);
  return source.counted;
};

const ReasonCountType = builder.objectRef<Breakdown['byReason'][number]>('ReasonCount').implement({
  description: 'How many rows have a reason.',
  fields: (t) => ({
    reason: t.field({
      type: VerificationReasonType,
      description: 'The reason.',
      resolve: ({ reason }) => reason,
    }),
    count: t.exposeInt('count', { description: 'Settled rows with it.' }),
  }),
});

const ProviderCountType = builder.objectRef<Breakdown['byProvider'][number]>('ProviderCount').implement({
  description: 'How many rows are at a provider.',
  fields: (t) => ({
    provider: t.exposeString('provider', {
      description: 'Id of a known provider, such as GOOGLE. Rows at unknown ones are not counted here.',
    }),
    count: t.exposeInt('count', { description: 'Settled rows there.' }),
    deliverable: t.exposeInt('deliverable', { description: 'Those of them that are DELIVERABLE.' }),
  }),
});

const DomainCountType = builder.objectRef<Breakdown['byDomain'][number]>('DomainCount').implement({
  description: 'How many rows are at a domain.',
  fields: (t) => ({
    domain: t.exposeString('domain', { description: 'Name of the domain as A-label.' }),
    count: t.exposeInt('count', { description: 'Settled rows there.' }),
    deliverable: t.exposeInt('deliverable', { description: 'Those of them that are DELIVERABLE.' }),
  }),
});

export const BulkJobBreakdownType = builder.objectRef<BreakdownSource>('BulkJobBreakdown').implement({
  description: 'Settled rows of a job, counted by what they have in common; most frequent first.',
  fields: (t) => ({
    byReason: t.field({
      type: [ReasonCountType],
      description: 'By reason.',
      resolve: async (source, _args, context) => (await count(source, context)).byReason,
    }),
    byProvider: t.field({
      type: [ProviderCountType],
      description: 'By provider.',
      resolve: async (source, _args, context) => (await count(source, context)).byProvider,
    }),
    byDomain: t.field({
      type: [DomainCountType],
      extensions: sizedBy('first'),
      description: 'By domain.',
      args: { first: t.arg.int({ required: true, description: 'How many domains, 1 to 100.' }) },
      resolve: async (source, { first }, context) => {
        const size = readPageSize(first);
        return (await count(source, context)).byDomain.slice(0, size);
      },
    }),
  }),
});
