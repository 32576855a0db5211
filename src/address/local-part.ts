/**
 * The local part: a dot-string or a quoted string (RFC 5321 §4.1.2), with UTF-8 (RFC 6531 §3.3). One pass, up to and
 * including the `@`. Not read, because they are of message headers and not of SMTP: comments, folding white space,
 * words joined by dots (RFC 5322 §4.4).
 */
import { ATEXT, ascii, classifyNonAscii, countOctets, positionPastOctets } from './characters.ts';
import { faultAt, faultOfCharacter } from './fault.ts';
import { mostLocalPartOctets } from './limits.ts';
import type { SyntaxFault } from './types.ts';

const AT = 0x40;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const QUOTE = 0x22;
const SPACE = 0x20;

export type LocalPart = {
  /** As it goes into RCPT TO: NFC, quoted only where it must be (RFC 5321 §4.1.2). */
  readonly text: string;
  readonly isAscii: boolean;
  /** Position of the `@` after it. */
  readonly at: number;
};

/** NFC, the length in octets, and the form that RCPT TO takes. `raw` is what stands in the input, quotes included. */
const finish = (raw: string, content: string, isQuoted: boolean, isAscii: boolean, at: number) => {
  const normal = isAscii ? content : content.normalize('NFC');
  const text = isQuoted && !isDotString(normal) ? printQuoted(normal) : normal;
  if (text.length * 3 > mostLocalPartOctets && countOctets(text) > mostLocalPartOctets) {
    return faultAt('LOCAL_PART_TOO_LONG', Math.min(positionPastOctets(raw, mostLocalPartOctets), at));
  }
  // NFC can turn a character outside ASCII into one of it: U+212A, the Kelvin sign, is a K.
  return { text, isAscii: isAscii || !hasNonAscii(text), at };
};

const hasNonAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return true;
  return false;
};

/** Could this content have stood without quotes? */
const isDotString = (content: string): boolean => {
  let isAfterDot = true;
  for (let i = 0; i < content.length; i++) {
    const unit = content.charCodeAt(i);
    if (unit === DOT) {
      if (isAfterDot) return false;
      isAfterDot = true;
    } else {
      // Lone surrogates were refused while reading; a space outside ASCII still needs its quotes.
      if (unit < 0x80 ? ((ascii[unit] ?? 0) & ATEXT) === 0 : isQuotedOnly(unit)) return false;
      isAfterDot = false;
    }
  }
  return !isAfterDot;
};

const isQuotedOnly = (unit: number): boolean => classifyNonAscii(unit) === 'SPACE_NOT_ALLOWED';

const printQuoted = (content: string): string => `"${content.replace(/["\\]/g, '\\$&')}"`;

/** Reads the local part from the start of the input. */
export const readLocalPart = (input: string): LocalPart | SyntaxFault => {
  if (input.charCodeAt(0) === QUOTE) return readQuotedString(input);
  let isAscii = true;
  let isAfterDot = false;
  for (let i = 0; i < input.length; i++) {
    const unit = input.charCodeAt(i);
    if (unit < 0x80) {
      if (((ascii[unit] ?? 0) & ATEXT) !== 0) {
        isAfterDot = false;
      } else if (unit === DOT) {
        if (i === 0) return faultAt('LEADING_DOT', 0);
        if (isAfterDot) return faultAt('CONSECUTIVE_DOTS', i);
        isAfterDot = true;
      } else if (unit === AT) {
        if (i === 0) return faultAt('EMPTY_LOCAL_PART', 0);
        if (isAfterDot) return faultAt('TRAILING_DOT', i - 1);
        const raw = input.slice(0, i);
        return finish(raw, raw, false, isAscii, i);
      } else {
        return faultOfCharacter(input, i, 'CHARACTER_NOT_ALLOWED');
      }
    } else {
      const codePoint = input.codePointAt(i) as number;
      // U+037E, the Greek question mark, is a semicolon in NFC.
      if (codePoint === 0x37e || classifyNonAscii(codePoint) !== null) {
        return faultOfCharacter(input, i, 'CHARACTER_NOT_ALLOWED');
      }
      if (codePoint > 0xffff) i++;
      isAscii = false;
      isAfterDot = false;
    }
  }
  return faultAt('MISSING_AT', input.length);
};

const readQuotedString = (input: string): LocalPart | SyntaxFault => {
  let isAscii = true;
  let content = '';
  // What has been read but not yet taken over into the content starts here.
  let from = 1;
  for (let i = 1; i < input.length; i++) {
    const unit = input.charCodeAt(i);
    if (unit === QUOTE) {
      content += input.slice(from, i);
      if (i + 1 === input.length) return faultAt('MISSING_AT', input.length);
      if (input.charCodeAt(i + 1) !== AT) return faultAfterQuote(input, i + 1);
      return finish(input.slice(0, i + 1), content, true, isAscii, i + 1);
    }
    if (unit === BACKSLASH) {
      content += input.slice(from, i);
      from = ++i;
      const escaped = input.charCodeAt(i);
      // Only printable ASCII can be escaped; what is missing altogether leaves the quote unclosed.
      if (escaped < SPACE || escaped >= 0x7f) return faultOfCharacter(input, i, 'CHARACTER_NOT_ALLOWED');
    } else if (unit < SPACE || unit === 0x7f) {
      return faultAt('CONTROL_CHARACTER', i);
    } else if (unit >= 0x80) {
      const codePoint = input.codePointAt(i) as number;
      const code = classifyNonAscii(codePoint);
      if (code !== null && code !== 'SPACE_NOT_ALLOWED') {
        return faultOfCharacter(input, i, 'CHARACTER_NOT_ALLOWED');
      }
      if (codePoint > 0xffff) i++;
      isAscii = false;
    }
  }
  return faultAt('UNCLOSED_QUOTE', 0);
};

const faultAfterQuote = (input: string, position: number): SyntaxFault => {
  const fault = faultOfCharacter(input, position, 'CHARACTER_NOT_ALLOWED');
  return fault.code === 'CHARACTER_NOT_ALLOWED' ? faultAt('TEXT_AFTER_QUOTE', position) : fault;
};
