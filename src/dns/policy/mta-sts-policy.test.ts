import { describe, expect, it } from 'vitest';
import { readMtaStsPolicy } from './mta-sts-policy.ts';

const file = (...lines: string[]) => lines.join('\n');
const good = ['version: STSv1', 'mode: enforce', 'max_age: 604800', 'mx: mail.example.test'];

describe('good policies', () => {
  const policy = { kind: 'policy', mode: 'ENFORCE', maxAge: 604_800, mx: ['mail.example.test'] };
  const rows: [string, string, object][] = [
    ['LF', file(...good), policy],
    ['CRLF', good.join('\r\n'), policy],
    ['CRLF at the end and empty lines', `${good.join('\r\n\r\n')}\r\n`, policy],
    ['any order', file(...good.toReversed()), policy],
    [
      'no space, much space',
      file('version:STSv1', 'mode:   enforce  ', 'max_age:\t604800', 'mx:mail.example.test'),
      policy,
    ],
    [
      'wildcard and capitals',
      file(...good, 'mx: *.Example.TEST'),
      { mx: ['mail.example.test', '*.example.test'] },
    ],
    ['testing', file(...good).replace('enforce', 'testing'), { mode: 'TESTING' }],
    [
      'none needs no mx',
      file('version: STSv1', 'mode: none', 'max_age: 0'),
      { mode: 'NONE', maxAge: 0, mx: [] },
    ],
    ['unknown keys are left alone', file(...good, 'hello: world', 'x-y.z_1: a:b'), policy],
    ['of two the first counts', file(...good, 'mode: none', 'max_age: 1'), policy],
    ['a year', file(...good).replace('604800', '31557600'), { maxAge: 31_557_600 }],
    [
      'a host too many',
      file(...good, ...Array.from({ length: 300 }, () => 'mx: b.test')),
      { mx: ['mail.example.test', ...Array(99).fill('b.test')] },
    ],
  ];
  it.each(rows)('%s', (_what, text, expected) => {
    expect(readMtaStsPolicy(text)).toMatchObject(expected);
  });
});

describe('bad policies', () => {
  const rows: [string, string, string][] = [
    ['empty', '', 'version'],
    ['HTML', '<!DOCTYPE html>\n<title>Not found</title>', 'key: value'],
    ['no version', file(...good.slice(1)), 'version'],
    ['another version', file(...good).replace('STSv1', 'STSv2'), 'version'],
    ['no mode', file('version: STSv1', 'max_age: 1', 'mx: a.test'), 'mode'],
    ['a mode that is none', file(...good).replace('enforce', 'ENFORCE'), 'mode'],
    ['a mode of every object', file(...good).replace('enforce', 'constructor'), 'mode'],
    ['no max_age', file('version: STSv1', 'mode: enforce', 'mx: a.test'), 'max_age'],
    ['negative', file(...good).replace('604800', '-1'), 'max_age'],
    ['too long', file(...good).replace('604800', '31557601'), 'max_age'],
    ['hexadecimal', file(...good).replace('604800', '0x10'), 'max_age'],
    ['no mx', file(...good.slice(0, 3)), 'names no mx'],
    ['an address', file(...good, 'mx: 192.0.2.1'), 'mx'],
    ['a wildcard inside', file(...good, 'mx: mail.*.test'), 'mx'],
    ['a wildcard alone', file(...good, 'mx: *'), 'mx'],
    ['an empty mx', file(...good, 'mx:'), 'mx'],
    ['a line without a colon', file(...good, 'hello'), 'key: value'],
  ];
  it.each(rows)('%s', (_what, text, problem) => {
    expect(readMtaStsPolicy(text)).toMatchObject({
      kind: 'fault',
      problem: expect.stringContaining(problem),
    });
  });
});
