import type { Job, JobState } from '../jobs/index.ts';
import { builder, openEnum } from './builder.ts';
import { BulkJobBreakdownType } from './bulk-job-breakdown.ts';
import { BulkJobProgressType } from './bulk-job-progress.ts';
import { readGlobalIdOf } from './global-id.ts';
import { type Edge, pageInfoOf, readCursor, readPageSize, writeCursor } from './page.ts';

const BulkJobStateType = builder.enumType('BulkJobState', {
  description: openEnum('Where a job stands.'),
  values: {
    QUEUED: { description: 'Taken in whole; nothing asked yet.' },
    RUNNING: { description: 'Being worked on, or waiting for rows that must be asked again.' },
    COMPLETED: { description: 'Every row has its result. Terminal.' },
    CANCELLED: { description: 'Stopped; what was settled before stays. Terminal.' },
  } satisfies Record<JobState, { description: string }>,
});

const DownloadFormatType = builder.enumType('DownloadFormat', {
  description: openEnum('How results are written to a file.'),
  values: {
    CSV: { description: 'RFC 4180 with a header row, UTF-8.' },
    NDJSON: { description: 'One JSON object a line, UTF-8.' },
  },
});

export const BulkJobType = builder.loadableNode(builder.objectRef<Job>('BulkJob'), {
  name: 'BulkJob',
  description: 'A list of addresses being verified, or verified.',
  id: { resolve: ({ id }) => id },
  // Null where there is none, which is what `node` and `bulkJob` answer; the plugin's type only knows errors.
  load: (ids: string[], { services }) =>
    Promise.all(ids.map((id) => services.jobs.read(id))) as Promise<readonly Job[]>,
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true, description: 'As given at the start.' }),
    state: t.field({
      type: BulkJobStateType,
      description: 'Where it stands.',
      resolve: ({ state }) => state,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was taken in.',
      resolve: ({ createdAt }) => createdAt,
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its first chunk was taken.',
      resolve: ({ startedAt }) => startedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ended.',
      resolve: ({ endedAt }) => endedAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the job, its addresses and its results are erased.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
    progress: t.field({
      type: BulkJobProgressType,
      description: 'How far it is.',
      resolve: (job, _args, { services }) => services.jobs.progress(job),
    }),
    breakdown: t.field({
      type: BulkJobBreakdownType,
      description: 'Settled rows, counted by what they have in common.',
      resolve: ({ id }) => ({ jobId: id }),
    }),
    resultsUrl: t.field({
      type: 'URL',
      description:
        'A link to the list with its verdicts as a file, in the order it was given; rows that are not settled yet have none. Needs no credentials and expires after an hour: treat it as a secret.',
      args: {
        format: t.arg({ type: DownloadFormatType, required: true, description: 'How they are written.' }),
      },
      resolve: ({ id }, { format }, { printResultsUrl }) => printResultsUrl(id, format),
    }),
  }),
});

type JobEdge = Edge<Job>;

const BulkJobEdgeType = builder.objectRef<JobEdge>('BulkJobEdge').implement({
  description: 'A job and where it stands in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'For `after`.' }),
    node: t.field({ type: BulkJobType, description: 'The job.', resolve: ({ node }) => node }),
  }),
});

type JobConnection = {
  readonly edges: readonly JobEdge[];
  readonly hasNextPage: boolean;
  readonly after: string | null;
};

const BulkJobConnectionType = builder.objectRef<JobConnection>('BulkJobConnection').implement({
  description: 'A page of jobs, newest first.',
  fields: (t) => ({
    edges: t.field({
      type: [BulkJobEdgeType],
      description: 'The jobs of this page.',
      resolve: ({ edges }) => edges,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      description: 'Where the page stands.',
      resolve: ({ edges, hasNextPage, after }) => pageInfoOf(edges, hasNextPage, after),
    }),
  }),
});

/** Crosses into SQL as a parameter, but a cursor that no list gave out is told so here. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

builder.queryFields((t) => ({
  bulkJob: t.field({
    type: BulkJobType,
    nullable: true,
    description: 'One job; null when there is none (any more).',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: (_root, { id }) => readGlobalIdOf('BulkJob', id),
  }),
  bulkJobs: t.field({
    type: BulkJobConnectionType,
    description: 'Jobs, newest first.',
    args: {
      first: t.arg.int({ required: true, description: 'How many, 1 to 100.' }),
      after: t.arg.string({ description: 'Cursor of the last job seen; default: from the newest.' }),
    },
    resolve: async (_root, { first, after = null }, { services }) => {
      const page = await services.jobs.list({
        limit: readPageSize(first),
        afterId: after === null ? null : readCursor('bulkJobs', after, uuid),
      });
      const edges = page.items.map((job) => ({ cursor: writeCursor('bulkJobs', job.id), node: job }));
      return { edges, hasNextPage: page.hasNextPage, after };
    },
  }),
}));
