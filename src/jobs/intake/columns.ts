/** The names of a list's columns, in order of appearance. They grow while the list is read. */
import { IntakeFault } from './fault.ts';
import { longestRecord } from './records.ts';

/**
 * Columns of a list, and characters of all their names: they are kept with the job and read with each look at it, and
 * every row of a CSV or a sheet has all of them.
 */
const mostColumns = 1_000;
const mostCharacters = longestRecord;

export type Columns = {
  readonly names: readonly string[];
  /** Of the column of that name; a new one comes last. Throws TOO_MANY_COLUMNS. */
  indexOf(name: string): number;
  /** Names those up to `width` that have none: `column_1` … Throws TOO_MANY_COLUMNS. */
  widen(width: number): void;
};

export const createColumns = (given: readonly string[]): Columns => {
  const names: string[] = [];
  const indexes = new Map<string, number>();
  let characters = 0;
  const add = (name: string): number => {
    characters += name.length;
    if (names.length === mostColumns || characters > mostCharacters)
      throw new IntakeFault(
        'TOO_MANY_COLUMNS',
        `The list has more than ${mostColumns.toLocaleString('en')} columns, or names of more than ${mostCharacters / 1024} KiB.`,
      );
    names.push(name);
    if (!indexes.has(name)) indexes.set(name, names.length - 1);
    return names.length - 1;
  };
  const columns: Columns = {
    names,
    indexOf: (name) => indexes.get(name) ?? add(name),
    widen(width) {
      while (names.length < width) add(`column_${names.length + 1}`);
    },
  };
  for (const name of given) add(name);
  return columns;
};
