/**
 * A job's results as a file: the caller's own columns and ours, in the caller's order, a page of the store at a time.
 * It can be read while the job runs; what is not settled is empty. The reader sets the pace, and a list of millions
 * costs what one page does: CSV 250,000 rows/s and more, as far as the store gives them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Jobs } from '../door.ts';
import type { Job, ListedRow } from '../types.ts';
import { cellsOf, columnsOf, type TableCell } from './columns.ts';
import { printCsvRecord } from './csv.ts';
import { createNdjsonPrinter } from './ndjson.ts';
import { printXlsx } from './xlsx.ts';

export type ResultFormat = 'CSV' | 'NDJSON' | 'XLSX';

/** How each is called by HTTP, and as a file. */
export const resultFormats: Readonly<
  Record<ResultFormat, { readonly mediaType: string; readonly extension: string }>
> = {
  CSV: { mediaType: 'text/csv; charset=utf-8; header=present', extension: 'csv' },
  NDJSON: { mediaType: 'application/x-ndjson', extension: 'ndjson' },
  XLSX: { mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', extension: 'xlsx' },
};

/** Rows that are read and printed in one go: some milliseconds. */
const pageRows = 500;

type Source = Pick<Jobs, 'rows'>;

/**
 * The next page is asked for while this one is printed, and the event loop turns between them, since a store that is in
 * this thread never waits. Throws when the rows end before the job does: it was erased, and half a file must not look
 * like a whole one.
 */
async function* readPages(jobs: Source, { id, counters }: Job): AsyncGenerator<readonly ListedRow[]> {
  const ask = (afterRow: number) => {
    const page = jobs.rows(id, { afterRow, limit: pageRows });
    // It may fail while the page before it is printed; it is heard when its turn comes.
    page.catch(() => undefined);
    return page;
  };
  let afterRow = 0;
  for (let next: ReturnType<typeof ask> | null = ask(0); next !== null; ) {
    const { items, hasNextPage }: Awaited<ReturnType<typeof ask>> = await next;
    afterRow = items.at(-1)?.row ?? afterRow;
    next = hasNextPage ? ask(afterRow) : null;
    if (items.length > 0) yield items;
    await nextTurn();
  }
  if (afterRow !== counters.total) throw new Error('the job was erased while it was printed');
}

async function* printCsv(jobs: Source, job: Job): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(printCsvRecord(columnsOf(job.list)));
  for await (const rows of readPages(jobs, job))
    yield encoder.encode(rows.map((row) => printCsvRecord(cellsOf(job.list, row))).join(''));
}

async function* printNdjson(jobs: Source, job: Job): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const print = createNdjsonPrinter(job.list);
  for await (const rows of readPages(jobs, job)) yield encoder.encode(rows.map(print).join(''));
}

async function* tableRows(jobs: Source, job: Job): AsyncGenerator<readonly TableCell[]> {
  for await (const rows of readPages(jobs, job)) for (const row of rows) yield cellsOf(job.list, row);
}

const printers: Readonly<Record<ResultFormat, (jobs: Source, job: Job) => AsyncGenerator<Uint8Array>>> = {
  CSV: printCsv,
  NDJSON: printNdjson,
  XLSX: (jobs, job) =>
    printXlsx({
      columns: columnsOf(job.list),
      rows: tableRows(jobs, job),
      rowCount: job.counters.total,
      textBytes: job.storedBytes,
    }),
};

/** Ends with what `jobs.rows` rejects with. `return()` stops reading. */
export const printResults = (jobs: Source, job: Job, format: ResultFormat): AsyncGenerator<Uint8Array> =>
  printers[format](jobs, job);
