/** Bytes of a file → text: by its byte order mark, by its look, else strict UTF-8. Never a guess that drops data. */
import { IntakeFault } from './fault.ts';

/**
 * Bytes looked at before anything is decided: with one piece more also the most that is read of a file whose first line
 * does not end.
 */
const headBytes = 64 * 1024;

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Control characters that a text may have in its rows: that is those rows' trouble. More, and above 1 %, is no text. */
const strayControls = 4;

/** First bytes of formats that people give by mistake. */
const formats: readonly {
  readonly magic: readonly number[];
  readonly name: string;
  readonly advice: string;
}[] = [
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'a ZIP or Excel file', advice: 'save the sheet as CSV' },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], name: 'an old Excel file', advice: 'save the sheet as CSV' },
  // What a gzip file holds was unpacked before.
  { magic: [0x1f, 0x8b], name: 'a gzip file packed twice', advice: 'pack it once' },
  { magic: [0x25, 0x50, 0x44, 0x46], name: 'a PDF', advice: 'export the list as CSV' },
];

/** C0 controls that text does not have: all but tab, line feed, vertical tab, form feed, carriage return, escape. */
const isControl = (octet: number): boolean =>
  octet < 0x09 || (octet > 0x0d && octet < 0x20 && octet !== 0x1b);

/**
 * UTF-16 without a mark: nearly every second octet of a list of addresses is zero, and which half says the order.
 * Anything else with zero octets is no text.
 */
const readEncoding = (head: Uint8Array): Encoding | null => {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  let controls = 0;
  for (const [index, octet] of head.entries()) {
    if (octet === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
    else if (isControl(octet)) controls += 1;
  }
  const [even = 0, odd = 0] = zeros;
  const half = Math.floor(head.length / 2);
  if (half > 0 && odd > half * 0.4 && even < half * 0.05) return 'utf-16le';
  if (half > 0 && even > half * 0.4 && odd < half * 0.05) return 'utf-16be';
  const strays = even + odd + controls;
  return strays > strayControls && strays * 100 > head.length ? null : 'utf-8';
};

const names: Record<Encoding, string> = { 'utf-8': 'UTF-8', 'utf-16le': 'UTF-16', 'utf-16be': 'UTF-16' };

/** The head of the source, and after it the rest; the source is read only as far as somebody asks. */
const readHead = async (source: AsyncIterator<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < headBytes; ) {
    const next = await source.next();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(chunks);
};

/** The text of a file, in pieces, without its byte order mark. Throws EMPTY_FILE, BINARY_FILE or BAD_ENCODING. */
export async function* readText(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    if (head.length === 0) throw new IntakeFault('EMPTY_FILE', 'The file is empty.');
    const format = formats.find(({ magic }) => magic.every((octet, index) => head[index] === octet));
    if (format !== undefined)
      throw new IntakeFault('BINARY_FILE', `The file is ${format.name}, not a list: ${format.advice}.`);
    const encoding = readEncoding(head);
    if (encoding === null)
      throw new IntakeFault('BINARY_FILE', 'The file is not text: give a CSV, or one address a line.');
    // `fatal`: a wrong guess must not turn addresses into replacement characters.
    const decoder = new TextDecoder(encoding, { fatal: true });
    const decode = (octets: Uint8Array | null): string => {
      try {
        return octets === null ? decoder.decode() : decoder.decode(octets, { stream: true });
      } catch {
        throw new IntakeFault('BAD_ENCODING', `The file is not valid ${names[encoding]}: save it as UTF-8.`);
      }
    };
    yield decode(head);
    while (true) {
      const next = await iterator.next();
      if (next.done) break;
      yield decode(next.value);
    }
    yield decode(null);
  } finally {
    await iterator.return?.();
  }
}
