import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { exportedJob, rowsBy, settled } from '../../../test/jobs/exported-job.ts';
import type { Cell, ListedRow, ListShape } from '../types.ts';
import { printResults, type ResultFormat } from './index.ts';

type Row = Omit<ListedRow, 'row'>;

const print = async (format: ResultFormat, rows: readonly Row[], list: Partial<ListShape> = {}) => {
  const source = rowsBy(rows.length, (row) => rows[row - 1] as Row);
  const pieces: Uint8Array[] = [];
  for await (const piece of printResults(source, exportedJob(rows.length, list), format)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};
const printCsv = async (rows: readonly Row[], list?: Partial<ListShape>): Promise<string[][]> =>
  parse(await print('CSV', rows, list));
const printNdjson = async (rows: readonly Row[], list?: Partial<ListShape>): Promise<unknown[]> =>
  (await print('NDJSON', rows, list))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const plain: Row = { address: 'a@x.example', cells: null, result: null };
const empty = Array(10).fill('');

describe('CSV', () => {
  it("keeps the caller's columns and order, and leaves what is not settled empty", async () => {
    const text = await print(
      'CSV',
      [
        { address: 'a@x.example', cells: ['7', ' a@x.example', 'Ann, A.'], result: null },
        {
          address: 'b@y.example',
          cells: ['8', 'b@y.example'],
          result: settled(2, { duplicateOf: 1, reply: null }),
        },
      ],
      { columns: ['id', 'E-Mail', 'Name'], addressColumn: 1 },
    );
    expect(text.split('\r\n')).toEqual([
      'id,E-Mail,Name,status,reason,score,duplicate_of,provider,exchange,reply_code,reply_enhanced_code,reply_text,checked_at',
      '7," a@x.example","Ann, A.",,,,,,,,,,',
      '8,b@y.example,,DELIVERABLE,MAILBOX_EXISTS,95,1,GOOGLE,mx.x.example,,,,2026-01-02T03:04:05.000Z',
      '',
    ]);
  });

  it('puts an address that is all there is under its column', async () => {
    const [, row] = await printCsv([plain], { columns: ['id', 'email', 'x'], addressColumn: 1 });
    expect(row).toEqual(['', 'a@x.example', '', ...empty]);
  });

  it('tells its columns from the caller’s of the same name', async () => {
    const [header] = await printCsv([plain], { columns: ['email', ' Status'] });
    expect(header?.slice(0, 4)).toEqual(['email', ' Status', 'rcpt_status', 'reason']);
  });

  it('gives values of NDJSON as themselves or as JSON', async () => {
    const cells: Cell[] = ['a@x.example', 7, -1.5e30, true, null, ['x', 1], { k: '"' }];
    const columns = cells.map((_, index) => `c${index}`);
    const [, row] = await printCsv([{ ...plain, cells }], { format: 'NDJSON', columns });
    expect(row?.slice(0, 7)).toEqual(['a@x.example', '7', '-1.5e+30', 'true', '', '["x",1]', '{"k":"\\""}']);
  });

  const texts = [
    '',
    ' ',
    'a"b',
    '"',
    'a,b',
    'a;b',
    'a\tb',
    'a|b',
    'a\r\nb',
    'a\nb',
    ' a ',
    '€ 😀',
    '\0',
    "'=x",
  ];
  it.each(texts)('gives %j back to a reader as it was', async (text) => {
    const [header, row] = await printCsv([{ ...plain, cells: [text] }], { columns: [text] });
    expect([header?.[0], row?.[0]]).toEqual([text, text]);
  });

  it.each(['a;b', 'a\tb', 'a|b'])('quotes %j for readers that guess another delimiter', async (text) => {
    expect(await print('CSV', [{ ...plain, cells: [text] }])).toContain(`\r\n"${text}",`);
  });

  const run = [
    '=1+1',
    '=cmd|’ /C calc’!A0',
    '+cmd|x',
    '-2+3',
    '-2+3+cmd|x',
    '+1-555-123',
    '-A1',
    '+SUM(A1)',
    '@SUM(A1)',
    '\tx',
    '\rx',
    '\nx',
    ' =1+1',
    '\u00A0=1',
    '\0=1',
    '\u200B=1',
    '"=1"'.slice(1, -1),
    '＝1+1',
    '＠x',
    '-a@x.example',
    '+tag@x.example',
    '=a@x.example',
    '+1;=2',
    '--5',
    '+5-',
  ];
  it.each(run)('makes %j harmless, in headers, in their cells, in addresses and in ours', async (text) => {
    const reply = { code: 250, enhancedCode: text, text };
    const [header, row, alone] = await printCsv(
      [
        { address: text, cells: ['a', text], result: settled(1, { reply, exchange: text }) },
        { ...plain, address: text },
      ],
      { columns: ['email', text] },
    );
    const safe = `'${text}`;
    expect([header?.[1], row?.[1], row?.[7], row?.[9], row?.[10], alone?.[0]]).toEqual(Array(6).fill(safe));
  });

  const numbers = [
    '-5',
    '+5.25',
    '-1,234.50',
    '-1.234,50',
    '-7 %'.replace(' ', ''),
    '-1e5',
    '+1.5E-7',
    '-',
    '+',
  ];
  const phones = ['+49 170 1234567', '+1 (555) 123.4567', '+491701234567', '+33\u00A01\u00A023'];
  it.each([...numbers, ...phones, '5-3', 'a=b', 'x@y', '1+1', '€-5'])('leaves %j as it is', async (text) => {
    const [, row] = await printCsv([{ ...plain, cells: [text] }]);
    expect(row?.[0]).toBe(text);
  });
});

describe('NDJSON', () => {
  it('gives the row, the input under its own columns with its own values, and the verdict', async () => {
    const lines = await printNdjson(
      [
        { address: '=a@x.example', cells: [7, '=a@x.example', { k: [null] }], result: settled(1) },
        { address: 'b@x.example', cells: ['8'], result: null },
        { address: 'c@x.example', cells: null, result: null },
      ],
      { format: 'NDJSON', columns: ['id', '__proto__', 'id'], addressColumn: 1 },
    );
    expect(lines).toEqual([
      JSON.parse(`{"row":1,"address":"=a@x.example","input":{"id":7,"__proto__":"=a@x.example","id_2":{"k":[null]}},
        "duplicateOf":null,"status":"DELIVERABLE","reason":"MAILBOX_EXISTS","score":95,"provider":"GOOGLE",
        "exchange":"mx.x.example","reply":{"code":250,"enhancedCode":"2.1.5","text":"OK"},
        "checkedAt":"2026-01-02T03:04:05.000Z"}`),
      { row: 2, address: 'b@x.example', input: { id: '8' } },
      JSON.parse('{"row":3,"address":"c@x.example","input":{"__proto__":"c@x.example"}}'),
    ]);
  });

  it.each(['INLINE', 'TXT'] as const)(
    'has no input where the list is addresses alone: %s',
    async (format) => {
      expect(await printNdjson([plain], { format, columns: ['address'] })).toEqual([
        { row: 1, address: 'a@x.example' },
      ]);
    },
  );

  it('keeps a line a line', async () => {
    const address = 'a\n\u2028"@\uD800';
    expect(await printNdjson([{ ...plain, address }], { format: 'TXT' })).toEqual([{ row: 1, address }]);
  });
});

describe.each(['CSV', 'NDJSON', 'XLSX'] as const)('%s', (format) => {
  it('reads no further than its reader', async () => {
    const source = rowsBy(1_000_000, () => plain);
    let pieces = 0;
    for await (const _piece of printResults(source, exportedJob(1_000_000), format)) {
      pieces += 1;
      if (pieces === 3) break;
    }
    // XLSX says nothing before a piece of deflated sheet is full.
    expect(source.asked.pages).toBeLessThan(60);
  });

  it('lets the event loop turn', async () => {
    let turns = 0;
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const source = rowsBy(20_000, (row) => ({ ...plain, result: settled(row) }));
    for await (const _piece of printResults(source, exportedJob(20_000), format));
    clearImmediate(next);
    expect(turns).toBeGreaterThan(30);
  });

  it('does not end like a whole file when the job is erased under it', async () => {
    const source = rowsBy(700, () => plain);
    const reading = (async () => {
      for await (const _piece of printResults(source, exportedJob(701), format));
    })();
    await expect(reading).rejects.toThrow('erased');
  });

  it('ends with what the store rejects with', async () => {
    const trouble = new Error('the disk');
    const reading = (async () => {
      const rows = async () => {
        throw trouble;
      };
      for await (const _piece of printResults({ rows }, exportedJob(5), format));
    })();
    await expect(reading).rejects.toBe(trouble);
  });
});
