/** Which characters may stand where: one table for ASCII (RFC 5321 §4.1.2), one of ranges for the rest. */
import type { SyntaxFaultCode } from './types.ts';

/** atext: what may stand in a dot-string beside its dots (RFC 5322 §3.2.3). */
export const ATEXT = 1;
/** Letters, digits and hyphen: what may stand in a label (RFC 5321 §4.1.2, RFC 1123 §2.1). */
export const LDH = 2;
export const DIGIT = 4;
export const UPPER = 8;

const fill = (table: Uint8Array, characters: string, kind: number): void => {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    table[code] = (table[code] ?? 0) | kind;
  }
};

/** Bits by ASCII code; a code with no bit is special, a space or a control. */
export const ascii: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(128);
  const lower = 'abcdefghijklmnopqrstuvwxyz';
  const upper = lower.toUpperCase();
  const digits = '0123456789';
  fill(table, `${lower}${upper}${digits}!#$%&'*+-/=?^_\`{|}~`, ATEXT);
  fill(table, `${lower}${upper}${digits}-`, LDH);
  fill(table, digits, DIGIT);
  fill(table, upper, UPPER);
  return table;
})();

type Range = readonly [
  first: number,
  last: number,
  code: 'CONTROL_CHARACTER' | 'SPACE_NOT_ALLOWED' | 'INVALID_UNICODE',
];

/**
 * RFC 6531 §3.3 lets every character outside ASCII into a local part. We refuse those that nobody can see or type:
 * they come from a paste or from somebody who wants to deceive (RFC 8264 §9.12, §9.13). That is: C1 controls, spaces,
 * separators, bidi controls, noncharacters, U+FFFD, and default ignorables but for joiners and variation selectors,
 * which Persian, Indic scripts and emoji need. `characters.test.ts` holds the table to Unicode's own properties.
 */
const unseen: readonly Range[] = [
  [0x0080, 0x009f, 'CONTROL_CHARACTER'],
  [0x00a0, 0x00a0, 'SPACE_NOT_ALLOWED'],
  [0x00ad, 0x00ad, 'CONTROL_CHARACTER'],
  [0x034f, 0x034f, 'CONTROL_CHARACTER'],
  [0x061c, 0x061c, 'CONTROL_CHARACTER'],
  [0x115f, 0x1160, 'CONTROL_CHARACTER'],
  [0x1680, 0x1680, 'SPACE_NOT_ALLOWED'],
  [0x17b4, 0x17b5, 'CONTROL_CHARACTER'],
  [0x180e, 0x180e, 'CONTROL_CHARACTER'],
  [0x2000, 0x200a, 'SPACE_NOT_ALLOWED'],
  [0x200b, 0x200b, 'CONTROL_CHARACTER'],
  [0x200e, 0x200f, 'CONTROL_CHARACTER'],
  [0x2028, 0x202e, 'CONTROL_CHARACTER'],
  [0x202f, 0x202f, 'SPACE_NOT_ALLOWED'],
  [0x205f, 0x205f, 'SPACE_NOT_ALLOWED'],
  [0x2060, 0x206f, 'CONTROL_CHARACTER'],
  [0x3000, 0x3000, 'SPACE_NOT_ALLOWED'],
  [0x3164, 0x3164, 'CONTROL_CHARACTER'],
  [0xd800, 0xdfff, 'INVALID_UNICODE'],
  [0xfdd0, 0xfdef, 'INVALID_UNICODE'],
  [0xfeff, 0xfeff, 'CONTROL_CHARACTER'],
  [0xffa0, 0xffa0, 'CONTROL_CHARACTER'],
  [0xfff0, 0xfff8, 'CONTROL_CHARACTER'],
  [0xfffd, 0xffff, 'INVALID_UNICODE'],
  [0x1bca0, 0x1bca3, 'CONTROL_CHARACTER'],
  [0x1d173, 0x1d17a, 'CONTROL_CHARACTER'],
  [0xe0000, 0xe00ff, 'CONTROL_CHARACTER'],
  [0xe01f0, 0xe0fff, 'CONTROL_CHARACTER'],
];

/** Why a character outside ASCII may not stand in an address; null when it may. */
export const classifyNonAscii = (codePoint: number): SyntaxFaultCode | null => {
  if (codePoint > 0xffff && (codePoint & 0xfffe) === 0xfffe) return 'INVALID_UNICODE';
  let low = 0;
  let high = unseen.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = unseen[middle] as Range;
    if (codePoint < range[0]) high = middle - 1;
    else if (codePoint > range[1]) low = middle + 1;
    else return range[2];
  }
  return null;
};

const bidiControls = /^[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]$/;

/** What to say of an unseen character, since its reader cannot see it; undefined when the code's own sentence does. */
export const describeUnseen = (codePoint: number): string | undefined => {
  const hex = codePoint.toString(16).toUpperCase().padStart(4, '0');
  if (bidiControls.test(String.fromCodePoint(codePoint))) {
    return `An invisible mark that turns the direction of text (U+${hex}) may not stand in an address.`;
  }
  switch (classifyNonAscii(codePoint)) {
    case 'CONTROL_CHARACTER':
      return `An invisible character (U+${hex}) may not stand in an address.`;
    case 'SPACE_NOT_ALLOWED':
      return `A space (U+${hex}) may not stand here.`;
    default:
      return undefined;
  }
};

/** Octets of a well-formed text in UTF-8. */
export const countOctets = (text: string): number => {
  let octets = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate is half of a character of four octets.
    octets += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return octets;
};

/** Position of the first character that no longer fits into so many octets; the text's length when all of it fits. */
export const positionPastOctets = (text: string, mostOctets: number): number => {
  let octets = 0;
  for (let i = 0; i < text.length; ) {
    const codePoint = text.codePointAt(i) as number;
    octets += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (octets > mostOctets) return i;
    i += codePoint > 0xffff ? 2 : 1;
  }
  return text.length;
};
