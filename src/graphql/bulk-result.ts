import type { ResultFilter, SettledRow } from '../jobs/index.ts';
import { builder } from './builder.ts';
import { BulkJobType, longestSearch } from './bulk-job.ts';
import { pagedBy } from './field-cost.ts';
import { type Edge, pageInfoOf, readCursor, readPageSize, writeCursor } from './page.ts';
import { checkLength } from './refusal.ts';
import { ReplyType } from './reply.ts';
import { VerificationReasonType, VerificationStatusType } from './verification.ts';

export const BulkResultType = builder.objectRef<SettledRow>('BulkResult').implement({
  description:
    'One row of a job with its verdict. It is kept as it was found, whatever is learnt about the address later.',
  fields: (t) => ({
    position: t.exposeInt('position', { description: 'In the order of settling: 1, 2, 3 … without a gap.' }),
    row: t.exposeInt('row', { description: 'One-based number of the row in the list that was given.' }),
    address: t.exposeString('address', { description: 'As given.' }),
    duplicateOf: t.exposeInt('duplicateOf', {
      nullable: true,
      description: 'Row number of the first row that names the same mailbox; null when this is it.',
    }),
    status: t.field({
      type: VerificationStatusType,
      description: 'Will mail arrive?',
      resolve: ({ status }) => status,
    }),
    reason: t.field({
      type: VerificationReasonType,
      description: 'Why the status is what it is.',
      resolve: ({ reason }) => reason,
    }),
    score: t.exposeInt('score', { description: '0 (mail will bounce) to 100 (mail will arrive).' }),
    provider: t.exposeString('provider', {
      nullable: true,
      description: 'Id of the mail provider, such as GOOGLE; null when it is not known.',
    }),
    exchange: t.exposeString('exchange', {
      nullable: true,
      description: 'Host name of the exchange that spoke.',
    }),
    reply: t.field({
      type: ReplyType,
      nullable: true,
      description: 'The reply that decided.',
      resolve: ({ reply }) => reply,
    }),
    checkedAt: t.field({
      type: 'DateTime',
      description: 'When it was found out.',
      resolve: ({ checkedAt }) => checkedAt,
    }),
  }),
});

/** The same for the connection and for the stream, so that one goes on where the other stopped. */
export const writeResultCursor = (position: number): string => writeCursor('results', String(position));

/** The position it stands for; 0 for none. @throws BAD_CURSOR */
export const readResultCursor = (after: string | null): number =>
  after === null ? 0 : Number(readCursor('results', after, /^\d{1,15}$/));

type ResultEdge = Edge<SettledRow>;

const BulkResultEdgeType = builder.objectRef<ResultEdge>('BulkResultEdge').implement({
  description: 'A result and where it stands in the order of settling.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'For `after`; good for as long as the job is kept.' }),
    node: t.field({ type: BulkResultType, description: 'The result.', resolve: ({ node }) => node }),
  }),
});

type ResultConnection = {
  readonly jobId: string;
  readonly filter: ResultFilter;
  readonly edges: readonly ResultEdge[];
  readonly hasNextPage: boolean;
  readonly after: string | null;
};

const BulkResultConnectionType = builder.objectRef<ResultConnection>('BulkResultConnection').implement({
  description: 'A page of results in the order of settling, which goes on growing while the job runs.',
  fields: (t) => ({
    totalCount: t.int({
      description:
        'Results settled so far that match the filter. Costs a count; with `search`, a look at each.',
      resolve: ({ jobId, filter }, _args, { services }) => services.jobs.countResults(jobId, filter),
    }),
    edges: t.field({
      type: [BulkResultEdgeType],
      description: 'The results of this page.',
      resolve: ({ edges }) => edges,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      description: 'Where the page stands. While the job runs, a last page may be followed by another later.',
      resolve: ({ edges, hasNextPage, after }) => pageInfoOf(edges, hasNextPage, after),
    }),
  }),
});

builder.objectField(BulkJobType, 'results', (t) =>
  t.field({
    type: BulkResultConnectionType,
    extensions: pagedBy('first'),
    description: 'Settled rows in the order of settling.',
    args: {
      first: t.arg.int({ required: true, description: 'How many, 1 to 100.' }),
      after: t.arg.string({ description: 'Cursor of the last result seen; default: from the first.' }),
      status: t.arg({ type: [VerificationStatusType], description: 'Only these; default: all.' }),
      reason: t.arg({ type: [VerificationReasonType], description: 'Only these; default: all.' }),
      search: t.arg.string({
        description: `Only addresses that contain this, ASCII letters in any case; at most ${longestSearch} characters. Default: all.`,
      }),
    },
    resolve: async (
      { id },
      { first, after = null, status = null, reason = null, search = null },
      { services },
    ) => {
      checkLength('search', search, longestSearch);
      const filter = { statuses: status, reasons: reason, search };
      const limit = readPageSize(first);
      const page = await services.jobs.results(id, {
        ...filter,
        limit,
        afterPosition: readResultCursor(after),
      });
      const edges = page.items.map((node) => ({ cursor: writeResultCursor(node.position), node }));
      return { jobId: id, filter, edges, hasNextPage: page.hasNextPage, after };
    },
  }),
);
