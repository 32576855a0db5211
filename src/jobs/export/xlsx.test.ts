import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { exportedJob, rowsBy, settled } from '../../../test/jobs/exported-job.ts';
import type { TableCell } from './columns.ts';
import { printResults } from './index.ts';
import { printXlsx, type XlsxTable } from './xlsx.ts';

const collect = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

/** Parts by name, read by the central directory (APPNOTE.TXT 4.3.12), as every reader of XLSX does. */
const unzip = (file: Buffer): Map<string, string> => {
  const parts = new Map<string, string>();
  const end = file.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left -= 1) {
    expect(file.readUInt32LE(at)).toBe(0x02014b50);
    const method = file.readUInt16LE(at + 10);
    const packed = file.readUInt32LE(at + 20);
    const nameLength = file.readUInt16LE(at + 28);
    const local = file.readUInt32LE(at + 42);
    const name = file.toString('utf8', at + 46, at + 46 + nameLength);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const data = file.subarray(start, start + packed);
    parts.set(name, (method === 8 ? inflateRawSync(data) : data).toString('utf8'));
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return parts;
};

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
};
/** XML's own escapes, then ST_Xstring's. */
const readText = (xml: string): string =>
  xml
    .replaceAll(/&\w+;/g, (entity) => entities[entity] ?? entity)
    .replaceAll(/_x([\dA-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Cells of each row by the letters of their columns; a text in quotes, so that `"5"` and `5` differ. */
const readSheet = (xml: string): Record<string, string>[] =>
  [...xml.matchAll(/<row [^>]*>(.*?)<\/row>/gs)].map(([, row = '']) =>
    Object.fromEntries(
      [...row.matchAll(/<c r="([A-Z]+)\d+"([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)].map(
        ([, column = '', type = '', cell = '']) => {
          expect(cell).not.toContain('<f');
          const text = /<t[^>]*>(.*?)<\/t>/s.exec(cell)?.[1];
          return [
            column,
            type.includes('inlineStr')
              ? JSON.stringify(readText(text ?? ''))
              : cell.replaceAll(/<\/?v>/g, ''),
          ];
        },
      ),
    ),
  );

const table = (columns: readonly string[], rows: readonly (readonly TableCell[])[]): XlsxTable => ({
  columns,
  rows: (async function* () {
    yield* rows;
  })(),
  rowCount: rows.length,
  textBytes: 0,
});
const sheetsOf = async (...given: Parameters<typeof printXlsx>) => {
  const parts = unzip(await collect(printXlsx(...given)));
  for (const name of ['[Content_Types].xml', '_rels/.rels', 'xl/workbook.xml'])
    expect([...parts.keys()]).toContain(name);
  return [...parts]
    .filter(([name]) => name.startsWith('xl/worksheets/sheet'))
    .map(([, xml]) => readSheet(xml));
};

describe('XLSX', () => {
  it('has the columns of the list and ours, and types', async () => {
    const source = rowsBy(2, (row) =>
      row === 1
        ? { address: 'a@x.example', cells: ['a@x.example', 7, true, null, ['x'], '5'], result: settled(1) }
        : { address: 'b@x.example', cells: null, result: null },
    );
    const columns = ['email', 'n', 'b', 'z', 'l', 's'];
    const parts = unzip(
      await collect(printResults(source, exportedJob(2, { format: 'NDJSON', columns }), 'XLSX')),
    );
    const [header, first, second, ...more] = readSheet(parts.get('xl/worksheets/sheet1.xml') ?? '');
    expect(Object.values(header ?? {})).toEqual(
      [...columns, 'status', 'reason', 'score', 'duplicate_of', 'provider', 'exchange', 'reply_code']
        .concat('reply_enhanced_code', 'reply_text', 'checked_at')
        .map((name) => JSON.stringify(name)),
    );
    expect(first).toEqual({
      A: '"a@x.example"',
      B: '7',
      C: '1',
      E: '"[\\"x\\"]"',
      F: '"5"',
      G: '"DELIVERABLE"',
      H: '"MAILBOX_EXISTS"',
      I: '95',
      K: '"GOOGLE"',
      L: '"mx.x.example"',
      M: '250',
      N: '"2.1.5"',
      O: '"OK"',
      P: '"2026-01-02T03:04:05.000Z"',
    });
    expect(second).toEqual({ A: '"b@x.example"' });
    expect(more).toEqual([]);
  });

  const texts: [string, string?][] = [
    ['=1+1'],
    ['+cmd|x'],
    ['-5'],
    ['@x'],
    ['<b>&amp;"\'</b>'],
    ['  spaces  '],
    ['tab\tand\nline'],
    ['a\r\nb\rc', 'a\nb\nc'],
    ['\0\x01\x0B\x1F'],
    ['_x0041_ and _X0041_ and __x000a__'],
    ['😀 Ω'],
    ['\u202E'],
    ['half \uD83D', 'half \uFFFD'],
    ['\uFFFE\uFFFF', '\uFFFD\uFFFD'],
    ['x'.repeat(40_000), 'x'.repeat(32_767)],
    [`${'x'.repeat(32_766)}😀`, `${'x'.repeat(32_766)}\uFFFD`],
  ];
  it.each(texts)('gives %j to a reader, as a cell and as a header', async (text, read = text) => {
    const [sheet] = await sheetsOf(table(['a', text], [['b', text]]));
    expect(sheet?.map(({ B }) => B)).toEqual([JSON.stringify(read), JSON.stringify(read)]);
  });

  it('leaves out what is empty', async () => {
    const [sheet] = await sheetsOf(table(['a', 'b', 'c'], [['', null, 'x']]));
    expect(sheet?.[1]).toEqual({ C: '"x"' });
  });

  it('begins another sheet with the same header where one is full', async () => {
    const rows = Array.from({ length: 7 }, (_, index) => [index]);
    const sheets = await sheetsOf(table(['n'], rows), 4);
    expect(sheets.map((sheet) => sheet.map(({ A }) => A))).toEqual([
      ['"n"', '0', '1', '2'],
      ['"n"', '3', '4', '5'],
      ['"n"', '6'],
    ]);
  });

  it('closes its rows when nobody reads on', async () => {
    let isClosed = false;
    async function* rows() {
      try {
        while (true) yield ['x'.repeat(1_000)];
      } finally {
        isClosed = true;
      }
    }
    for await (const _piece of printXlsx({ ...table(['n'], []), rows: rows() })) break;
    await expect.poll(() => isClosed).toBe(true);
  });
});
