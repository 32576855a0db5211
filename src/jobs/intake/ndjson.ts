/** Lines of JSON → records: the cells of an object by its keys, or a string, which is an address and nothing else. */
import type { Cell } from '../types.ts';
import type { Columns } from './columns.ts';
import { IntakeFault } from './fault.ts';

/** Levels of arrays and objects in a cell: what walks one later (JSON.stringify) is recursive, and its stack has an end. */
const deepestCell = 64;

const badJson = (line: number, what: string): IntakeFault =>
  new IntakeFault(
    'BAD_JSON',
    `The file's line ${line} ${what}: give one JSON object, or one string, a line.`,
  );

/** May hold a number that JSON.parse would change. */
const hasLongNumber = /\d{16}|\de\+?\d{3}/i;

/** What a double cannot hold (ids of 64 bits, 1e400) stays as it was written, as text: better than another number. */
const keepLongNumber = (_key: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === 'number' &&
  source !== undefined &&
  (!Number.isFinite(value) || (/^-?\d+$/.test(source) && !Number.isSafeInteger(value)))
    ? source
    : value;

const parseLine = (text: string, line: number): Cell => {
  try {
    return hasLongNumber.test(text)
      ? JSON.parse(text, keepLongNumber as (key: string, value: unknown) => unknown)
      : JSON.parse(text);
  } catch {
    throw badJson(line, 'is not JSON');
  }
};

const isDeeperThan = (cell: Cell, levels: number): boolean => {
  if (typeof cell !== 'object' || cell === null) return false;
  return levels === 0 || Object.values(cell).some((inner) => isDeeperThan(inner, levels - 1));
};

/** Keys that an object does not have are null, or left out at the end of its cells. */
const readCells = (object: { readonly [key: string]: Cell }, columns: Columns, line: number) => {
  const cells: Cell[] = [];
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'object' && isDeeperThan(value, deepestCell))
      throw badJson(line, `has a value of more than ${deepestCell} levels`);
    const index = columns.indexOf(key);
    while (cells.length < index) cells.push(null);
    cells[index] = value;
  }
  return cells;
};

/** A batch of lines, blank ones left out. `columns` grows by the keys that are new. Throws BAD_JSON. */
export async function* readNdjson(
  lines: AsyncIterable<readonly string[]>,
  columns: Columns,
): AsyncGenerator<readonly (readonly Cell[] | string)[], void, undefined> {
  let line = 0;
  for await (const batch of lines) {
    const records: (readonly Cell[] | string)[] = [];
    for (const text of batch) {
      line += 1;
      if (text.trim() === '') continue;
      const value = parseLine(text, line);
      if (typeof value === 'string') records.push(value);
      else if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw badJson(line, 'is neither an object nor a string');
      else records.push(readCells(value as { readonly [key: string]: Cell }, columns, line));
    }
    yield records;
  }
}
