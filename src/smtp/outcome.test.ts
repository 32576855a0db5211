import { describe, expect, it } from 'vitest';
import { redactReply } from './outcome.ts';

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
