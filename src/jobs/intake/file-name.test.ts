import { describe, expect, it } from 'vitest';
import { cleanFileName } from './file-name.ts';

describe('cleanFileName', () => {
  const rows: [string, string | null][] = [
    ['list.csv', 'list.csv'],
    [' Kunden März 2026.csv ', 'Kunden März 2026.csv'],
    ['名簿.xlsx', '名簿.xlsx'],
    ['😀.csv', '😀.csv'],
    ['.hidden', '.hidden'],
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\Users\\me\\list.csv', 'list.csv'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['a/b\\c.csv', 'c.csv'],
    ['list.csv/', null],
    ['..', null],
    ['.', null],
    ['...', null],
    ['', null],
    ['  ', null],
    ['/', null],
    ['..\0', null],
    ['. .', '. .'],
    ['list.csv\0.exe', 'list.csv.exe'],
    ['a\r\nset-cookie: b.csv', 'aset-cookie: b.csv'],
    ['evil\u202Evsc.exe', 'evilvsc.exe'],
    ['a\u2066b\u2069\u200B\uFEFF.csv', 'ab.csv'],
    ['a\u2028b\u0085c.csv', 'abc.csv'],
    ['a\uD800.csv', 'a.csv'],
    [`${'x'.repeat(300)}.csv`, `${'x'.repeat(196)}.csv`],
    [`${'😀'.repeat(150)}x.csv`, `${'😀'.repeat(97)}x.csv`],
  ];
  it.each(rows)('%j → %j', (text, name) => {
    expect(cleanFileName(text)).toBe(name);
    if (name !== null) expect(cleanFileName(name)).toBe(name);
  });
});
