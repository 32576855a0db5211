/** Which column holds the addresses, and whether the first record is a header. */
import { IntakeFault } from './fault.ts';
import { headerWords } from './header-words.ts';

export type ColumnChoice = {
  /** Zero-based. */
  readonly index: number;
  readonly hasHeader: boolean;
  /** The header's cells, the keys, or names made up from the columns' numbers: `column_1` … */
  readonly names: readonly string[];
};

/** Of a column's cells, how many must look like addresses when no header names it. */
const leastShare = 0.3;
/** Columns that a message lists, and characters of each: a file of thousands of columns must not become the message. */
const listedColumns = 20;
const listedCharacters = 40;

/** Small letters without marks, spaces and punctuation: `E-Mail Adresse` and `e_mail_adresse` are one word. */
const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const words: ReadonlySet<string> = new Set(headerWords.map(fold));
/** Does a header's cell say, in some language, that its column holds addresses? */
export const isHeaderWord = (cell: string): boolean => words.has(fold(cell));

const widest = (records: readonly (readonly string[])[]): number =>
  records.reduce((most, record) => Math.max(most, record.length), 0);

/** The share of cells with something in them that have an `@`. */
const addressShare = (records: readonly (readonly string[])[], index: number): number => {
  const cells = records.map((record) => record[index]?.trim() ?? '').filter((cell) => cell !== '');
  return cells.length === 0 ? 0 : cells.filter((cell) => cell.includes('@')).length / cells.length;
};

const listNames = (names: readonly string[]): string => {
  const listed = names.slice(0, listedColumns).map((name) => `"${name.trim().slice(0, listedCharacters)}"`);
  return names.length > listedColumns
    ? `${listed.join(', ')} and ${names.length - listedColumns} more`
    : listed.join(', ');
};

/**
 * A header has no `@` in it. A first record without one is a header when it names the column in some language, or
 * when there are records below it that do have an `@`: then it is no row of addresses.
 */
const readHeader = (sample: readonly (readonly string[])[]): readonly string[] | null => {
  const [first, ...rest] = sample;
  if (first === undefined || first.some((cell) => cell.includes('@'))) return null;
  const isNamed = first.some(isHeaderWord);
  const isAbove = first.length > 1 && rest.some((record) => record.some((cell) => cell.includes('@')));
  return isNamed || isAbove ? first : null;
};

const chooseNamed = (name: string, header: readonly string[] | null, names: readonly string[]): number => {
  const wanted = name.trim().normalize('NFC').toLowerCase();
  const byName = (header ?? []).findIndex((cell) => cell.trim().normalize('NFC').toLowerCase() === wanted);
  if (byName >= 0) return byName;
  const number = /^\d{1,4}$/.test(wanted) ? Number(wanted) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  throw new IntakeFault(
    'UNKNOWN_COLUMN',
    header === null
      ? `The file has no header, so the column is named by its number, 1 to ${names.length}.`
      : `The file has no such column. It has ${listNames(names)}.`,
  );
};

/**
 * The column named by `column` (a header's cell, in any case, or a number from 1), else the one whose header says
 * email, else the one whose cells look most like addresses. `keys` are the names of records that bring their own, as
 * NDJSON does: then none of the records is a header. Throws UNKNOWN_COLUMN or NO_ADDRESS_COLUMN.
 */
export const chooseColumn = (
  sample: readonly (readonly string[])[],
  column: string | null,
  keys: readonly string[] | null = null,
): ColumnChoice => {
  // A caller who names a column of the first record by its text says that it is a header.
  const first = keys === null ? (readHeader(sample) ?? namedHeader(sample[0], column)) : null;
  const header = keys ?? first;
  const records = first === null ? sample : sample.slice(1);
  const width = Math.max(widest(sample), keys?.length ?? 0);
  const names = Array.from({ length: width }, (_, index) => {
    const name = header?.[index]?.trim() ?? '';
    return name === '' ? `column_${index + 1}` : name;
  });
  const choice = (index: number): ColumnChoice => ({ index, hasHeader: first !== null, names });
  if (column !== null) return choice(chooseNamed(column, header, names));

  const ranked = names
    .map((_, index) => ({
      index,
      share: addressShare(records, index),
      isNamed: header !== null && isHeaderWord(header[index] ?? ''),
    }))
    .filter(({ share, isNamed }) => isNamed || share >= leastShare)
    // A header that says email and holds none ("Mail: yes") loses to a column of addresses.
    .sort(
      (a, b) =>
        Number(b.share > 0) - Number(a.share > 0) ||
        Number(b.isNamed) - Number(a.isNamed) ||
        b.share - a.share,
    );
  const best = ranked[0];
  if (best !== undefined) return choice(best.index);
  throw new IntakeFault(
    'NO_ADDRESS_COLUMN',
    header === null
      ? 'No column of the file holds addresses: none of its first rows has an "@".'
      : `No column of the file holds addresses. It has ${listNames(names)}: name the column.`,
  );
};

const namedHeader = (
  first: readonly string[] | undefined,
  column: string | null,
): readonly string[] | null => {
  if (first === undefined || column === null) return null;
  return first.some((cell) => cell.trim() !== '' && fold(cell) === fold(column)) ? first : null;
};
