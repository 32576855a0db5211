/** What a result has in a table: our columns beside the caller's, and the cells of a row under them. */
import type { Cell, ListedRow, ListShape, SettledRow } from '../types.ts';

/** Text is what somebody else wrote; a number or a boolean is itself; null is an empty cell. */
export type TableCell = string | number | boolean | null;

/** Our columns: name and cell. */
const ours: readonly {
  readonly name: string;
  readonly cell: (result: SettledRow) => TableCell;
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

/** The caller's columns, then ours; a name that the caller uses already gets a prefix, so that both can be told apart. */
export const columnsOf = ({ columns }: ListShape): readonly string[] => {
  const taken = new Set(columns.map((name) => name.trim().toLowerCase()));
  return [...columns, ...ours.map(({ name }) => (taken.has(name) ? `rcpt_${name}` : name))];
};

/** JSON text for what is neither text, number nor boolean. */
const flatten = (cell: Cell | undefined): TableCell => {
  if (cell === undefined || cell === null) return null;
  return typeof cell === 'object' ? JSON.stringify(cell) : cell;
};

/** A row under `columnsOf`: as wide as it, ours empty while the row is not settled. */
export const cellsOf = (
  { columns, addressColumn }: ListShape,
  { address, cells, result }: ListedRow,
): readonly TableCell[] => {
  const row: TableCell[] = [];
  for (let index = 0; index < columns.length; index += 1)
    row.push(cells === null ? (index === addressColumn ? address : null) : flatten(cells[index]));
  for (const { cell } of ours) row.push(result === null ? null : cell(result));
  return row;
};
