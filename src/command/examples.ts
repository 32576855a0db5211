/** In the sandbox the example tabs of GraphiQL about lists have one to show. */
import { writeGlobalId } from '../graphql/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { exampleList } from '../sandbox/index.ts';
import type { ServerOptions } from '../server/index.ts';

export type ExampleVariables = NonNullable<ServerOptions['exampleVariables']>;

const exampleRows = 200;

/** Starts a list and gives its id to the tabs. */
export const prepareExamples = async (jobs: Jobs): Promise<ExampleVariables> => {
  const addresses = exampleList(exampleRows);
  const started = await jobs.start({
    source: { kind: 'addresses', addresses },
    name: 'an example',
    column: null,
    maxAgeSeconds: null,
    retentionSeconds: null,
    webhook: null,
    idempotencyKey: null,
    owner: null,
  });
  if (!('job' in started)) throw new Error(`the example list did not start: ${started.kind}`);
  const id = writeGlobalId('BulkJob', started.job.id);
  return {
    BulkJobProgress: { id },
    BulkJobResults: { id },
    BulkJob: { id, first: 10 },
    ControlBulkJob: { id },
  };
};
