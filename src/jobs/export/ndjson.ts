/** NDJSON: one object a row, values as they are. */
import type { Cell, ListedRow, ListShape } from '../types.ts';

/** The keys of `input`: a second column of the same name is `name_2`, as an object has a key once. */
const keysOf = (columns: readonly string[]): readonly string[] => {
  const taken = new Set<string>();
  return columns.map((name) => {
    let key = name;
    for (let n = 2; taken.has(key); n += 1) key = `${name}_${n}`;
    taken.add(key);
    return key;
  });
};

/**
 * Gives the printer of one line with its end: `row`, `address`, `input` (the caller's columns; left out where the
 * address is all that a row can have), and the verdict once the row is settled.
 */
export const createNdjsonPrinter = ({
  format,
  columns,
  addressColumn,
}: ListShape): ((row: ListedRow) => string) => {
  const keys = keysOf(columns);
  const hasInput = format === 'CSV' || format === 'NDJSON';
  const inputOf = (address: string, cells: readonly Cell[] | null): Record<string, Cell> =>
    Object.fromEntries(
      cells === null
        ? [[keys[addressColumn] ?? 'address', address]]
        : keys.slice(0, cells.length).map((key, index) => [key, cells[index] ?? null]),
    );
  return ({ row, address, cells, result }) => {
    const { position: _position, row: _row, address: _address, ...verdict } = result ?? {};
    const input = hasInput ? { input: inputOf(address, cells) } : {};
    return `${JSON.stringify({ row, address, ...input, ...verdict })}\n`;
  };
};
