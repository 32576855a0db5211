import { describe, expect, it } from 'vitest';
import { printCsv } from './export.ts';
import { readAddressList } from './intake/list.ts';
import type { ListedRow, SettledRow } from './types.ts';

const settled = (row: number, over: Partial<SettledRow> = {}): SettledRow => ({
  position: row,
  row,
  address: 'a@x.example',
  duplicateOf: null,
  status: 'DELIVERABLE',
  reason: 'MAILBOX_EXISTS',
  score: 95,
  provider: 'GOOGLE',
  exchange: 'mx.x.example',
  reply: { code: 250, enhancedCode: '2.1.5', text: 'OK' },
  checkedAt: new Date('2026-01-02T03:04:05Z'),
  ...over,
});

/** A job of these rows, as the store would give them in pages. */
const jobOf = (list: readonly ListedRow[]) => ({
  rows: async (_id: string, { afterRow, limit }: { afterRow: number; limit: number }) => ({
    items: list.filter(({ row }) => row > afterRow).slice(0, limit),
    hasNextPage: list.filter(({ row }) => row > afterRow).length > limit,
  }),
});
const listOf = (text: string) =>
  readAddressList(
    (async function* () {
      yield new TextEncoder().encode(text);
    })(),
  );
const print = async (list: readonly ListedRow[], text: string): Promise<string[]> => {
  let csv = '';
  for await (const piece of printCsv(jobOf(list), 'job', await listOf(text))) csv += piece;
  return csv.split('\r\n');
};

describe('printCsv', () => {
  it("keeps the caller's columns and order, and leaves what is not settled empty", async () => {
    const lines = await print(
      [
        { row: 1, address: 'a@x.example', result: null },
        { row: 2, address: 'b@x.example', result: settled(2, { duplicateOf: 1, reply: null }) },
      ],
      'id;E-Mail;Name\n7;a@x.example;"Ann, A."\n8;b@x.example;Bob\n',
    );
    expect(lines).toEqual([
      'id,E-Mail,Name,status,reason,score,duplicate_of,provider,exchange,reply_code,reply_enhanced_code,reply_text,checked_at',
      '7,a@x.example,"Ann, A.",,,,,,,,,,',
      '8,b@x.example,Bob,DELIVERABLE,MAILBOX_EXISTS,95,1,GOOGLE,mx.x.example,,,,2026-01-02T03:04:05.000Z',
      '',
    ]);
  });

  it('tells its columns from the caller’s of the same name', async () => {
    const [header] = await print(
      [{ row: 1, address: 'a@x.example', result: null }],
      'email,Status\na@x.example,x\n',
    );
    expect(header).toMatch(/^email,Status,rcpt_status,reason,/);
  });

  it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])(
    'makes %j harmless, in theirs and in ours',
    async (cell) => {
      const reply = { code: 250, enhancedCode: null, text: cell };
      const [, ...lines] = await print(
        [{ row: 1, address: 'a@x.example', result: settled(1, { reply }) }],
        `email,note\na@x.example,"${cell}"\n`,
      );
      const text = lines.join('\r\n');
      expect(text).toMatch(/^a@x\.example,"?'/);
      expect(text).toMatch(/250,,"?'/);
    },
  );

  it('refuses a file that is not the job’s', async () => {
    const one = [{ row: 1, address: 'a@x.example', result: null }];
    await expect(print(one, 'a@x.example\nb@x.example\n')).rejects.toThrow('row 2');
    await expect(print([...one, { row: 2, address: 'b', result: null }], 'a@x.example\n')).rejects.toThrow(
      'fewer rows',
    );
  });

  it('walks any number of pages', async () => {
    const rows = Array.from({ length: 1_234 }, (_, index) => ({
      row: index + 1,
      address: '',
      result: settled(index + 1),
    }));
    const lines = await print(rows, 'a@x.example\n'.repeat(1_234));
    expect(lines).toHaveLength(1_236);
  });
});
