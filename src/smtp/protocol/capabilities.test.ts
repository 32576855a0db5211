import { describe, expect, it } from 'vitest';
import { NO_CAPABILITIES, parseCapabilities } from './capabilities.ts';
import type { Capabilities, Reply } from './types.ts';

const ehlo = (...lines: readonly string[]): Reply => ({
  code: 250,
  enhancedCode: null,
  lines,
  text: lines.join(' '),
});

const rows: readonly [string, readonly string[], Partial<Capabilities>][] = [
  ['nothing but a name', ['mx.example'], { ...NO_CAPABILITIES }],
  [
    'keywords in any case',
    ['mx', 'pipelining', 'StartTLS', 'SMTPutf8'],
    { offersPipelining: true, offersStartTls: true, offersSmtpUtf8: true },
  ],
  ['a name that looks like a keyword', ['PIPELINING'], { offersPipelining: false }],
  ['a size', ['mx', 'SIZE 35882577'], { maxMessageBytes: 35_882_577 }],
  ['a size of 0, which is no limit', ['mx', 'SIZE 0'], { maxMessageBytes: null }],
  ['a size without a number', ['mx', 'SIZE', 'SIZE x'], { maxMessageBytes: null }],
  ['an absurd size', ['mx', `SIZE ${'9'.repeat(40)}`], { maxMessageBytes: null }],
  [
    'limits',
    ['mx', 'LIMITS RCPTMAX=20 mailmax=5'],
    { maxRecipientsPerTransaction: 20, maxTransactionsPerSession: 5 },
  ],
  [
    'limits of nothing',
    ['mx', 'LIMITS RCPTMAX=0 MAILMAX='],
    { maxRecipientsPerTransaction: null, maxTransactionsPerSession: null },
  ],
  ['blank lines', ['mx', '', 'PIPELINING'], { offersPipelining: true, lines: ['PIPELINING'] }],
  [
    'a word that only starts alike',
    ['mx', 'PIPELININGX', 'STARTTLS2'],
    { offersPipelining: false, offersStartTls: false },
  ],
];

describe('parseCapabilities', () => {
  it.each(rows)('reads %s', (_name, lines, expected) => {
    expect(parseCapabilities(ehlo(...lines))).toMatchObject(expected);
  });
});
