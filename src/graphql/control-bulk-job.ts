import type { Job, JobState } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { BulkJobStateType, BulkJobType } from './bulk-job.ts';
import { type ErrorSource, ErrorType, NotFoundErrorType, typeOfResult } from './error.ts';
import { readGlobalIdOf, writeGlobalId } from './global-id.ts';

type InvalidState = ErrorSource & { readonly state: JobState };

const InvalidStateErrorType = builder.objectRef<InvalidState>('InvalidStateError').implement({
  description: 'What was asked for makes no sense in the state that the job is in. Nothing was changed.',
  interfaces: [ErrorType],
  fields: (t) => ({
    state: t.field({
      type: BulkJobStateType,
      description: 'The state it is in.',
      resolve: ({ state }) => state,
    }),
  }),
});

const notFound: ErrorSource = { code: 'NOT_FOUND', message: 'There is no such job (any more).' };

const resultType = (name: string, done: string) =>
  builder.unionType(name, {
    description: `The job, or why it could not be ${done}.`,
    types: [BulkJobType, NotFoundErrorType, InvalidStateErrorType],
    resolveType: typeOfResult('BulkJob'),
  });

/** The job in the state that was meant, whoever brought it there; any other is told by name. */
const answerOf = (job: Job | null, meant: readonly JobState[], done: string): Job | ErrorSource => {
  if (job === null) return notFound;
  if (meant.includes(job.state)) return job;
  const error: InvalidState = {
    code: 'INVALID_STATE',
    message: `The job is ${job.state} and cannot be ${done}.`,
    state: job.state,
  };
  return error;
};

const PauseBulkJobResultType = resultType('PauseBulkJobResult', 'paused');
const ResumeBulkJobResultType = resultType('ResumeBulkJobResult', 'resumed');
const CancelBulkJobResultType = resultType('CancelBulkJobResult', 'cancelled');

const idOf = (id: string): string => readGlobalIdOf('BulkJob', id);

builder.mutationFields((t) => ({
  pauseBulkJob: t.field({
    type: PauseBulkJobResultType,
    extensions: grantedTo('bulk'),
    description:
      'Stops asking until the job is resumed; rows under way may still settle. Paused already: as it is.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: async (_root, { id }, { services }): Promise<Job | ErrorSource> =>
      answerOf(await services.jobs.pause(idOf(id)), ['PAUSED'], 'paused'),
  }),
  resumeBulkJob: t.field({
    type: ResumeBulkJobResultType,
    extensions: grantedTo('bulk'),
    description: 'Goes on with a paused job. One that runs already: as it is.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: async (_root, { id }, { services }): Promise<Job | ErrorSource> =>
      answerOf(await services.jobs.resume(idOf(id)), ['QUEUED', 'RUNNING'], 'resumed'),
  }),
  cancelBulkJob: t.field({
    type: CancelBulkJobResultType,
    extensions: grantedTo('bulk'),
    description: 'Stops a job for good; what is settled stays. Cancelled already: as it is.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: async (_root, { id }, { services }): Promise<Job | ErrorSource> =>
      answerOf(await services.jobs.cancel(idOf(id)), ['CANCELLED'], 'cancelled'),
  }),
}));

type DeletedJob = { readonly id: string };

const DeletedBulkJobType = builder.objectRef<DeletedJob>('DeletedBulkJob').implement({
  description: 'A job that is no more.',
  fields: (t) => ({
    id: t.id({
      description: 'The global id that it had, for caches to forget.',
      resolve: ({ id }) => writeGlobalId('BulkJob', id),
    }),
  }),
});

const DeleteBulkJobResultType = builder.unionType('DeleteBulkJobResult', {
  description: 'What is gone, or why nothing is.',
  types: [DeletedBulkJobType, NotFoundErrorType],
  resolveType: typeOfResult('DeletedBulkJob'),
});

builder.mutationField('deleteBulkJob', (t) =>
  t.field({
    type: DeleteBulkJobResultType,
    extensions: grantedTo('bulk'),
    description:
      'Erases a job in any state with its addresses and results; they are overwritten, links to them answer 404.',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: async (_root, { id }, { services }): Promise<DeletedJob | ErrorSource> => {
      const key = idOf(id);
      return (await services.jobs.erase(key)) ? { id: key } : notFound;
    },
  }),
);
