import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { read, utf8 } from '../../../test/jobs/address-list.ts';
import { IntakeFault } from './fault.ts';

/** What a list ends with, as something to compare: its rows, or the code of its fault. Anything else is a bug. */
const endOf = async (bytes: Uint8Array, fileName: string | null, size: number): Promise<unknown> => {
  try {
    const { rows, columns, addressColumn } = await read(bytes, { fileName, maxBytes: 10_000 }, size);
    for (const { row, cells } of rows) {
      expect(row).toBeGreaterThan(0);
      expect(cells?.length ?? 1).toBeLessThanOrEqual(columns.length);
    }
    expect(rows.map(({ row }) => row)).toEqual(rows.map((_, index) => index + 1));
    return { rows, columns, addressColumn };
  } catch (error) {
    if (error instanceof IntakeFault) return error.code;
    throw error;
  }
};

/** Texts of the signs that lists are made of, so that most of them get past the first line. */
const sign = fc.constantFrom(
  ...'a@.,;\t|"\'{}[]:\\ \r\n\0\uFEFFé1-=',
  'a@x.example',
  '"a@x.example"',
  '{"email":"a@x.example"}',
  '\r\n',
  '","',
);
const listText = fc.array(sign, { maxLength: 80 }).map((signs) => signs.join(''));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  listText.map(utf8),
  listText.map((text) => utf8(`email,name\n${text}`)),
  listText.map((text) => new Uint8Array(Buffer.from(`\uFEFF${text}`, 'utf16le'))),
);
const fileName = fc.constantFrom(null, 'x.tsv', 'x.ndjson', 'x.csv.gz');

describe('any file', () => {
  it('is rows or a fault, however it is cut into pieces, packed or not', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fileName, fc.integer({ min: 1, max: 20 }), async (content, name, size) => {
        const whole = await endOf(content, name, 65_536);
        expect(await endOf(content, name, size)).toEqual(whole);
        const isGzip = content[0] === 0x1f && content[1] === 0x8b;
        if (!isGzip) expect(await endOf(gzipSync(content), name, size)).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('is rows or a fault when it was gzip and is damaged', async () => {
    const packed = gzipSync(utf8('email,name\na@x.example,A\n'.repeat(20)));
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = packed.map((octet, index) => (index === at ? octet ^ flip : octet));
        await endOf(damaged, null, 7);
        await endOf(packed.subarray(0, at), null, 7);
      }),
      { numRuns: 200 },
    );
  });
});
