import { describe, expect, it } from 'vitest';
import { faultOf, inPieces, read, utf8 } from '../../../test/jobs/address-list.ts';
import { type AddressListOptions, readAddressList } from './list.ts';

const utf16le = (text: string): Uint8Array => Buffer.from(text, 'utf16le');
const utf16be = (text: string): Uint8Array => Buffer.from(text, 'utf16le').swap16();
const codeOf = async (work: Promise<unknown>): Promise<string> => (await faultOf(work)).code;

const two = ['a@x.example', 'b@y.example'];

describe('files that are lists', () => {
  const rows: [string, Uint8Array, AddressListOptions?][] = [
    ['one a line', utf8('a@x.example\nb@y.example\n')],
    ['no line end at the end', utf8('a@x.example\nb@y.example')],
    ['CRLF', utf8('a@x.example\r\nb@y.example\r\n')],
    ['CR alone', utf8('a@x.example\rb@y.example\r')],
    ['blank lines and white space', utf8('\n  a@x.example \n\n\t\nb@y.example\n\n')],
    ['a header over one column', utf8('Email\na@x.example\nb@y.example\n')],
    ['UTF-8 with a mark', utf8('\uFEFFa@x.example\nb@y.example\n')],
    ['UTF-8 with a mark before the header', utf8('\uFEFFemail,name\na@x.example,A\nb@y.example,B\n')],
    ['UTF-16 little-endian with a mark', utf16le('\uFEFFemail;name\na@x.example;A\nb@y.example;B\n')],
    ['UTF-16 big-endian with a mark', utf16be('\uFEFFemail;name\na@x.example;A\nb@y.example;B\n')],
    ['UTF-16 little-endian without one', utf16le('a@x.example\nb@y.example\n')],
    ['UTF-16 big-endian without one', utf16be('a@x.example\nb@y.example\n')],
    ['commas', utf8('name,email\nA,a@x.example\nB,b@y.example\n')],
    ['semicolons', utf8('name;email\nA;a@x.example\nB;b@y.example\n')],
    ['tabs', utf8('name\temail\nA\ta@x.example\nB\tb@y.example\n')],
    ['bars', utf8('name|email\nA|a@x.example\nB|b@y.example\n')],
    ["Excel's first line", utf8('sep=;\r\nname;email\r\nA;a@x.example\r\nB;b@y.example\r\n')],
    ['quotes around everything', utf8('"email"\n"a@x.example"\n"b@y.example"\n')],
    [
      'a quoted cell with delimiter and line end',
      utf8('name,email\n"A, or\n""B""",a@x.example\nB,b@y.example\n'),
    ],
    ['commas inside quotes and semicolons outside', utf8('"A, B";a@x.example\n"C, D";b@y.example\n')],
    ['no header', utf8('A,a@x.example\nB,b@y.example\n')],
    ['a header that does not say email', utf8('who,where\nA,a@x.example\nB,b@y.example\n')],
    ['Mail that holds yes and no', utf8('mail,contact\nyes,a@x.example\nno,b@y.example\n')],
    ['records of different lengths', utf8('email,name\na@x.example\nb@y.example,B,more,cells\n')],
    ['mixed line ends', utf8('email,name\na@x.example,A\r\nb@y.example,B\r\n')],
    ['a .tsv with one column', utf8('email\na@x.example\nb@y.example\n'), { fileName: 'List.TSV' }],
    [
      'a column by name',
      utf8('from,To\nq@q.example,a@x.example\nq@q.example,b@y.example\n'),
      { column: ' to ' },
    ],
    ['a column by number', utf8('q@q.example,a@x.example\nq@q.example,b@y.example\n'), { column: '2' }],
    ...[
      'Adresse e-mail',
      'Courriel',
      'CORREO ELECTRÓNICO',
      'E-Mail-Adresse',
      'Почта',
      '邮箱',
      'メールアドレス',
      '이메일',
      'e_mail',
    ].map((word): [string, Uint8Array] => [
      `headed ${word}`,
      utf8(`id,${word},note\n1,a@x.example,\n2,b@y.example,\n`),
    ]),
  ];
  it.each(rows)('%s', async (_name, bytes, options) => {
    const whole = await read(bytes, options);
    expect(whole.rows.map(({ address }) => address)).toEqual(two);
    expect(whole.rows.map(({ row }) => row)).toEqual([1, 2]);
    const byThree = await read(bytes, options, 3);
    expect(byThree.rows).toEqual(whole.rows);
  });

  it('passes the other cells through as they were, and names the columns', async () => {
    const list = await read(utf8('Name,E-Mail,\n" Ann ",a@x.example,=1+1\n'));
    expect(list).toMatchObject({ format: 'CSV', delimiter: ',', hasHeader: true, addressColumn: 1 });
    expect(list.columns).toEqual(['Name', 'E-Mail', 'column_3']);
    expect(list.rows[0]?.cells).toEqual([' Ann ', 'a@x.example', '=1+1']);
  });

  it('leaves out the cells of a row that is its address and nothing else', async () => {
    const list = await read(utf8('email,name\na@x.example\n b@y.example\nc@z.example,\n'));
    expect(list.rows.map(({ cells }) => cells)).toEqual([null, [' b@y.example'], ['c@z.example', '']]);
    const lines = await read(utf8('Email\na@x.example\n b@y.example \n'));
    expect(lines).toMatchObject({ format: 'TXT', columns: ['address'], addressColumn: 0, hasHeader: true });
    expect(lines.rows.map(({ cells }) => cells)).toEqual([null, [' b@y.example ']]);
  });

  it('names the cells that a row further down has more', async () => {
    const list = await read(utf8(`email,name\n${'a@x.example,A\n'.repeat(5_000)}b@y.example,B,more,cells\n`));
    expect(list.columns).toEqual(['email', 'name', 'column_3', 'column_4']);
  });

  it('keeps rows that are no addresses, and records without the cell', async () => {
    const list = await read(utf8('name,email\nA,a@x.example\nB,nonsense\nC\nD,\u202E@\0\n'));
    expect(list.rows.map(({ address }) => address)).toEqual(['a@x.example', 'nonsense', '', '\u202E@\0']);
  });

  it('takes the column that its header names before one that only looks like it', async () => {
    const list = await read(utf8('referrer,email\nr@r.example,a@x.example\nr@r.example,nonsense\n'));
    expect(list.rows.map(({ address }) => address)).toEqual(['a@x.example', 'nonsense']);
  });
});

describe('files that are not', () => {
  const rows: [string, Uint8Array, string, AddressListOptions?][] = [
    ['nothing', utf8(''), 'EMPTY_FILE'],
    ['a mark alone', utf8('\uFEFF'), 'EMPTY_FILE'],
    ['blank lines', utf8('\n \r\n\t\n'), 'EMPTY_FILE'],
    ['a ZIP', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0), 'BINARY_FILE'],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'BAD_GZIP'],
    [
      'random octets',
      Uint8Array.from({ length: 4_096 }, (_, index) => (index * 167 + (index >> 3)) & 0xff),
      'BINARY_FILE',
    ],
    ['zeros', new Uint8Array(1_000), 'BINARY_FILE'],
    ['Latin-1', Buffer.from('email,name\na@x.example,Jos\xe9\n', 'latin1'), 'BAD_ENCODING'],
    ['UTF-16 cut in a unit', utf16le('\uFEFFa@x.example\n').subarray(0, -1), 'BAD_ENCODING'],
    ['no column with an @', utf8('name,city\nA,X\nB,Y\n'), 'NO_ADDRESS_COLUMN'],
    ['lines without an @', utf8('hello\nworld\n'), 'NO_ADDRESS_COLUMN'],
    ['a name that no column has', utf8('name,email\nA,a@x.example\n'), 'UNKNOWN_COLUMN', { column: 'mails' }],
    ['a number past the last', utf8('A,a@x.example\nB,b@x.example\n'), 'UNKNOWN_COLUMN', { column: '3' }],
    [
      'a name where no header is',
      utf8('A,a@x.example\nB,b@x.example\n'),
      'UNKNOWN_COLUMN',
      { column: 'email' },
    ],
    ['a quote never closed', utf8('name,email\nA,a@x.example\n"B,b@y.example\n'), 'NOT_A_CSV'],
    [
      'more columns than it may have',
      utf8(`email,b\na@x.example,b\n${','.repeat(1_000)}\n`),
      'TOO_MANY_COLUMNS',
    ],
    ['one long line', utf8(`a@x.example\n${'x'.repeat(200_000)}`), 'LINE_TOO_LONG'],
    ['one long record', utf8(`name,email\nA,a@x.example\n${'x,'.repeat(100_000)}`), 'LINE_TOO_LONG'],
    ['one long quoted cell', utf8(`name,email\nA,a@x.example\n"${'x\n'.repeat(100_000)}`), 'LINE_TOO_LONG'],
  ];
  it.each(rows)('%s', async (_name, bytes, code, options) => {
    expect(await codeOf(read(bytes, options))).toBe(code);
    expect(await codeOf(read(bytes, options, 7))).toBe(code);
  });

  it('says so where a file breaks further down, after the rows before', async () => {
    const good = 'a@x.example\n'.repeat(50_000);
    const list = await readAddressList(inPieces(Buffer.concat([utf8(good), Uint8Array.of(0xff)]), 65_536));
    let rows = 0;
    const reading = (async () => {
      for await (const _row of list.rows) rows += 1;
    })();
    expect(await codeOf(reading)).toBe('BAD_ENCODING');
    expect(rows).toBeGreaterThan(10_000);
  });

  it('closes the source when it refuses, and when the reader stops early', async () => {
    let closed = 0;
    const source = (text: string) =>
      (async function* () {
        try {
          while (true) yield utf8(text);
        } finally {
          closed += 1;
        }
      })();
    expect(await codeOf(readAddressList(source('no addresses here\n')))).toBe('NO_ADDRESS_COLUMN');
    for (const text of ['a@x.example\n', 'a@x.example,b\n']) {
      const list = await readAddressList(source(text));
      for await (const { row } of list.rows) if (row === 3) break;
    }
    expect(closed).toBe(3);
  });
});
