/**
 * A file that somebody calls a list of addresses → its rows, as a stream. TXT (one a line), CSV and TSV with any usual
 * delimiter, quotes, a byte order mark, UTF-8 or UTF-16, with a header in some language or none. It repairs nothing:
 * a row that is no address is a row all the same. Memory is bounded by the head (256 KiB) and one record (64 KiB).
 */
import { type ColumnChoice, chooseColumn } from './column.ts';
import { readLayout } from './delimiter.ts';
import { readText } from './encoding.ts';
import { IntakeFault } from './fault.ts';
import { readCsv, readLines } from './records.ts';

export type AddressListOptions = {
  /** The column that holds the addresses: its header, in any case, or its number from 1. Default: found. */
  readonly column?: string;
  /** As the caller named the file: `.tsv` is a hint. */
  readonly fileName?: string;
};

export type ListedAddress = {
  /** One-based, header and blank lines not counted. */
  readonly row: number;
  /** The cell of the address column without the white space around it; '' when the record has no such cell. */
  readonly address: string;
  /** All cells as they were. */
  readonly fields: readonly string[];
};

export type AddressList = {
  readonly format: 'TXT' | 'CSV';
  /** Null for TXT. */
  readonly delimiter: string | null;
  readonly hasHeader: boolean;
  /** As in the header; `column_1` … for those it does not name. */
  readonly columns: readonly string[];
  /** Zero-based index of the column with the addresses. */
  readonly addressColumn: number;
  /** Can be read once. Throws IntakeFault where the file turns out to be broken further down. */
  readonly rows: AsyncIterable<ListedAddress>;
};

/** Records that are looked at to find header and column. */
const sampleRecords = 50;

const readSome = async (
  records: AsyncIterator<readonly string[]>,
): Promise<readonly (readonly string[])[]> => {
  const sample: (readonly string[])[] = [];
  while (sample.length < sampleRecords) {
    const next = await records.next();
    if (next.done) break;
    sample.push(next.value);
  }
  return sample;
};

async function* readRows(
  sample: readonly (readonly string[])[],
  rest: AsyncGenerator<readonly string[], void, undefined>,
  { index, hasHeader }: ColumnChoice,
): AsyncGenerator<ListedAddress, void, undefined> {
  let row = 0;
  const listed = (fields: readonly string[]): ListedAddress => {
    row += 1;
    return { row, address: fields[index]?.trim() ?? '', fields };
  };
  try {
    for (const fields of hasHeader ? sample.slice(1) : sample) yield listed(fields);
    for await (const fields of rest) yield listed(fields);
  } finally {
    await rest.return();
  }
}

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

/**
 * Reads as far as it must to know the layout; the rest streams through `rows`. Throws IntakeFault; the source is then
 * closed. Whoever does not read `rows` to the end closes it by `return()`, as `for await` does by itself.
 */
export const readAddressList = async (
  source: AsyncIterable<Uint8Array>,
  { column, fileName }: AddressListOptions = {},
): Promise<AddressList> => {
  const text = readText(source);
  const head = (await text.next()).value ?? '';
  const layout = readLayout(head, fileName ?? null);
  const body = layout.kind === 'csv' && layout.hasSepLine ? head.slice(head.indexOf('\n') + 1) : head;
  const joined = rejoin(body, text);
  const records = layout.kind === 'csv' ? readCsv(joined, layout.delimiter) : readLines(joined);
  try {
    const sample = await readSome(records);
    if (sample.length === 0) throw new IntakeFault('EMPTY_FILE', 'The file has no line with anything in it.');
    const choice = chooseColumn(sample, column ?? null);
    return {
      format: layout.kind === 'csv' ? 'CSV' : 'TXT',
      delimiter: layout.kind === 'csv' ? layout.delimiter : null,
      hasHeader: choice.hasHeader,
      columns: choice.names,
      addressColumn: choice.index,
      rows: readRows(sample, records, choice),
    };
  } catch (error) {
    await records.return();
    throw error;
  }
};
