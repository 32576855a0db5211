/**
 * One SPF record, read term by term (RFC 7208 §12). Nothing is evaluated: no address is matched, no include opened.
 * The grammar is regular, so each production is one anchored expression without nested repetition.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { SpfPolicy } from './types.ts';

type SpfRecord = {
  /** Of the first `all`; null without one. */
  readonly allQualifier: SpfPolicy['allQualifier'];
  /** Target of `redirect=` where it counts: without `all` (RFC 7208 §6.1). */
  readonly redirect: string | null;
  /** Terms of this record that make an evaluator ask the DNS; 10 in all are allowed (RFC 7208 §4.6.4). */
  readonly lookupTerms: number;
};

export type ReadSpfRecord =
  | { readonly kind: 'record'; readonly record: SpfRecord }
  | { readonly kind: 'fault'; readonly problem: string };

/** Evaluators stop with permerror beyond this (RFC 7208 §4.6.4). */
export const LOOKUP_CEILING = 10;

const QUALIFIERS = { '+': 'PASS', '-': 'FAIL', '~': 'SOFTFAIL', '?': 'NEUTRAL' } as const;

/** The version is followed by a space or by nothing: `v=spf10` is no SPF record (RFC 7208 §4.5). */
export const isSpfRecord = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

const macroExpand = '%(?:\\{[slodiphcrtv]\\d*r?[.\\-+,/_=]*\\}|%|_|-)';
const macroString = `(?:${macroExpand}|[!-$&-~])*`;
const MACRO_STRING = new RegExp(`^${macroString}$`, 'i');
/** domain-end: a macro, or a dot and a top label that is not all digits (RFC 7208 §7.1). */
const DOMAIN_END = new RegExp(`(?:${macroExpand}|\\.(?!\\d+\\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.?)$`, 'i');
const isDomainSpec = (text: string): boolean => MACRO_STRING.test(text) && DOMAIN_END.test(text);

const TERM = /^([+\-?~]?)([a-z][a-z0-9_.-]*)(?:([:/=])(.*))?$/i;
const CIDR = /^(.*?)(?:\/(0|[1-9]\d?))?(?:\/\/(0|[1-9]\d{0,2}))?$/;

/** @param text a record for which `isSpfRecord` holds */
export const readSpfRecord = (text: string): ReadSpfRecord => {
  let allQualifier: SpfPolicy['allQualifier'] = null;
  let lookupTerms = 0;
  const modifiers = new Map<string, string>();
  for (const term of text.split(' ').slice(1)) {
    if (term === '') continue;
    const [, sign = '', rawName = '', separator = '', value = ''] = TERM.exec(term) ?? [];
    const name = rawName.toLowerCase();
    if (name === '') return fault(`"${clip(term)}" is no term`);
    if (separator === '=') {
      const problem = sign === '' ? readModifier(name, value, modifiers) : 'a modifier takes no qualifier';
      if (problem !== null) return fault(`"${clip(term)}": ${problem}`);
      continue;
    }
    const problem = readMechanism(name, separator, value);
    if (problem !== null) return fault(`"${clip(term)}": ${problem}`);
    // What stands after `all` is never looked at (RFC 7208 §5.1), though it must be well formed.
    if (allQualifier !== null) continue;
    if (name === 'all') allQualifier = QUALIFIERS[(sign || '+') as keyof typeof QUALIFIERS];
    else if (name !== 'ip4' && name !== 'ip6') lookupTerms += 1;
  }
  const redirect = allQualifier === null ? (modifiers.get('redirect') ?? null) : null;
  if (redirect !== null) lookupTerms += 1;
  return lookupTerms > LOOKUP_CEILING
    ? fault(`${lookupTerms} terms ask the DNS, ${LOOKUP_CEILING} are allowed`)
    : { kind: 'record', record: { allQualifier, redirect, lookupTerms } };
};

const fault = (problem: string): ReadSpfRecord => ({ kind: 'fault', problem });

/** A problem is told to people: it must not carry a whole hostile record along. */
const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Null, or what is wrong. `separator` is `:`, `/` (then `value` is a prefix length) or nothing. */
const readMechanism = (name: string, separator: string, value: string): string | null => {
  switch (name) {
    case 'all':
      return separator === '' ? null : '"all" takes no argument';
    case 'include':
    case 'exists':
      return separator === ':' && isDomainSpec(value) ? null : `"${name}" needs a domain`;
    case 'ptr':
      return separator === '' || (separator === ':' && isDomainSpec(value)) ? null : 'not a domain';
    case 'a':
    case 'mx': {
      const [, spec = '', four, six] = CIDR.exec(separator === '/' ? `/${value}` : value) ?? [];
      if (Number(four ?? 0) > 32 || Number(six ?? 0) > 128) return 'prefix length out of range';
      if (separator === ':') return isDomainSpec(spec) ? null : 'neither a domain nor a prefix length';
      return spec === '' ? null : 'bad prefix length';
    }
    case 'ip4':
    case 'ip6': {
      const [ip = '', length, ...rest] = separator === ':' ? value.split('/') : [];
      const [isIp, bits] = name === 'ip4' ? [isIPv4, 32] : [isIPv6, 128];
      if (!isIp(ip) || ip.includes('%')) return `not an ${name === 'ip4' ? 'IPv4' : 'IPv6'} network`;
      const isLength =
        length === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(length) && Number(length) <= bits);
      return isLength && rest.length === 0 ? null : 'prefix length out of range';
    }
    default:
      return 'no such mechanism';
  }
};

/** RFC 7208 §6: `redirect` and `exp` once each; others are left alone when they are well formed. */
const readModifier = (name: string, value: string, seen: Map<string, string>): string | null => {
  if (name !== 'redirect' && name !== 'exp') return MACRO_STRING.test(value) ? null : 'not a macro string';
  if (seen.has(name)) return `"${name}" stands twice`;
  seen.set(name, value);
  return isDomainSpec(value) ? null : `"${name}" needs a domain`;
};
