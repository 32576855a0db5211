import type { Job } from '../jobs/index.ts';
import { builder } from './builder.ts';
import { BulkJobType } from './bulk-job.ts';
import { type ErrorSource, NotFoundErrorType, typeOfResult } from './error.ts';
import { readGlobalIdOf } from './global-id.ts';

const CancelBulkJobResultType = builder.unionType('CancelBulkJobResult', {
  description: 'The job, or why it could not be cancelled.',
  types: [BulkJobType, NotFoundErrorType],
  resolveType: typeOfResult('BulkJob'),
});

builder.mutationField('cancelBulkJob', (t) =>
  t.field({
    type: CancelBulkJobResultType,
    description: 'Stops a job; what is settled stays. A job that has ended already is answered as it is.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: async (_root, { id }, { services }): Promise<Job | ErrorSource> =>
      (await services.jobs.cancel(readGlobalIdOf('BulkJob', id))) ?? {
        code: 'NOT_FOUND',
        message: 'There is no such job (any more).',
      },
  }),
);
