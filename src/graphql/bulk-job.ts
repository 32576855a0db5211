import type { Job, JobState, ListShape, ResultFormat } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder, openEnum } from './builder.ts';
import { BulkJobBreakdownType } from './bulk-job-breakdown.ts';
import { BulkJobProgressType } from './bulk-job-progress.ts';
import { pagedBy } from './field-cost.ts';
import { readGlobalIdOf } from './global-id.ts';
import { type Edge, pageInfoOf, readCursor, readPageSize, writeCursor } from './page.ts';
import { checkLength } from './refusal.ts';

export const BulkJobStateType = builder.enumType('BulkJobState', {
  description: openEnum('Where a job stands.'),
  values: {
    QUEUED: { description: 'Taken in whole; nothing asked yet.' },
    RUNNING: { description: 'Being worked on, or waiting for rows that must be asked again.' },
    PAUSED: { description: 'Nothing is asked until it is resumed; rows under way may still settle.' },
    COMPLETED: { description: 'Every row has its result. Terminal.' },
    CANCELLED: { description: 'Stopped; what was settled before stays. Terminal.' },
  } satisfies Record<JobState, { description: string }>,
});

const DownloadFormatType = builder.enumType('DownloadFormat', {
  description: openEnum('How results are written to a file.'),
  values: {
    CSV: { description: 'RFC 4180 with a header row, UTF-8.' },
    NDJSON: { description: 'One JSON object a line, UTF-8.' },
    XLSX: { description: 'A workbook; a sheet for each 1,048,575 rows.' },
  } satisfies Record<ResultFormat, { description: string }>,
});

const ListFormatType = builder.enumType('ListFormat', {
  description: openEnum('How a list came.'),
  values: {
    INLINE: { description: 'In the request.' },
    TXT: { description: 'A file with one address a line.' },
    CSV: { description: 'A file of records, whatever its delimiter.' },
    NDJSON: { description: 'A file with one JSON value a line.' },
  } satisfies Record<ListShape['format'], { description: string }>,
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
    fileName: t.string({
      nullable: true,
      description: 'What the file of the list was called, without any path; null for an inline list.',
      resolve: ({ list }) => list.fileName,
    }),
    format: t.field({
      type: ListFormatType,
      description: 'How the list was given.',
      resolve: ({ list }) => list.format,
    }),
    columns: t.stringList({
      description: 'Columns of the list in their order; `address` alone for an inline list and for TXT.',
      resolve: ({ list }) => list.columns,
    }),
    addressColumn: t.string({
      description: 'The one of `columns` that holds the addresses.',
      resolve: ({ list }) => list.columns[list.addressColumn] ?? 'address',
    }),
    maxAge: t.field({
      type: 'Duration',
      nullable: true,
      description:
        'A remembered verdict older than this is asked for anew; null: as old as verdicts are kept.',
      resolve: ({ maxAgeSeconds }) => maxAgeSeconds,
    }),
    storedBytes: t.field({
      type: 'ByteCount',
      description:
        'Octets of text that are kept of it: the list, its other columns, the results; indexes are not counted.',
      resolve: ({ storedBytes }) => storedBytes,
    }),
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

/** No address is longer. The runaway: a pattern of megabytes that is compared with each row. */
export const longestSearch = 254;

/** Crosses into SQL as a parameter, but a cursor that no list gave out is told so here. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

builder.queryFields((t) => ({
  bulkJob: t.field({
    type: BulkJobType,
    nullable: true,
    extensions: grantedTo('bulk'),
    description: 'One job; null when there is none (any more).',
    args: { id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }) },
    resolve: (_root, { id }) => readGlobalIdOf('BulkJob', id),
  }),
  bulkJobs: t.field({
    type: BulkJobConnectionType,
    extensions: { ...pagedBy('first'), ...grantedTo('bulk') },
    description: 'Jobs, newest first.',
    args: {
      first: t.arg.int({ required: true, description: 'How many, 1 to 100.' }),
      after: t.arg.string({ description: 'Cursor of the last job seen; default: from the newest.' }),
      state: t.arg({ type: [BulkJobStateType], description: 'Only those in these states; default: all.' }),
      search: t.arg.string({
        description: `A part of the name, ASCII letters in any case, 1 to ${longestSearch} characters.`,
      }),
    },
    resolve: async (_root, { first, after = null, state = null, search = null }, { services }) => {
      checkLength('search', search, longestSearch);
      const page = await services.jobs.list({
        limit: readPageSize(first),
        afterId: after === null ? null : readCursor('bulkJobs', after, uuid),
        states: state,
        search,
      });
      const edges = page.items.map((job) => ({ cursor: writeCursor('bulkJobs', job.id), node: job }));
      return { edges, hasNextPage: page.hasNextPage, after };
    },
  }),
}));
