/** The table that `npm run sandbox` shows. */
import type { Sandbox } from './types.ts';

/** Plain text: a line for each example with address, expected verdict and what it plays. */
export const printExamples = ({ examples }: Pick<Sandbox, 'examples'>): string => {
  const rows = examples.map(({ address, expected, about }) => [
    address,
    `${expected.status} ${expected.reason}`,
    about,
  ]);
  const table = [['try', 'expect', 'what happens there'], ...rows];
  const width = (column: number): number => Math.max(...table.map((row) => widthOf(row[column] ?? '')));
  const widths = [width(0), width(1)];
  return table
    .map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
};

/** Columns of a terminal; the examples have no wide characters but in what they say. */
const widthOf = (text: string): number => [...text.normalize('NFC')].length;
const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));
