/** Text in pieces → records in batches: a line each, or a CSV's cells. Nothing longer than `longestRecord` is ever held. */
import { CsvError, parse } from 'csv-parse';
import { IntakeFault } from './fault.ts';

/**
 * Characters of a line, or of a CSV's record with all its cells: keeps a file that is one endless line, or a quote
 * that is never closed, from being read into memory whole.
 */
export const longestRecord = 64 * 1024;

const tooLong = (): IntakeFault =>
  new IntakeFault(
    'LINE_TOO_LONG',
    `The file has a line, or a quoted cell that never ends, of more than ${longestRecord / 1024} KiB.`,
  );

/** All lines, blank ones too; CRLF, LF and CR each end one. A batch is what a piece of text ends. */
export async function* readLines(
  text: AsyncIterable<string>,
): AsyncGenerator<readonly string[], void, undefined> {
  let rest = '';
  for await (const piece of text) {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > longestRecord || lines.some((line) => line.length > longestRecord)) throw tooLong();
    if (lines.length > 0) yield lines;
  }
  const last = rest.replace(/\r$/, '');
  if (last !== '') yield [last];
}

const readCsvError = (error: unknown): unknown => {
  if (!(error instanceof CsvError)) return error;
  if (error.code === 'CSV_MAX_RECORD_SIZE') return tooLong();
  const what =
    error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is opened and never closed' : 'it cannot be read';
  return new IntakeFault('NOT_A_CSV', `The file is not a CSV: ${what}, near line ${error.lines}.`);
};

/**
 * Records of a CSV (RFC 4180), as lenient as one can be without guessing: any number of cells, stray quotes kept. What
 * a piece of text completed is taken from the parser at once, as a batch: 508,000 records of 5 cells a second,
 * where its own iterator gives 412,000 and holds the event loop for longer.
 */
export async function* readCsv(
  text: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<readonly (readonly string[])[], void, undefined> {
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: longestRecord,
  });
  // Told by the write that fails.
  parser.on('error', () => undefined);
  const takeRecords = (): readonly (readonly string[])[] => {
    const records: (readonly string[])[] = [];
    for (let next = parser.read(); next !== null; next = parser.read()) records.push(next);
    return records;
  };
  try {
    for await (const piece of text) {
      // The parser works within `write`; its callback waits until the records are taken.
      const written = new Promise<unknown>((resolve) => parser.write(piece, resolve));
      const records = takeRecords();
      if (records.length > 0) yield records;
      const error = await written;
      if (error) throw error;
    }
    parser.end();
    const last: (readonly string[])[] = [];
    for await (const record of parser) last.push(record);
    if (last.length > 0) yield last;
  } catch (error) {
    throw readCsvError(error);
  } finally {
    parser.destroy();
  }
}
