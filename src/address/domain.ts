/**
 * Domain names: dot-separated labels of letters, digits and hyphens (RFC 5321 §4.1.2), or U-labels by way of IDNA.
 * Plain ASCII takes one pass here; a character outside ASCII, or a label with `xn--`, takes `idna.ts`.
 */
import { ascii, classifyNonAscii, DIGIT, LDH, UPPER } from './characters.ts';
import { faultAt, faultOfCharacter, isFault } from './fault.ts';
import { type Name, readInternationalName } from './idna.ts';
import { longestInput, mostDomainOctets, mostLabelOctets } from './limits.ts';
import type { DomainName, ExchangeHost, ParsedDomain, SyntaxFault } from './types.ts';

const DOT = 0x2e;
const HYPHEN = 0x2d;

/** Reads a domain name that runs from `start` to the end of the input. Positions count from the start of the input. */
export const readDomain = (input: string, start: number): Name | SyntaxFault => {
  if (start === input.length) return faultAt('EMPTY_DOMAIN', start);
  let labelStart = start;
  let isUpper = false;
  let isNumeric = true;
  let needsIdna = false;
  let firstFault: SyntaxFault | null = null;
  for (let i = start; i <= input.length; i++) {
    const unit = i === input.length ? DOT : input.charCodeAt(i);
    if (unit >= 0x80) {
      const codePoint = input.codePointAt(i) as number;
      if (classifyNonAscii(codePoint) !== null) {
        return faultOfCharacter(input, i, 'DOMAIN_CHARACTER_NOT_ALLOWED');
      }
      needsIdna = true;
      isNumeric = false;
      if (codePoint > 0xffff) i++;
      continue;
    }
    const kind = ascii[unit] ?? 0;
    if ((kind & LDH) !== 0) {
      if ((kind & UPPER) !== 0) isUpper = true;
      if ((kind & DIGIT) === 0) isNumeric = false;
      continue;
    }
    if (unit !== DOT) return faultOfCharacter(input, i, 'DOMAIN_CHARACTER_NOT_ALLOWED');
    // Lengths and hyphens of U-labels are IDNA's to judge, and which dots there are.
    if (!needsIdna) {
      firstFault ??= faultOfLabel(input, labelStart, i);
      if (isAceLabel(input, labelStart, i)) needsIdna = true;
    }
    if (i === input.length) break;
    labelStart = i + 1;
    isNumeric = true;
  }
  if (needsIdna) return firstFault ?? readInternationalName(input, start);
  if (firstFault !== null) return firstFault;
  if (input.length - start > mostDomainOctets) return faultAt('DOMAIN_TOO_LONG', start + mostDomainOctets);
  if (labelStart === start) return faultAt('SINGLE_LABEL_DOMAIN', start);
  if (isNumeric) return faultAt('NUMERIC_TLD', labelStart);
  const text = input.slice(start);
  const domain = (isUpper ? text.toLowerCase() : text) as DomainName;
  return { domain, unicodeDomain: domain };
};

const faultOfLabel = (input: string, start: number, end: number): SyntaxFault | null => {
  if (start === end) return faultAt('EMPTY_LABEL', end === input.length ? end - 1 : end);
  if (input.charCodeAt(start) === HYPHEN) return faultAt('LABEL_HYPHEN', start);
  if (end - start > mostLabelOctets) return faultAt('LABEL_TOO_LONG', start + mostLabelOctets);
  if (input.charCodeAt(end - 1) === HYPHEN) return faultAt('LABEL_HYPHEN', end - 1);
  return null;
};

/** Does the label start with `xn--`, in any case? */
const isAceLabel = (input: string, start: number, end: number): boolean =>
  end - start >= 4 &&
  input.charCodeAt(start + 2) === HYPHEN &&
  input.charCodeAt(start + 3) === HYPHEN &&
  (input.charCodeAt(start) | 0x20) === 0x78 &&
  (input.charCodeAt(start + 1) | 0x20) === 0x6e;

/**
 * Reads a mail domain as people or configurations write it: U-labels, A-labels, any case, one trailing dot. Never
 * throws. Names of one label and names that end in a number are faults, as in an address.
 */
export const parseDomain = (input: string): ParsedDomain => {
  if (input.length > longestInput) {
    return { kind: 'fault', input, fault: faultAt('DOMAIN_TOO_LONG', mostDomainOctets) };
  }
  const isRooted = input.length > 1 && input.charCodeAt(input.length - 1) === DOT;
  const result = readDomain(isRooted ? input.slice(0, -1) : input, 0);
  if (isFault(result)) return { kind: 'fault', input, fault: result };
  return { kind: 'domain', domain: result.domain, unicodeDomain: result.unicodeDomain };
};

/**
 * Reads a host name that DNS or a person gave. Lenient, because zones are: underscores, hyphens anywhere, one label,
 * a trailing dot. Strict as to lengths, characters and a numeric last label, which would be read as an IP address.
 * Null when it is none; the root, which is how null MX is written, is none (RFC 7505 §3).
 */
export const parseExchangeHost = (text: string): ExchangeHost | null => {
  if (text.length > longestInput) return null;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (!/^[\w.-]*$/.test(name)) {
    const parsed = parseDomain(text);
    return parsed.kind === 'domain' ? (parsed.domain as string as ExchangeHost) : null;
  }
  if (name.length === 0 || name.length > mostDomainOctets) return null;
  const labels = name.split('.');
  if (labels.some((label) => label.length === 0 || label.length > mostLabelOctets)) return null;
  if (/^\d+$/.test(labels.at(-1) ?? '')) return null;
  return name.toLowerCase() as ExchangeHost;
};
