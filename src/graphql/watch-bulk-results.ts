import type { SettledRow } from '../jobs/index.ts';
import { grantedTo } from './access.ts';
import { builder } from './builder.ts';
import { BulkResultType, readResultCursor, writeResultCursor } from './bulk-result.ts';
import { renewContext } from './context.ts';
import { readGlobalIdOf } from './global-id.ts';
import { refuse } from './refusal.ts';

const BulkResultBatchType = builder.objectRef<readonly SettledRow[]>('BulkResultBatch').implement({
  description: 'Results that settled since the last batch.',
  fields: (t) => ({
    cursor: t.string({
      description: 'Of the last one: a new subscription, or `results`, goes on after it.',
      resolve: (rows) => writeResultCursor(rows.at(-1)?.position ?? 0),
    }),
    results: t.field({
      type: [BulkResultType],
      description: 'In the order of settling, at least one and at most 500.',
      resolve: (rows) => rows,
    }),
  }),
});

builder.subscriptionField('bulkJobResults', (t) =>
  t.field({
    type: BulkResultBatchType,
    extensions: grantedTo('bulk'),
    description:
      'Results as they settle, each exactly once: first those that are there already, then the others as they come; completes after the last one of an ended job. A lost stream goes on by `after`.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of a BulkJob.' }),
      after: t.arg.string({
        description: 'Cursor of a batch, or of an edge of `results`; default: from the first.',
      }),
    },
    subscribe: async (_root, { id, after = null }, { services, signal }) => {
      const batches = await services.jobs.watchResults(
        readGlobalIdOf('BulkJob', id),
        readResultCursor(after),
        signal,
      );
      if (batches === null) throw refuse('NOT_FOUND', 'There is no such job (any more).', { argument: 'id' });
      return batches;
    },
    resolve: (rows, _args, context) => {
      renewContext(context);
      return rows;
    },
  }),
);
