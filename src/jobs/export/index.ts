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
 * The event loop turns between pages, since a store that is in this process never waits. Throws when the rows end before
 * the job does: it was erased, and half a file must not look like a whole one.
 */
async function* readPages(jobs: Source, { id, counters }: Job): AsyncGenerator<readonly ListedRow[]> {
  for (let afterRow = 0; ; ) {
    const { items, hasNextPage } = await jobs.rows(id, { afterRow, limit: pageRows });
    if (items.length > 0) yield items;
    afterRow = items.at(-1)?.row ?? afterRow;
    if (!hasNextPage) {
      if (afterRow !== counters.total) throw new Error('the job was erased while it was printed');
      return;
    }
    await nextTurn();
  }
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
