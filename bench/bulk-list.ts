/**
 * A list as marketers have them: half of the rows at five providers, a tenth of that number of small domains for the
 * rest, some rows twice, some that are no address. The same rows for the same number, whoever asks.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Exchanges of the providers, and those that all the small domains share. */
export const providers = 5;
export const hosters = 40;

const rowsPerSmallDomain = 10;
const rowsAPiece = 1_000;

/** Nine in ten mailboxes exist; one in two hundred is told to come back, and is told so again. */
const localPart = (row: number): string => {
  const n = row % 200;
  return n === 0 ? 'busy' : n < 3 ? 'full' : n < 22 ? 'gone' : 'user';
};

export const addressOf = (row: number, total: number): string => {
  if (row % 100 === 99) return `no address ${row}`;
  // Repeats the row twenty before it.
  const named = row % 50 === 37 ? row - 20 : row;
  if (named % 2 === 0) return `${localPart(named / 2)}${named}@d0.e${(named / 2) % providers}.bench.test`;
  const domains = Math.max(1, Math.floor(total / 2 / rowsPerSmallDomain));
  const domain = ((named - 1) / 2) % domains;
  return `${localPart((named - 1) / 2)}${named}@d${domain}.e${providers + (domain % hosters)}.bench.test`;
};

const print = (row: number, total: number): string =>
  `${row + 1},"Anna, the ${row}th",${addressOf(row, total)},Berlin,2026-11-${String((row % 30) + 1).padStart(2, '0')}\r\n`;

/** Writes the list as a CSV with a header, five columns; gives its octets. */
export const writeList = async (path: string, total: number): Promise<number> => {
  const pieces = function* (): Generator<string> {
    yield 'id,name,email,city,since\r\n';
    for (let from = 0; from < total; from += rowsAPiece) {
      let piece = '';
      for (let row = from; row < Math.min(from + rowsAPiece, total); row++) piece += print(row, total);
      yield piece;
    }
  };
  const file = createWriteStream(path);
  await pipeline(Readable.from(pieces()), file);
  return file.bytesWritten;
};
