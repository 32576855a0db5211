/** Text in pieces → records: one cell a line, or a CSV's cells. Nothing longer than `longestRecord` is ever held. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { IntakeFault } from './fault.ts';

/**
 * Characters of a line, or of a CSV's record with all its cells: keeps a file that is one endless line, or a quote
 * that is never closed, from being read into memory whole.
 */
const longestRecord = 64 * 1024;

const tooLong = (cause?: unknown): IntakeFault =>
  new IntakeFault(
    'LINE_TOO_LONG',
    `The file has a line, or a quoted cell that never ends, of more than ${longestRecord / 1024} KiB.`,
    { cause },
  );

/** Lines that have something in them; CRLF, LF and CR all end one. */
export async function* readLines(
  text: AsyncIterable<string>,
): AsyncGenerator<readonly [string], void, undefined> {
  let rest = '';
  for await (const piece of text) {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.length > longestRecord) throw tooLong();
      if (line.trim() !== '') yield [line];
    }
    if (rest.length > longestRecord) throw tooLong();
  }
  const last = rest.replace(/\r$/, '');
  if (last.trim() !== '') yield [last];
}

/** Records of a CSV (RFC 4180), as lenient as one can be without guessing: any number of cells, stray quotes kept. */
export async function* readCsv(
  text: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<readonly string[], void, undefined> {
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: longestRecord,
  });
  const fed = pipeline(Readable.from(text), parser).catch(() => undefined);
  try {
    for await (const record of parser) yield record as readonly string[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_MAX_RECORD_SIZE') throw tooLong(error);
    const what =
      error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is opened and never closed' : 'it cannot be read';
    throw new IntakeFault('NOT_A_CSV', `The file is not a CSV: ${what}, near line ${error.lines}.`, {
      cause: error,
    });
  } finally {
    parser.destroy();
    await fed;
  }
}
