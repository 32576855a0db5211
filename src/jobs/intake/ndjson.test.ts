import { describe, expect, it } from 'vitest';
import { faultOf, read, utf8 } from '../../../test/jobs/address-list.ts';
import type { AddressListOptions } from './list.ts';

const two = ['a@x.example', 'b@y.example'];
const named: AddressListOptions = { fileName: 'List.NDJSON' };

describe('NDJSON', () => {
  const good: [string, string, AddressListOptions?][] = [
    ['objects', '{"email":"a@x.example"}\n{"email":"b@y.example"}\n'],
    ['no line end at the end', '{"email":"a@x.example"}\n{"email":"b@y.example"}'],
    [
      'CRLF, blank lines, white space',
      '\n {"email":"a@x.example"}\r\n\r\n\t\n{"email" : "b@y.example" } \r\n',
    ],
    ['a mark', '\uFEFF{"email":"a@x.example"}\n{"email":"b@y.example"}\n'],
    ['strings', '"a@x.example"\n"b@y.example"\n'],
    ['strings by name', '"\\u0061@x.example"\n"b@y.example"\n', named],
    [
      'strings by the name of what was packed',
      '"\\u0061@x.example"\n"b@y.example"\n',
      { fileName: 'x.jsonl.gz' },
    ],
    ['a string, then an object', '"a@x.example"\n{"email":"b@y.example"}\n'],
    ['an object, then a string', '{"id":7,"email":"a@x.example"}\n"b@y.example"\n'],
    ['keys in any order', '{"id":1,"email":"a@x.example"}\n{"email":"b@y.example","id":2}\n'],
    ['a key in another language', '{"id":1,"Courriel":"a@x.example"}\n{"id":2,"Courriel":"b@y.example"}\n'],
    ['a column by its content', '{"a":"x","b":"a@x.example"}\n{"a":"y","b":"b@y.example"}\n'],
    ['a named one', '{"email":"q@q.example","To":"a@x.example"}\n{"To":"b@y.example"}\n', { column: ' to ' }],
    ['a number', '{"q":"q@q.example","r":"a@x.example"}\n{"r":"b@y.example"}\n', { column: '2' }],
    ['Mail that holds yes and no', '{"mail":true,"to":"a@x.example"}\n{"mail":"no","to":"b@y.example"}\n'],
    ['keys with an @', '{"@id":1,"email":"a@x.example"}\n{"email":"b@y.example"}\n'],
    ['an empty object first of all', '{}\n{"email":"a@x.example"}\n{"email":"b@y.example"}\n'],
  ];
  it.each(good)('%s', async (_name, text, options) => {
    const whole = await read(utf8(text), options);
    expect(whole.rows.map(({ address }) => address).filter((address) => address !== '')).toEqual(two);
    expect((await read(utf8(text), options, 3)).rows).toEqual(whole.rows);
    const wide = await read(Buffer.from(`\uFEFF${text.replace('\uFEFF', '')}`, 'utf16le'), options);
    expect(wide.rows).toEqual(whole.rows);
  });

  it('keeps every value as it was, under columns that grow', async () => {
    const list = await read(
      utf8(
        `{"id":7,"email":" a@x.example","tags":["x",{"y":null}],"vip":true}
         {"email":null,"née":"é","id":-1.5}
         {"__proto__":"p","email":42}
         "b@y.example"
         {"email":{"at":"x"}}`,
      ),
    );
    expect(list).toMatchObject({ format: 'NDJSON', delimiter: null, hasHeader: false, addressColumn: 1 });
    expect(list.columns).toEqual(['id', 'email', 'tags', 'vip', 'née', '__proto__']);
    expect(list.rows).toEqual([
      { row: 1, address: 'a@x.example', cells: [7, ' a@x.example', ['x', { y: null }], true] },
      { row: 2, address: '', cells: [-1.5, null, null, null, 'é'] },
      { row: 3, address: '42', cells: [null, 42, null, null, null, 'p'] },
      { row: 4, address: 'b@y.example', cells: null },
      { row: 5, address: '{"at":"x"}', cells: [null, { at: 'x' }] },
    ]);
  });

  it('keeps numbers that a double cannot hold as they were written', async () => {
    const { rows } = await read(
      utf8('{"email":"a@x.example","id":12345678901234567890,"big":1e400,"small":0.1234567890123456789}\n'),
    );
    expect(rows[0]?.cells).toEqual(['a@x.example', '12345678901234567890', '1e400', 0.12345678901234568]);
  });

  it('names the column of strings alone as that of TXT', async () => {
    expect(await read(utf8('"a@x.example"\n" b@y.example"\n'), named)).toMatchObject({
      format: 'NDJSON',
      columns: ['address'],
      addressColumn: 0,
      rows: [
        { row: 1, cells: null },
        { row: 2, cells: [' b@y.example'] },
      ],
    });
  });

  const many = (n: number, keys: (row: number) => string) =>
    Array.from({ length: n }, (_, row) => `{"email":"a@x.example",${keys(row)}}\n`).join('');
  const bad: [string, string, string, RegExp, AddressListOptions?][] = [
    ['an array', '[{"email":"a@x.example"}]\n', 'BAD_JSON', /one JSON array/],
    ['an array over lines', '[\n{"email":"a@x.example"}\n]\n', 'BAD_JSON', /one JSON array/],
    ['an object over lines', '{\n"email":"secret@x.example"\n}\n', 'BAD_JSON', /line 1 is not JSON/],
    ['a line that is cut off', '{"email":"a@x.example"}\n\n{"email":"secr', 'BAD_JSON', /line 3 is not JSON/],
    ['a line of CSV', '{"email":"a@x.example"}\nsecret@x.example,1\n', 'BAD_JSON', /line 2 is not JSON/],
    ['two objects a line', '{"email":"secret"}{"email":"b"}\n', 'BAD_JSON', /line 1 is not JSON/],
    ['a number', '{"email":"a@x.example"}\n7\n', 'BAD_JSON', /line 2 is neither/],
    ['null', '{"email":"a@x.example"}\nnull\n', 'BAD_JSON', /line 2 is neither/],
    ['an array in a line', '{"email":"a@x.example"}\n["secret"]\n', 'BAD_JSON', /line 2 is neither/],
    ['no JSON under its name', 'secret@x.example\n', 'BAD_JSON', /line 1 is not JSON/, named],
    [
      'a deep value',
      `{"email":"a@x.example","x":${'['.repeat(9_000)}${']'.repeat(9_000)}}\n`,
      'BAD_JSON',
      /line 1 has.*64/,
    ],
    ['no address', '{"a":1}\n{"b":"c"}\n', 'NO_ADDRESS_COLUMN', /"a", "b"/],
    ['no such key', '{"email":"a@x.example"}\n', 'UNKNOWN_COLUMN', /"email"/, { column: 'mails' }],
    ['a new key each line', many(1_001, (row) => `"k${row}":1`), 'TOO_MANY_COLUMNS', /1,000 columns/],
    ['long keys', many(5, (row) => `"${'k'.repeat(20_000)}${row}":1`), 'TOO_MANY_COLUMNS', /64 KiB/],
    ['a long line', `{"email":"a@x.example"}\n{"x":"${'x'.repeat(66_000)}"}\n`, 'LINE_TOO_LONG', /64 KiB/],
  ];
  it.each(bad)('refuses %s', async (_name, text, code, message, options) => {
    for (const size of [65_536, 13]) {
      const fault = await faultOf(read(utf8(text), options, size));
      expect(fault).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(`${fault.message} ${fault.stack} ${fault.cause}`).not.toContain('secr');
    }
  });

  it.each([
    ['a mailbox in braces', '{a}@x.example\nb@y.example\n', 'TXT'],
    ['a name in brackets', '[team] a,a@x.example\n[team] b,b@y.example\n', 'CSV'],
    ['a cell of JSON further down', 'a@x.example,"{""k"":1}"\nb@y.example,x\n', 'CSV'],
  ])('is not %s', async (_name, text, format) => {
    const list = await read(utf8(text));
    expect(list.format).toBe(format);
    expect(list.rows).toHaveLength(2);
  });
});
