import type { ProgressSnapshot } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { BulkJobType } from './bulk-job.ts';
import { BulkJobProgressType } from './bulk-job-progress.ts';
import { renewContext } from './context.ts';
import { readGlobalIdOf } from './global-id.ts';
import { refuse } from './refusal.ts';

const BulkJobProgressEventType = builder.objectRef<ProgressSnapshot>('BulkJobProgressEvent').implement({
  description: 'How far a job is at one moment.',
  fields: (t) => ({
    job: t.field({ type: BulkJobType, description: 'The job as it was then.', resolve: ({ job }) => job }),
    progress: t.field({
      type: BulkJobProgressType,
      description: 'Its rows by what became of them.',
      resolve: ({ progress }) => progress,
    }),
  }),
});

builder.subscriptionField('bulkJobProgress', (t) =>
  t.field({
    type: BulkJobProgressEventType,
    extensions: grantedTo('bulk'),
    description:
      'The current state first, then only the newest whenever it changed; completes when the job has ended. A client that reads slowly misses states, never the last one.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    subscribe: async (_root, { id }, { services, signal }) => {
      const events = await services.jobs.watch(readGlobalIdOf('BulkJob', id), signal);
      if (events === null) throw refuse('NOT_FOUND', 'There is no such job (any more).', { argument: 'id' });
      return events;
    },
    resolve: (snapshot, _args, context) => {
      renewContext(context);
      return snapshot;
    },
  }),
);
