/** What the download of a list still prints by hand; `export/` prints whole results. */
import { stringify } from 'csv-stringify/sync';
import type { SettledRow } from './types.ts';

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

/** `escape_formulas`: a cell that begins with = + - @ tab or CR, which a spreadsheet would run, gets an apostrophe. */
export const printRecords = (records: readonly (readonly (string | number | null)[])[]): string =>
  stringify(
    records.map((record) => [...record]),
    { escape_formulas: true, record_delimiter: 'windows' },
  );
