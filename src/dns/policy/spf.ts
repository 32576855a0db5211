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
  const own = await lookupRecords(dns, domain, signal);
  if ('kind' in own) return own;
  if (own.length === 0) return null;
  const policy = {
    kind: 'policy',
    record: own.join('\n'),
    isValid: true,
    allQualifier: null,
    problem: null,
  } as const;
  const permerror = (problem: string): SpfPolicy => ({ ...policy, isValid: false, problem });

  const visited = new Set<string>([domain]);
  let records = own;
  let lookups = 0;
  while (true) {
    const where = records === own ? '' : 'in the record it redirects to: ';
    const [record, second] = records;
    if (record === undefined)
      return permerror('it redirects to a domain without an SPF record (RFC 7208 §6.1)');
    if (second !== undefined) return permerror(`${where}more than one SPF record (RFC 7208 §4.5)`);
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
    const next = await lookupRecords(dns, target, signal);
    if ('kind' in next)
      return { ...policy, problem: `the record it redirects to could not be asked for (${next.failure})` };
    records = next;
  }
};

/** In an order that does not change from one look-up to the next. */
const lookupRecords = async (
  dns: Pick<Dns, 'lookupTxt'>,
  name: string,
  signal: AbortSignal,
): Promise<readonly string[] | PolicyFailure> => {
  const found = await dns.lookupTxt(name as DomainName, signal);
  if (found.kind === 'failure') return found;
  return found.kind === 'records' ? found.records.filter(isSpfRecord).toSorted() : [];
};
