/** What jobs are asked with, for processes with a test runner and without. */
import type { JobPage, ResultFilter, StartJob } from '../../src/jobs/index.ts';

/** What a job of these addresses is started with, and nothing more. */
export const inlineList = (
  addresses: Iterable<string> | AsyncIterable<string>,
  over: Partial<StartJob> = {},
): StartJob => ({
  source: { kind: 'addresses', addresses },
  name: null,
  column: null,
  maxAgeSeconds: null,
  retentionSeconds: null,
  webhook: null,
  idempotencyKey: null,
  owner: null,
  ...over,
});

export const noFilter: ResultFilter = { statuses: null, reasons: null, search: null };
export const firstJobs: JobPage = { limit: 10, afterId: null, owner: null, states: null, search: null };
