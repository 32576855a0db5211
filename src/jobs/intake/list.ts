/**
 * A file that somebody calls a list of addresses → its rows, as a stream. TXT (one a line), CSV and TSV with any usual
 * delimiter, quotes, a byte order mark, UTF-8 or UTF-16, with a header in some language or none; NDJSON; each of them
 * gzipped or not. It repairs nothing: a row that is no address is a row all the same.
 *
 * Memory is bounded by the head (64 KiB), a piece (64 KiB) and one record (64 KiB). Rows come in batches that one piece
 * gave, and the event loop breathes between them: 1,000,000 rows of 5 cells take about 2.5 s, 7 ms in one go.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cell } from '../types.ts';
import { type ColumnChoice, chooseColumn } from './column.ts';
import { type Columns, createColumns } from './columns.ts';
import { readContent } from './content.ts';
import { readLayout } from './delimiter.ts';
import { readText } from './encoding.ts';
import { IntakeFault } from './fault.ts';
import { readNdjson } from './ndjson.ts';
import { readCsv, readLines } from './records.ts';

export type AddressListOptions = {
  /** The column that holds the addresses: its header, in any case, or its number from 1. Default: found. */
  readonly column?: string | null;
  /** As the caller named the file: `.tsv`, `.ndjson` and `.jsonl` are hints, with or without `.gz`. */
  readonly fileName?: string | null;
  /** Octets of the list, unpacked (RCPT_MAX_UPLOAD_BYTES). Default: no limit. */
  readonly maxBytes?: number;
};

export type ListedAddress = {
  /** One-based, header and blank lines not counted. */
  readonly row: number;
  /** The cell of the address column without the white space around it; '' when the record has no such cell. */
  readonly address: string;
  /** All cells as they were; null when the address is all there is. */
  readonly cells: readonly Cell[] | null;
};

export type AddressList = {
  readonly format: 'TXT' | 'CSV' | 'NDJSON';
  /** Null for TXT and NDJSON. */
  readonly delimiter: string | null;
  readonly hasHeader: boolean;
  /**
   * As in the header, or the keys of NDJSON; `column_1` … for those that have no name; `address` alone for TXT. It grows
   * while the rows are read: a later one may have more cells, or other keys.
   */
  readonly columns: readonly string[];
  /** Zero-based index of the column with the addresses. */
  readonly addressColumn: number;
  /** Can be read once. Throws IntakeFault where the file turns out to be broken further down. */
  readonly rows: AsyncIterable<ListedAddress>;
};

/** A string is an address that is all there is. */
type ListRecord = readonly Cell[] | string;
type Batches = AsyncGenerator<readonly ListRecord[], void, undefined>;

/** Records that are looked at to find header and column. */
const sampleRecords = 50;
/** The event loop's turn comes after this much reading. */
const turnMs = 8;

const printCell = (cell: Cell | undefined): string => {
  if (typeof cell === 'string') return cell;
  return cell === undefined || cell === null ? '' : JSON.stringify(cell);
};

/** What is in the list that holds an address alone, when others may have more. */
const cellsOfText = (text: string, index: number): readonly Cell[] => [...Array(index).fill(null), text];

async function* readRows(
  sample: readonly ListRecord[],
  rest: Batches,
  index: number,
  columns: Columns,
): AsyncGenerator<ListedAddress, void, undefined> {
  let row = 0;
  let turnAt = performance.now();
  const listed = (record: ListRecord): ListedAddress => {
    row += 1;
    if (typeof record === 'string') {
      const address = record.trim();
      return { row, address, cells: address === record ? null : cellsOfText(record, index) };
    }
    columns.widen(record.length);
    const address = printCell(record[index]).trim();
    return { row, address, cells: record.length === 1 && record[0] === address ? null : record };
  };
  try {
    for (const record of sample) yield listed(record);
    for await (const batch of rest) {
      for (const record of batch) yield listed(record);
      if (performance.now() - turnAt < turnMs) continue;
      await nextTurn();
      turnAt = performance.now();
    }
  } finally {
    await rest.return();
  }
}

const readSample = async (batches: Batches): Promise<readonly ListRecord[]> => {
  const sample: ListRecord[] = [];
  while (sample.length < sampleRecords) {
    const next = await batches.next();
    if (next.done) break;
    for (const record of next.value) sample.push(record);
  }
  return sample;
};

/** Puts the head that was looked at back in front of the rest. */
async function* rejoin(
  head: string,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  try {
    yield head;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* filledLines(text: AsyncIterable<string>): Batches {
  for await (const lines of readLines(text)) yield lines.filter((line) => line.trim() !== '');
}

const textsOf = (records: readonly ListRecord[]): readonly (readonly string[])[] =>
  records.map((record) => (typeof record === 'string' ? [record] : record.map(printCell)));

/** Which column it is, told from the first records, and the columns that are named so far. */
const chooseOf = (
  sample: readonly ListRecord[],
  keys: Columns | null,
  column: string | null,
): { readonly choice: ColumnChoice; readonly columns: Columns } => {
  const first = sample.slice(0, sampleRecords);
  if (keys === null) {
    const choice = chooseColumn(textsOf(first), column);
    return { choice, columns: createColumns(typeof first[0] === 'string' ? ['address'] : choice.names) };
  }
  // A string beside objects says nothing of their keys.
  const objects = first.filter((record) => typeof record !== 'string');
  if (objects.length === 0) keys.indexOf('address');
  return { choice: chooseColumn(textsOf(objects), column, keys.names), columns: keys };
};

/**
 * Reads as far as it must to know the layout; the rest streams through `rows`. Throws IntakeFault; the source is then
 * closed. Whoever does not read `rows` to the end closes it by `return()`, as `for await` does by itself.
 */
export const readAddressList = async (
  source: AsyncIterable<Uint8Array>,
  { column, fileName, maxBytes = Number.POSITIVE_INFINITY }: AddressListOptions = {},
): Promise<AddressList> => {
  const text = readText(readContent(source, maxBytes));
  const head = (await text.next()).value ?? '';
  const layout = readLayout(head, fileName ?? null);
  const body = layout.kind === 'csv' && layout.hasSepLine ? head.slice(head.indexOf('\n') + 1) : head;
  const joined = rejoin(body, text);
  const keys = layout.kind === 'ndjson' ? createColumns([]) : null;
  const batches: Batches =
    layout.kind === 'csv'
      ? readCsv(joined, layout.delimiter)
      : keys === null
        ? filledLines(joined)
        : readNdjson(readLines(joined), keys);
  try {
    const sample = await readSample(batches);
    if (sample.length === 0) throw new IntakeFault('EMPTY_FILE', 'The file has no line with anything in it.');
    const { choice, columns } = chooseOf(sample, keys, column ?? null);
    return {
      format: layout.kind === 'csv' ? 'CSV' : layout.kind === 'lines' ? 'TXT' : 'NDJSON',
      delimiter: layout.kind === 'csv' ? layout.delimiter : null,
      hasHeader: choice.hasHeader,
      columns: columns.names,
      addressColumn: choice.index,
      rows: readRows(choice.hasHeader ? sample.slice(1) : sample, batches, choice.index, columns),
    };
  } catch (error) {
    await batches.return();
    throw error;
  }
};
