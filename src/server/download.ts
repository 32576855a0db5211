import type { DownloadFormat } from '../graphql/index.ts';
import { type Jobs, type ListedRow, printCells, printRecords, resultColumns } from '../jobs/index.ts';
import { rowsPerRead } from './limits.ts';

const printCsvRows = (rows: readonly ListedRow[]): string =>
  printRecords(rows.map(({ row, address, result }) => [row, address, ...printCells(result)]));

const printNdjsonRows = (rows: readonly ListedRow[]): string =>
  rows
    .map(({ row, address, result }) => {
      const { position: _position, row: _row, address: _address, ...verdict } = result ?? {};
      return `${JSON.stringify({ row, address, ...verdict })}\n`;
    })
    .join('');

const formats = {
  CSV: {
    type: 'text/csv; charset=utf-8; header=present',
    head: printRecords([['row', 'address', ...resultColumns]]),
    print: printCsvRows,
  },
  NDJSON: { type: 'application/x-ndjson', head: '', print: printNdjsonRows },
} as const satisfies Record<
  DownloadFormat,
  { type: string; head: string; print: (rows: readonly ListedRow[]) => string }
>;

/** Media type of a download. */
export const mediaTypeOf = (format: DownloadFormat): string => formats[format].type;

/**
 * The caller's list in its own order, a page of the store at a time: the reader sets the pace, and a list of millions
 * costs what one page does. A row that is not settled yet has no verdict.
 */
export const printResults = async function* (
  jobs: Pick<Jobs, 'rows'>,
  jobId: string,
  format: DownloadFormat,
): AsyncGenerator<Uint8Array> {
  const { head, print } = formats[format];
  const encoder = new TextEncoder();
  if (head !== '') yield encoder.encode(head);
  let afterRow = 0;
  while (true) {
    const { items, hasNextPage } = await jobs.rows(jobId, { afterRow, limit: rowsPerRead });
    const last = items.at(-1);
    if (last === undefined) return;
    yield encoder.encode(print(items));
    if (!hasNextPage) return;
    afterRow = last.row;
  }
};
