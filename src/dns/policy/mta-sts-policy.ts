/** The policy file of MTA-STS, read line by line (RFC 8461 §3.2). */
import { readExchangeHost } from '../mail-hosts.ts';
import type { MtaStsPolicy } from './types.ts';

export type ReadMtaStsPolicy =
  | {
      readonly kind: 'policy';
      readonly mode: NonNullable<MtaStsPolicy['mode']>;
      readonly maxAge: number;
      readonly mx: readonly string[];
    }
  | { readonly kind: 'fault'; readonly problem: string };

/** RFC 8461 §3.2: about a year. */
const MAX_AGE_CEILING_SECONDS = 31_557_600;
/** Patterns that are kept: 64 KiB of them would only be printed. */
const MX_CEILING = 100;

const MODES = new Map<string, NonNullable<MtaStsPolicy['mode']>>([
  ['enforce', 'ENFORCE'],
  ['testing', 'TESTING'],
  ['none', 'NONE'],
]);

export const readMtaStsPolicy = (text: string): ReadMtaStsPolicy => {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (colon < 0 || !/^[a-z0-9][a-z0-9_.-]{0,31}$/i.test(key))
      return fault('a line is not of the form key: value');
    if (key === 'mx') mx.push(value);
    // Of a key that stands twice, the first counts (RFC 8461 §3.2).
    else if (!fields.has(key)) fields.set(key, value);
  }
  if (fields.get('version') !== 'STSv1') return fault('its version is not STSv1');
  const mode = MODES.get(fields.get('mode') ?? '');
  if (mode === undefined) return fault('its mode is not enforce, testing or none');
  const age = fields.get('max_age') ?? '';
  const maxAge = Number(age);
  if (!/^\d{1,10}$/.test(age) || maxAge > MAX_AGE_CEILING_SECONDS)
    return fault(`its max_age is not a number from 0 to ${MAX_AGE_CEILING_SECONDS}`);
  if (mode !== 'NONE' && mx.length === 0) return fault('it names no mx');
  const patterns = mx.slice(0, MX_CEILING).map(readPattern);
  return patterns.every((pattern) => pattern !== null)
    ? { kind: 'policy', mode, maxAge, mx: patterns }
    : fault('one of its mx is neither a host name nor "*." and a name');
};

const fault = (problem: string): ReadMtaStsPolicy => ({ kind: 'fault', problem });

/** RFC 8461 §4.1: a wildcard stands for exactly the leftmost label. */
const readPattern = (text: string): string | null => {
  const host = readExchangeHost(text.replace(/^\*\./, ''));
  return host === null ? null : text.startsWith('*.') ? `*.${host}` : host;
};
