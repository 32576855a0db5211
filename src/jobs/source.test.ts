import { describe, expect, it } from 'vitest';
import { type ListContent, openList } from './source.ts';
import type { IntakeRow } from './types.ts';

const limits = { maxRows: 10, maxBytes: 100_000, signal: new AbortController().signal };
const readRows = async (content: ListContent): Promise<readonly IntakeRow[]> => {
  const found: IntakeRow[] = [];
  for await (const row of (await openList(content, null, limits)).rows) found.push(row);
  return found;
};
const readAll = (addresses: readonly string[]) => readRows({ kind: 'addresses', addresses });

describe('a row that is too long to be an address', () => {
  const long = `${'x'.repeat(600)}@mail.example`;

  it('is kept cut as an address, and whole as a cell, so that it goes back as it came', async () => {
    const [row] = await readAll([long]);
    expect(row).toMatchObject({ address: long.slice(0, 512), canonical: null, cells: [long] });
  });

  it('of a file with other columns: the cells as they were', async () => {
    const content = Buffer.from(`name,email\nAnna,${long}\n`);
    const found = await readRows({
      kind: 'content',
      fileName: null,
      readContent: async function* () {
        yield content;
      },
    });
    expect(found).toMatchObject([{ address: long.slice(0, 512), cells: ['Anna', long] }]);
  });

  it.each([
    ['a short one', 'a@mail.example', 'a@mail.example'],
    ['half a surrogate pair', 'a\ud800@mail.example', 'a\ufffd@mail.example'],
  ])('%s needs no cell', async (_, text, address) => {
    expect(await readAll([text])).toMatchObject([{ address, cells: null }]);
  });
});
