/** What a domain publishes about who may send in its name (RFC 7208). Reported, not evaluated for any sender. */
import type { DomainName } from '../../address/index.ts';
import { readExchangeHost } from '../mail-hosts.ts';
import type { Dns } from '../types.ts';
import { isSpfRecord, LOOKUP_CEILING, readSpfRecord } from './spf-record.ts';
import type { PolicyFailure, SpfPolicy } from './types.ts';

/**
 * The domain's own record, its redirects followed for `allQualifier`.
 * @returns null when it has none; a failure when its TXT records could not be asked for
 */
export const lookupSpf = async (
  dns: Pick<Dns, 'lookupTxt'>,
  domain: DomainName,
  signal: AbortSignal,
): Promise<SpfPolicy | PolicyFailure | null> => {
  const own = await lookupRecord(dns, domain, signal);
  if (own === null || typeof own === 'object') return own;
  const policy = { kind: 'policy', record: own, isValid: true, allQualifier: null, problem: null } as const;
  const permerror = (problem: string): SpfPolicy => ({ ...policy, isValid: false, problem });

  const visited = new Set<string>([domain]);
  let record = own;
  let lookups = 0;
  while (true) {
    const where = record === own ? '' : 'in the record it redirects to: ';
    if (record.includes('\n')) return permerror(`${where}more than one SPF record (RFC 7208 §4.5)`);
    const read = readSpfRecord(record);
    if (read.kind === 'fault') return permerror(where + read.problem);
    lookups += read.record.lookupTerms;
    if (lookups > LOOKUP_CEILING)
      return permerror(`${lookups} terms ask the DNS, ${LOOKUP_CEILING} are allowed`);
    const { allQualifier, redirect } = read.record;
    if (redirect === null) return { ...policy, allQualifier: allQualifier ?? 'NEUTRAL' };

    if (redirect.includes('%'))
      return { ...policy, problem: 'it redirects to a name that depends on the sender' };
    const target = readExchangeHost(redirect);
    if (target === null) return permerror('it redirects to what is no domain name');
    if (visited.has(target)) return permerror('its redirects go in a circle');
    visited.add(target);
    const next = await lookupRecord(dns, target, signal);
    if (next === null) return permerror('it redirects to a domain without an SPF record (RFC 7208 §6.1)');
    if (typeof next === 'object')
      return { ...policy, problem: `the record it redirects to could not be asked for (${next.failure})` };
    record = next;
  }
};

/** Several records come joined by newlines, which no valid one contains. */
const lookupRecord = async (
  dns: Pick<Dns, 'lookupTxt'>,
  name: string,
  signal: AbortSignal,
): Promise<string | PolicyFailure | null> => {
  const found = await dns.lookupTxt(name as DomainName, signal);
  if (found.kind === 'failure') return found;
  const records = found.kind === 'records' ? found.records.filter(isSpfRecord) : [];
  return records.length === 0 ? null : records.toSorted().join('\n');
};
