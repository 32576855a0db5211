/**
 * XLSX (ECMA-376), written as it is read: a sheet is deflated while its rows come, and the memory is that of some pages.
 * Cells have a type: text is text (`inlineStr`) and never a formula, numbers are numbers.
 */
import { writeXlsxStream } from 'hucre/xlsx';
import type { TableCell } from './columns.ts';

/** What Excel holds, and calls a file damaged that has more (Microsoft, "Excel specifications and limits"). */
const rowsPerSheet = 1_048_576;
const unitsPerCell = 32_767;

/** Octets of a sheet's XML past which ZIP needs its 64-bit records; not every reader knows those. */
const zip32Bytes = 0xffff_ffff;
/** Octets of XML that a cell costs beside its text, and the most that an octet of text becomes (`&` is `&amp;`). */
const cellOverhead = 64;
const escapedOctet = 6;

/** `_x0041_` is an escape (ECMA-376 part 1, §22.9.2.19, ST_Xstring): where it is text, its first mark is escaped. */
const looksEscaped = /_(?=x[\dA-Fa-f]{4}_)/g;

/**
 * Text that XML 1.0 can hold: control characters are escaped by the writer, halves of surrogate pairs and the two that
 * are no characters become U+FFFD. A line of a cell ends with LF, as in a sheet that a person made.
 */
const printText = (text: string): string =>
  text
    .slice(0, unitsPerCell)
    .toWellFormed()
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replaceAll(looksEscaped, '_x005F_');

/** An empty text is no cell at all, as in a sheet that a person made. */
const printCell = (cell: TableCell): TableCell =>
  typeof cell === 'string' ? (cell === '' ? null : printText(cell)) : cell;

export type XlsxTable = {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<readonly TableCell[]>;
  readonly rowCount: number;
  /** Octets of all text in it, about. */
  readonly textBytes: number;
};

/** The file in pieces. Past `perSheet` rows, header included, another sheet begins with the same header. */
export async function* printXlsx(
  { columns, rows, rowCount, textBytes }: XlsxTable,
  perSheet = rowsPerSheet,
): AsyncGenerator<Uint8Array, void, undefined> {
  const printed = async function* (): AsyncGenerator<TableCell[]> {
    for await (const row of rows) yield row.map(printCell);
  };
  const most = rowCount * columns.length * cellOverhead + textBytes * escapedOctet;
  yield* writeXlsxStream(printed(), {
    name: 'Results',
    columns: columns.map((name) => ({ header: printText(name) })),
    freezePane: { rows: 1 },
    maxRowsPerSheet: perSheet,
    zip64: most > zip32Bytes,
  });
}
