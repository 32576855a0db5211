/** Where a list comes from → its rows as the store takes them, one at a time, and its shape. */
import { parseAddress, printCanonical } from '../address/index.ts';
import { cleanFileName } from './intake/file-name.ts';
import { readAddressList } from './intake/list.ts';
import type { Cell, IntakeRow, ListShape } from './types.ts';

/**
 * UTF-16 units of a row that are kept as its address. An address has at most 254 octets, so what is longer is refused
 * as TOO_LONG all the same; the ceiling keeps a "list" of one 10 MB row from being stored and read back.
 */
const keptUnits = 512;

/** Thrown into the store's reading, so that it takes back what it had of the list. */
export class TooManyRows extends Error {
  override readonly name = 'TooManyRows';
}

export type OpenList = {
  /** Can be read once; `return()` closes the source. */
  readonly rows: AsyncGenerator<IntakeRow, void, undefined>;
  /** Final once the last row was read. */
  readonly readShape: () => ListShape;
};

export type ListContent =
  | { readonly kind: 'addresses'; readonly addresses: AsyncIterable<string> | Iterable<string> }
  | {
      readonly kind: 'content';
      readonly fileName: string | null;
      readonly readContent: () => AsyncIterable<Uint8Array>;
    };

export type ListLimits = {
  readonly maxRows: number;
  /** Octets, unpacked ones too. */
  readonly maxBytes: number;
  /** Why reading ends before the list does. */
  readonly signal: AbortSignal;
};

/** `cells` null: the address is all there is, and it is kept whole. */
const intakeRow = (row: number, text: string, given: readonly Cell[] | null): IntakeRow => {
  // SQLite and JSON hold no unpaired surrogate; U+FFFD is as little an address.
  const address = text.slice(0, keptUnits).toWellFormed();
  const cells = given ?? (address.length < text.length ? [text.toWellFormed()] : null);
  const parsed = parseAddress(address);
  return parsed.kind === 'fault'
    ? { row, address, canonical: null, domain: '', cells }
    : { row, address, canonical: printCanonical(parsed.address), domain: parsed.address.domain, cells };
};

async function* numberRows<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { maxRows, signal }: ListLimits,
  read: (item: Item) => { readonly text: string; readonly cells: readonly Cell[] | null },
): AsyncGenerator<IntakeRow, void, undefined> {
  let row = 0;
  for await (const item of items) {
    signal.throwIfAborted();
    if (row === maxRows) throw new TooManyRows();
    row += 1;
    const { text, cells } = read(item);
    yield intakeRow(row, text, cells);
  }
}

/** Opens the list as far as its layout must be known. Throws IntakeFault; so do the rows. */
export const openList = async (
  content: ListContent,
  column: string | null,
  limits: ListLimits,
): Promise<OpenList> => {
  if (content.kind === 'addresses')
    return {
      rows: numberRows(content.addresses, limits, (text) => ({ text, cells: null })),
      readShape: () => ({ format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 }),
    };
  const { fileName } = content;
  const { maxBytes } = limits;
  const list = await readAddressList(content.readContent(), { column, fileName, maxBytes });
  return {
    rows: numberRows(list.rows, limits, ({ address, cells }) => ({ text: address, cells })),
    readShape: () => ({
      format: list.format,
      fileName: fileName === null ? null : cleanFileName(fileName),
      columns: list.columns,
      addressColumn: list.addressColumn,
    }),
  };
};
