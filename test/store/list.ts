/** Lists, results and clocks for the store's suites. */
import type { NormalizedAddress } from '../../src/address/index.ts';
import type { Chunk, IntakeRow, Job, JobStore, NewJob, RowResult } from '../../src/jobs/index.ts';

/** Any fixed moment; the suites count from here. */
export const start = new Date('2026-03-01T12:00:00.000Z');
export const later = (ms: number): Date => new Date(start.getTime() + ms);
export const day = 86_400_000;
/** When every lease of the suites is over. */
export const muchLater = later(10 * day);

/** Pages without any condition. */
export const everyJob = { limit: 100, afterId: null, owner: null, states: null, search: null };
export const anyResult = { statuses: null, reasons: null, search: null };
export const firstResults = { ...anyResult, afterPosition: 0, limit: 1_000 };

let made = 0;
export const newJob = (over: Partial<NewJob> = {}): NewJob => {
  made += 1;
  return {
    id: `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    owner: null,
    name: `list ${made}`,
    createdAt: start,
    expiresAt: later(30 * day),
    idempotencyKey: null,
    inputHash: null,
    readShape: () => ({ format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 }),
    maxAgeSeconds: null,
    webhook: null,
    ...over,
  };
};

/** Rows from texts: `user@domain`, canonical without what stands behind a `+`; a text without @ is no address. */
export const rowsOf = (texts: readonly string[]): readonly IntakeRow[] =>
  texts.map((address, index) => {
    const [user, domain] = address.split('@');
    return domain === undefined
      ? { row: index + 1, address, canonical: null, domain: '', cells: null }
      : {
          row: index + 1,
          address,
          canonical: `${user?.split('+')[0]}@${domain}` as NormalizedAddress,
          domain,
          cells: null,
        };
  });

/** `count` different addresses at `domains` domains, the first of them with half of all. */
export const manyRows = (count: number, domains = 10): readonly IntakeRow[] =>
  rowsOf(
    Array.from(
      { length: count },
      (_, index) => `user${index}@d${index % 2 === 0 ? 0 : index % domains}.example`,
    ),
  );

export const result = (
  { row, address }: { readonly row: number; readonly address: string },
  over: Partial<RowResult> = {},
): RowResult => ({
  row,
  address,
  duplicateOf: null,
  status: 'DELIVERABLE',
  reason: 'MAILBOX_EXISTS',
  score: 95,
  provider: null,
  exchange: 'mx.example',
  reply: { code: 250, enhancedCode: '2.1.5', text: 'OK' },
  checkedAt: later(1_000),
  ...over,
});

export const create = async (
  store: JobStore,
  rows: Iterable<IntakeRow> | AsyncIterable<IntakeRow>,
  over: Partial<NewJob> = {},
): Promise<Job> => {
  const outcome = await store.createJob(newJob(over), rows);
  if (outcome.kind !== 'created') throw new Error(`the job was not created: ${outcome.kind}`);
  return outcome.job;
};

export const take = async (store: JobStore, now = start): Promise<Chunk> => {
  const chunk = await store.takeChunk(now, new Date(now.getTime() + 60_000));
  if (chunk === null) throw new Error('there is no chunk to take');
  return chunk;
};

/** Settles all that can be taken at `now`. */
export const settleAll = async (
  store: JobStore,
  now = start,
  over: Partial<RowResult> = {},
): Promise<void> => {
  while (true) {
    const chunk = await store.takeChunk(now, new Date(now.getTime() + 60_000));
    if (chunk === null) return;
    await store.settleChunk(chunk, { settled: chunk.rows.map((row) => result(row, over)), waiting: [] }, now);
  }
};

export const readJob = async (store: JobStore, id: string): Promise<Job> => {
  const job = await store.readJob(id);
  if (job === null) throw new Error('the job is gone');
  return job;
};

export const readAll = async (store: JobStore, jobId: string) =>
  (await store.readResults(jobId, { ...firstResults, limit: 100_000 })).items;
