import { describe, expect, it } from 'vitest';
import { isSpfRecord, readSpfRecord } from './spf-record.ts';

describe('isSpfRecord', () => {
  it.each([['v=spf1'], ['v=spf1 -all'], ['V=SPF1 -all'], ['v=spf1  -all']])('%j', (text) => {
    expect(isSpfRecord(text)).toBe(true);
  });
  it.each([['v=spf10 -all'], ['v=spf1-all'], [' v=spf1 -all'], ['v=spf2.0/pra -all'], [''], ['spf1']])(
    'not %j',
    (text) => {
      expect(isSpfRecord(text)).toBe(false);
    },
  );
});

describe('good records', () => {
  const rows: [string, string | null, number, string | null][] = [
    ['', null, 0, null],
    ['-all', 'FAIL', 0, null],
    ['~ALL', 'SOFTFAIL', 0, null],
    ['?all', 'NEUTRAL', 0, null],
    ['+all', 'PASS', 0, null],
    ['all', 'PASS', 0, null],
    ['  -all  ', 'FAIL', 0, null],
    ['a mx ptr a:x.test mx:x.test/24 a/24 a//64 a:x.test/24//64 ptr:x.test -all', 'FAIL', 9, null],
    ['include:_spf.x.test exists:%{ir}.%{v}._spf.%{d2} ~all', 'SOFTFAIL', 2, null],
    [
      'ip4:192.0.2.1 ip4:192.0.2.0/24 ip4:0.0.0.0/0 ip6:2001:db8::/32 ip6:::1 ip6:::ffff:192.0.2.1 -all',
      'FAIL',
      0,
      null,
    ],
    ['redirect=_spf.x.test', null, 1, '_spf.x.test'],
    ['mx redirect=x.test exp=explain.%{d}', null, 2, 'x.test'],
    ['redirect=x.test -all', 'FAIL', 0, null],
    ['-all include:after.all.test', 'FAIL', 0, null],
    ['unknown-modifier=a%%b%_c%- -all', 'FAIL', 0, null],
    ['a:%{s} -all', 'FAIL', 1, null],
    ['a:x.test. a:xn--bcher-kva.test a:_dmarc.x.test -all', 'FAIL', 3, null],
    ['include:%{d1r+}._spf.x.test -all', 'FAIL', 1, null],
    ['-all ~all', 'FAIL', 0, null],
    [Array.from({ length: 10 }, (_, index) => `include:n${index}.test`).join(' '), null, 10, null],
  ];
  it.each(rows)('v=spf1 %s', (terms, allQualifier, lookupTerms, redirect) => {
    expect(readSpfRecord(`v=spf1 ${terms}`)).toEqual({
      kind: 'record',
      record: { allQualifier, lookupTerms, redirect },
    });
  });
});

describe('bad records', () => {
  const rows: [string, string][] = [
    ['-all:x.test', 'takes no argument'],
    ['-all/24', 'takes no argument'],
    ['include', 'needs a domain'],
    ['include:', 'needs a domain'],
    ['include:localhost', 'needs a domain'],
    ['include:x.123', 'needs a domain'],
    ['include:x.test-', 'needs a domain'],
    ['include:x.te$t', 'needs a domain'],
    ['include/24', 'needs a domain'],
    ['exists:%{q}.x.test', 'needs a domain'],
    ['exists:%x.test', 'needs a domain'],
    ['exists:%{d', 'needs a domain'],
    ['ptr/24', 'not a domain'],
    ['a:', 'neither a domain'],
    ['a:x.test/024', 'neither a domain'],
    ['a:x.test/33', 'out of range'],
    ['mx//129', 'out of range'],
    ['a/', 'bad prefix length'],
    ['a/x', 'bad prefix length'],
    ['ip4', 'not an IPv4 network'],
    ['ip4:', 'not an IPv4 network'],
    ['ip4:192.0.2', 'not an IPv4 network'],
    ['ip4:192.0.2.256', 'not an IPv4 network'],
    ['ip4:2001:db8::1', 'not an IPv4 network'],
    ['ip4:192.0.2.0/33', 'out of range'],
    ['ip4:192.0.2.0/024', 'out of range'],
    ['ip4:192.0.2.0/', 'out of range'],
    ['ip4:192.0.2.0/24/24', 'out of range'],
    ['ip6:192.0.2.1', 'not an IPv6 network'],
    ['ip6:2001:db8::/129', 'out of range'],
    ['ip6:fe80::1%eth0', 'not an IPv6 network'],
    ['ipv4:192.0.2.1', 'no such mechanism'],
    ['-al', 'no such mechanism'],
    ['=', 'is no term'],
    ['-', 'is no term'],
    ['--all', 'is no term'],
    ['192.0.2.1', 'is no term'],
    ['-redirect=x.test', 'no qualifier'],
    ['redirect=', 'needs a domain'],
    ['redirect:x.test', 'no such mechanism'],
    ['redirect=x.test redirect=y.test', 'stands twice'],
    ['exp=x.test exp=y.test -all', 'stands twice'],
    ['-all include:x', 'needs a domain'],
    ['unknown=%z', 'not a macro string'],
    ['-all\tmx', 'is no term'],
    ['a:bücher.test', 'neither a domain'],
    [Array.from({ length: 11 }, (_, index) => `include:n${index}.test`).join(' '), '11 terms ask the DNS'],
    [`${Array.from({ length: 10 }, () => 'mx').join(' ')} redirect=x.test`, '11 terms ask the DNS'],
  ];
  it.each(rows)('v=spf1 %s', (terms, problem) => {
    const read = readSpfRecord(`v=spf1 ${terms}`);
    expect(read).toMatchObject({ kind: 'fault', problem: expect.stringContaining(problem) });
    expect(read.kind === 'fault' && read.problem.length).toBeLessThan(130);
  });
});

it('reads a hostile record of 64 KB in no time', () => {
  const startedAt = performance.now();
  for (const unit of [
    'a',
    '%',
    '%{',
    '%{d',
    '.',
    'a.',
    'a-',
    '1',
    '/',
    '//1',
    '-',
    'ip4:',
    'a:a.',
    '\u0000',
    '%{s9',
  ])
    for (const head of ['', 'include:', 'a:', 'ip6:', 'redirect=', 'x='])
      for (const tail of ['', '!', '$', '}'])
        readSpfRecord(`v=spf1 ${head}${unit.repeat(65_000 / unit.length)}${tail}`);
  // 360 records; a quadratic expression would need minutes.
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});
