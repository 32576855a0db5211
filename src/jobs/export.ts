/**
 * The caller's own list with our columns beside it, in the caller's order: the input is read again and walked together
 * with the rows of the store, a page at a time. It can be read while the job runs; what is not settled is empty.
 */
import { stringify } from 'csv-stringify/sync';
import type { ListedAddress } from './intake/list.ts';
import type { Jobs, ListedRow, SettledRow } from './types.ts';

const pageRows = 500;

/** Our columns: name and cell. */
const ours: readonly {
  readonly name: string;
  readonly cell: (result: SettledRow) => string | number | null;
}[] = [
  { name: 'status', cell: ({ status }) => status },
  { name: 'reason', cell: ({ reason }) => reason },
  { name: 'score', cell: ({ score }) => score },
  { name: 'duplicate_of', cell: ({ duplicateOf }) => duplicateOf },
  { name: 'provider', cell: ({ provider }) => provider },
  { name: 'exchange', cell: ({ exchange }) => exchange },
  { name: 'reply_code', cell: ({ reply }) => reply?.code ?? null },
  { name: 'reply_enhanced_code', cell: ({ reply }) => reply?.enhancedCode ?? null },
  { name: 'reply_text', cell: ({ reply }) => reply?.text ?? null },
  { name: 'checked_at', cell: ({ checkedAt }) => checkedAt.toISOString() },
];

/** Names of the columns that a result has in a CSV. */
export const resultColumns: readonly string[] = ours.map(({ name }) => name);

/** Their cells; all empty while the row is not settled. */
export const printCells = (result: SettledRow | null): readonly (string | number | null)[] =>
  ours.map(({ cell }) => (result === null ? null : cell(result)));

/** A name that the caller uses already gets a prefix, so that both columns can be told apart. */
const nameOurs = (theirs: readonly string[]): readonly string[] => {
  const taken = new Set(theirs.map((name) => name.trim().toLowerCase()));
  return ours.map(({ name }) => (taken.has(name) ? `rcpt_${name}` : name));
};

/** `escape_formulas`: a cell that begins with = + - @ tab or CR, which a spreadsheet would run, gets an apostrophe. */
export const printRecords = (records: readonly (readonly (string | number | null)[])[]): string =>
  stringify(
    records.map((record) => [...record]),
    { escape_formulas: true, record_delimiter: 'windows' },
  );

/** The rows of the store in order, as an iterator over pages. */
async function* walk(jobs: Pick<Jobs, 'rows'>, jobId: string): AsyncGenerator<ListedRow, void, undefined> {
  for (let afterRow = 0; ; ) {
    const { items, hasNextPage } = await jobs.rows(jobId, { afterRow, limit: pageRows });
    yield* items;
    afterRow = items.at(-1)?.row ?? afterRow;
    if (!hasNextPage) return;
  }
}

export type ExportInput = {
  /** The caller's columns, in order. */
  readonly columns: readonly string[];
  /** The same file again, read by `readAddressList` with the same options. */
  readonly rows: AsyncIterable<ListedAddress>;
};

/**
 * A CSV (RFC 4180, CRLF, UTF-8 without a mark) with a header line, in pieces of up to 500 rows. Throws when the input
 * has more or fewer rows than the job: then it is not the file that the job was made of.
 */
export async function* printCsv(
  jobs: Pick<Jobs, 'rows'>,
  jobId: string,
  input: ExportInput,
): AsyncGenerator<string, void, undefined> {
  const width = input.columns.length;
  const known = walk(jobs, jobId);
  let records: (readonly (string | number | null)[])[] = [[...input.columns, ...nameOurs(input.columns)]];
  for await (const { row, fields } of input.rows) {
    const { value: listed } = await known.next();
    if (listed?.row !== row) throw new Error(`the file has a row ${row} that the job does not have`);
    const { result } = listed;
    const theirs = Array.from({ length: width }, (_, index) => fields[index] ?? '');
    records.push([...theirs, ...printCells(result)]);
    if (records.length < pageRows) continue;
    yield printRecords(records);
    records = [];
  }
  if (!(await known.next()).done) throw new Error('the file has fewer rows than the job');
  yield printRecords(records);
}
