/**
 * Internationalized names: U-labels to A-labels and back by UTS #46, non-transitional (ß, ς and joiners are letters of
 * their own), with the bidi rule (RFC 5893) and the joiner rules (RFC 5892 A.1, A.2). Hyphens are judged here, label by
 * label: `--` in third place is refused in a U-label (RFC 5891 §4.2.3.1) and lives in plain ASCII ones. A name takes about
 * 12 µs, sixty times a plain one, which is why those do not come here, and why names that were read lately are kept: a
 * list has many addresses at few domains.
 */
import { LRUCache } from 'lru-cache';
import { toASCII, toUnicode } from 'tr46';
import { faultAt } from './fault.ts';
import { mostDomainOctets, mostLabelOctets } from './limits.ts';
import type { DomainName, SyntaxFault } from './types.ts';

export type Name = { readonly domain: DomainName; readonly unicodeDomain: string };

const rules = {
  checkBidi: true,
  checkHyphens: false,
  checkJoiners: true,
  ignoreInvalidPunycode: false,
  transitionalProcessing: false,
  useSTD3ASCIIRules: true,
  verifyDNSLength: false,
} as const;

/** The full stop and the three characters that UTS #46 maps to it; no other maps to a text with a dot (Unicode 18). */
const dots = /[.\u3002\uff0e\uff61]/;

/** The runaway: a list in which every name is another one. */
const mostKept = 1_000;
/** Good names only: where a fault is depends on what stands before the name. */
const kept = new LRUCache<string, Name>({ max: mostKept });

/** Reads a name with U-labels or `xn--` labels that runs from `start` to the end of the input. */
export const readInternationalName = (input: string, start: number): Name | SyntaxFault => {
  const text = input.slice(start);
  const known = kept.get(text);
  if (known) return known;
  const read = readAnew(input, start, text);
  if ('domain' in read) kept.set(text, read);
  return read;
};

const readAnew = (input: string, start: number, text: string): Name | SyntaxFault => {
  const domain = toASCII(text, rules);
  const unicodeDomain = domain === null ? '' : toUnicode(domain, rules).domain;
  const given = text.split(dots);
  const aceLabels = domain === null ? [] : domain.split('.');
  const unicodeLabels = unicodeDomain.split('.');
  let position = start;
  for (const [i, label] of given.entries()) {
    // In a name that is bad as a whole each label is mapped alone, to find the one that is to blame.
    const ace = domain === null ? toASCII(label, rules) : (aceLabels[i] ?? null);
    const unicode = domain === null && ace !== null ? toUnicode(ace, rules).domain : (unicodeLabels[i] ?? '');
    const fault = faultOfLabel({ given: label, ace, unicode, position, end: input.length });
    if (fault !== null) return fault;
    position += label.length + 1;
  }
  // Every label is good alone, and their company is not: the bidi rule looks at all of them.
  if (domain === null) return faultAt('INVALID_IDN', start);
  if (domain.length > mostDomainOctets) return faultAt('DOMAIN_TOO_LONG', start);
  if (aceLabels.length === 1) return faultAt('SINGLE_LABEL_DOMAIN', start);
  if (/^\d+$/.test(aceLabels.at(-1) ?? '')) {
    return faultAt('NUMERIC_TLD', input.length - (given.at(-1)?.length ?? 0));
  }
  return { domain: domain as DomainName, unicodeDomain };
};

type Label = {
  /** As it stands in the input, at `position`; the input ends at `end`. */
  readonly given: string;
  /** Null when it has no A-label form. */
  readonly ace: string | null;
  readonly unicode: string;
  readonly position: number;
  readonly end: number;
};

const faultOfLabel = ({ given, ace, unicode, position, end }: Label): SyntaxFault | null => {
  if (given === '') return faultAt('EMPTY_LABEL', Math.min(position, end - 1));
  if (ace === null) return faultAt('INVALID_IDN', position);
  // Everything in it was ignorable.
  if (ace === '') return faultAt('EMPTY_LABEL', position);
  if (ace.length > mostLabelOctets) return faultAt('LABEL_TOO_LONG', position);
  if (unicode.startsWith('-')) return faultAt('LABEL_HYPHEN', position);
  if (unicode.endsWith('-')) return faultAt('LABEL_HYPHEN', position + given.length - 1);
  if (unicode !== ace && unicode.slice(2, 4) === '--') return faultAt('LABEL_HYPHEN', position);
  return null;
};
