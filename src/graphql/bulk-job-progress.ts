import type { Progress } from '../jobs/index.ts';
import { builder } from './builder.ts';

export const BulkJobProgressType = builder.objectRef<Progress>('BulkJobProgress').implement({
  description: 'Rows of a job by what became of them. Duplicates count with the verdict of their first row.',
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'Rows in the list.' }),
    settled: t.exposeInt('settled', { description: 'Rows that have their result; ends equal to `total`.' }),
    waiting: t.exposeInt('waiting', {
      description: 'Rows that were told to come back: greylisted, rate limited, temporary.',
    }),
    deliverable: t.exposeInt('deliverable', { description: 'Rows settled as DELIVERABLE.' }),
    undeliverable: t.exposeInt('undeliverable', { description: 'Rows settled as UNDELIVERABLE.' }),
    risky: t.exposeInt('risky', { description: 'Rows settled as RISKY.' }),
    unknown: t.exposeInt('unknown', { description: 'Rows settled as UNKNOWN.' }),
    duplicates: t.exposeInt('duplicates', {
      description: 'Rows that name the same mailbox as an earlier row.',
    }),
    perSecond: t.exposeFloat('perSecond', {
      description: 'Rows settled per second over the last ten seconds.',
    }),
    secondsLeft: t.exposeFloat('secondsLeft', {
      nullable: true,
      description: 'Seconds to the end at this rate; null while there is no rate to tell from.',
    }),
    nextRetryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the first waiting row is asked again; null when none waits.',
      resolve: ({ nextRetryAt }) => nextRetryAt,
    }),
  }),
});
