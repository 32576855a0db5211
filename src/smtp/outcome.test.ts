import { describe, expect, it } from 'vitest';
import type { MeaningKind } from './meaning/index.ts';
import { isSlowDown, isUnreachable, type Outcome, redactOutcome, redactReply } from './outcome.ts';
import type { ConnectAttempt } from './types.ts';

const outcomeOf = (fields: Partial<Outcome>): Outcome => ({
  attempts: [],
  exchange: null,
  ip: null,
  phase: 'CONNECT',
  reply: null,
  meaning: null,
  fault: null,
  transcript: [],
  ...fields,
});
const host = 'mx.test' as ConnectAttempt['host'];
const attempt = (outcome: ConnectAttempt['outcome']): ConnectAttempt => ({ host, ip: '192.0.2.1', outcome });
const failed = (error: string): ConnectAttempt => attempt({ kind: 'connectFailed', error });
const replyOf = (code: number, enhancedCode: string | null, ...lines: string[]) => ({
  code,
  enhancedCode,
  lines,
  text: lines.join(' '),
});

const redact = (text: string, localPart = 'jo.doe'): string =>
  redactReply({ code: 550, enhancedCode: null, lines: [text], text }, { localPart, domain: 'd.test' }).text;

describe('redactReply', () => {
  it.each([
    ['<jo.doe@d.test>: blocked', '<…>: blocked'],
    ['JO.DOE@D.TEST blocked', '… blocked'],
    ['mailbox jo.doe is not for you', 'mailbox … is not for you'],
    ['joxdoe is somebody else', 'joxdoe is somebody else'],
    ['mojo.doer is too', 'mojo.doer is too'],
    ['Client host [192.0.2.1] blocked', 'Client host [192.0.2.1] blocked'],
  ])('%s → %s', (text, redacted) => {
    expect(redact(text)).toBe(redacted);
  });

  it('takes a local part as text, not as a pattern', () => {
    expect(redact('x+y and xxy', 'x+y')).toBe('… and xxy');
    expect(redact('a(b[c', 'a(b[c')).toBe('…');
  });
});

describe('isUnreachable', () => {
  const timeout = attempt({ kind: 'connectTimeout' });
  it.each<[string, boolean, Partial<Outcome>]>([
    ['nothing was tried', false, {}],
    ['it refuses connections', true, { attempts: [failed('ECONNREFUSED')] }],
    ['it does not answer', true, { attempts: [timeout] }],
    [
      'one family has no route here, the other is refused',
      true,
      { attempts: [failed('ENETUNREACH'), failed('ECONNREFUSED')] },
    ],
    ['it has no address', false, { attempts: [attempt({ kind: 'noAddress' })] }],
    ['DNS fails', false, { attempts: [attempt({ kind: 'dnsFailure', failure: 'SERVFAIL' })] }],
    ['we may not connect to it', false, { attempts: [attempt({ kind: 'unroutable', range: 'loopback' })] }],
    [
      'one address was connected to',
      false,
      { attempts: [failed('ECONNREFUSED'), attempt({ kind: 'connected' })] },
    ],
    ['it refused in words', false, { attempts: [timeout], reply: replyOf(421, null, 'no') }],
    ['it was silent', false, { attempts: [timeout], fault: { kind: 'timeout', phase: 'GREETING' } }],
    ...[
      'ENETUNREACH',
      'EMFILE',
      'EADDRNOTAVAIL',
      'PROXY_TIMEOUT',
      'PROXY_UNREACHABLE (ECONNREFUSED)',
      'NO_SOURCE_ADDRESS',
    ].map((error): [string, boolean, Partial<Outcome>] => [
      `ours: ${error}`,
      false,
      { attempts: [failed(error)] },
    ]),
  ])('%s: %s', (_what, expected, fields) => {
    expect(isUnreachable(outcomeOf(fields))).toBe(expected);
  });
});

describe('isSlowDown', () => {
  it.each<[number, string | null, MeaningKind, boolean]>([
    [450, '4.7.1', 'RATE_LIMITED', true],
    [550, '5.7.1', 'RATE_LIMITED', true],
    [421, null, 'TEMPORARY', true],
    [421, '4.3.2', 'NOT_UNDERSTOOD', true],
    [451, '4.7.0', 'TEMPORARY', true],
    [450, '4.7.1', 'POLICY', true],
    [550, '5.7.1', 'POLICY', false],
    [451, '4.7.1', 'GREYLISTED', false],
    [421, '4.7.0', 'GREYLISTED', false],
    [421, '4.7.0', 'IP_BLOCKED', false],
    [451, '4.3.0', 'TEMPORARY', false],
    [452, '4.2.2', 'MAILBOX_FULL', false],
    [454, '4.7.0', 'TLS_REQUIRED', false],
  ])('%d %s %s: %s', (code, enhancedCode, kind, expected) => {
    const meaning = { kind, rule: 'x', retryAfterSeconds: null };
    expect(isSlowDown({ reply: replyOf(code, enhancedCode, 'x'), meaning })).toBe(expected);
  });
});

describe('redactOutcome', () => {
  it('takes the addresses out of the reply and of its lines in the transcript, and nothing else', () => {
    const at = new Date(0);
    const line = (direction: 'CLIENT' | 'SERVER', text: string) => ({ at, direction, text });
    const outcome = outcomeOf({
      reply: replyOf(421, '4.7.0', '<jo@d.test> and al@e.test:', 'too many'),
      transcript: [
        line('CLIENT', 'EHLO prober.test'),
        line('SERVER', '250 mx.test'),
        line('SERVER', '421-4.7.0 <jo@d.test> and al@e.test:'),
        line('SERVER', '421 4.7.0 too many'),
      ],
    });
    const seen = redactOutcome(outcome, [
      { localPart: 'jo', domain: 'd.test' },
      { localPart: 'al', domain: 'e.test' },
    ]);
    expect(seen.reply?.text).toBe('<…> and …: too many');
    expect(seen.transcript.map(({ text }) => text)).toEqual([
      'EHLO prober.test',
      '250 mx.test',
      '421-4.7.0 <…> and …:',
      '421 4.7.0 too many',
    ]);
  });

  it('has nothing to take out of a fault', () => {
    const outcome = outcomeOf({ fault: { kind: 'closed', phase: 'RCPT_TO' } });
    expect(redactOutcome(outcome, [{ localPart: 'jo', domain: 'd.test' }])).toBe(outcome);
  });
});
