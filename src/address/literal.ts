/**
 * Domain literals (RFC 5321 §4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[tag:text]`. All of them are faults here: bad
 * ones because they are bad, good ones because an address without a domain cannot be verified through DNS, and to
 * connect wherever a stranger's text points would be a gift to scanners of private networks. A general literal is bad
 * whatever its tag: a tag must be registered with IANA, and `IPv6` is the only one that is.
 */
import { faultAt, faultOfCharacter } from './fault.ts';
import type { SyntaxFault } from './types.ts';

/** Reads a literal whose `[` is at `start` and that runs to the end of the input. */
export const readDomainLiteral = (input: string, start: number): SyntaxFault => {
  for (let i = start + 1; i < input.length; i++) {
    const unit = input.charCodeAt(i);
    // `]` ends it; `[` and `\` are not dcontent; the rest of printable ASCII is.
    if (unit === 0x5d) {
      return i + 1 < input.length
        ? faultAt('INVALID_DOMAIN_LITERAL', i + 1, 'Nothing may follow the closing bracket.')
        : classifyLiteral(input.slice(start + 1, i), start);
    }
    if (unit === 0x5b || unit === 0x5c) return faultAt('INVALID_DOMAIN_LITERAL', i);
    if (unit <= 0x20 || unit >= 0x7f) {
      const fault = faultOfCharacter(input, i, 'DOMAIN_CHARACTER_NOT_ALLOWED');
      return fault.code === 'DOMAIN_CHARACTER_NOT_ALLOWED' ? faultAt('INVALID_DOMAIN_LITERAL', i) : fault;
    }
  }
  return faultAt('INVALID_DOMAIN_LITERAL', input.length, 'The bracket is not closed.');
};

const classifyLiteral = (content: string, start: number): SyntaxFault => {
  const colon = content.indexOf(':');
  const tag = content.slice(0, Math.max(colon, 0)).toLowerCase();
  const isAddress = colon < 0 ? isIPv4(content) : tag === 'ipv6' && isIPv6(content.slice(colon + 1));
  if (isAddress) return faultAt('UNROUTABLE_DOMAIN_LITERAL', start);
  // Standardized-tag is letters, digits and hyphens, the last of them no hyphen.
  return tag !== 'ipv6' && /^[a-z0-9-]*[a-z0-9]$/.test(tag)
    ? faultAt('INVALID_DOMAIN_LITERAL', start + 1, 'What stands before the colon must be IPv6.')
    : faultAt('INVALID_DOMAIN_LITERAL', start + 1);
};

/** Four numbers up to 255 of one to three digits; leading zeros are allowed (RFC 5321 §4.1.3). */
const isIPv4 = (text: string): boolean => {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((number) => /^\d{1,3}$/.test(number) && Number(number) <= 255);
};

/** Eight groups, the last two of which may be an IPv4 address; `::` once, for two groups of zeros or more. */
const isIPv6 = (text: string): boolean => {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const [before = '', after] = halves;
  const head = countGroups(before, after === undefined);
  const tail = after === undefined ? 0 : countGroups(after, true);
  if (head === null || tail === null) return false;
  return after === undefined ? head === 8 : head + tail <= 6;
};

const countGroups = (text: string, mayEndInIPv4: boolean): number | null => {
  if (text === '') return 0;
  const groups = text.split(':');
  const last = groups.at(-1) ?? '';
  const endsInIPv4 = mayEndInIPv4 && last.includes('.');
  if (endsInIPv4 && !isIPv4(last)) return null;
  const hex = endsInIPv4 ? groups.slice(0, -1) : groups;
  return hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) ? hex.length + (endsInIPv4 ? 2 : 0) : null;
};
