/** What a domain asks receivers to do with mail that fails in its name (RFC 7489 §6.3, §6.6.3). */
import type { DomainName } from '../../address/index.ts';
import type { Dns } from '../types.ts';
import { recordName } from './record-name.ts';
import type { DmarcDisposition, DmarcPolicy, PolicyFailure } from './types.ts';

/**
 * The record of the domain, or else that of its organisational domain.
 * @param registrableDomain the organisational domain by the public suffix list; null when the name is a suffix itself
 * @returns null when neither has one; a failure when a question that matters was not answered
 */
export const lookupDmarc = async (
  dns: Pick<Dns, 'lookupTxt'>,
  domain: DomainName,
  registrableDomain: (domain: DomainName) => string | null,
  signal: AbortSignal,
): Promise<DmarcPolicy | PolicyFailure | null> => {
  const organisation = registrableDomain(domain);
  const domains = new Set([domain, ...(organisation === null ? [] : [organisation as DomainName])]);
  for (const candidate of domains) {
    const name = recordName('_dmarc', candidate);
    const found = name === null ? null : await dns.lookupTxt(name, signal);
    // Not going on to the organisational domain: the record that could not be read may differ from its.
    if (found?.kind === 'failure') return found;
    const records = found?.kind === 'records' ? found.records.filter(isDmarcRecord).toSorted() : [];
    const [record, second] = records;
    if (record === undefined) continue;
    return second === undefined
      ? readDmarcRecord(candidate, record)
      : {
          kind: 'policy',
          record: records.join('\n'),
          domain: candidate,
          isValid: false,
          policy: null,
          subdomainPolicy: null,
          problem: 'more than one DMARC record: receivers apply none (RFC 7489 §6.6.3)',
        };
  }
  return null;
};

/** The version comes first and in capitals, or the record is another's (RFC 7489 §6.3). */
const isDmarcRecord = (text: string): boolean => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text);

/** `mailto:` and kin, with an optional size limit at its end (RFC 7489 §6.2, §6.4). */
const isReportUri = (text: string): boolean => /^[a-z][a-z0-9+.-]*:[^\s,;!]+(?:!\d+[kmgt]?)?$/i.test(text);
const areReportUris = (text: string): boolean => text.split(',').every((uri) => isReportUri(uri.trim()));

/** RFC 7489 §6.3. Tags that are not here are ignored, as it demands. */
const TAGS = new Map<string, (value: string) => boolean>(
  Object.entries({
    p: (value: string) => dispositionOf(value) !== null,
    sp: (value: string) => dispositionOf(value) !== null,
    adkim: (value: string) => /^[rs]$/i.test(value),
    aspf: (value: string) => /^[rs]$/i.test(value),
    pct: (value: string) => /^\d{1,3}$/.test(value) && Number(value) <= 100,
    fo: (value: string) => /^[01ds](?:[ \t]*:[ \t]*[01ds])*$/i.test(value),
    rf: (value: string) => /^[a-z0-9-]+(?:[ \t]*:[ \t]*[a-z0-9-]+)*$/i.test(value),
    ri: (value: string) => /^\d{1,10}$/.test(value) && Number(value) <= 0xffff_ffff,
    rua: areReportUris,
    ruf: areReportUris,
  }),
);

const dispositionOf = (value: string): DmarcDisposition | null =>
  /^(?:none|quarantine|reject)$/i.test(value) ? (value.toUpperCase() as DmarcDisposition) : null;

/** @param record one for which `isDmarcRecord` holds */
const readDmarcRecord = (domain: DomainName, record: string): DmarcPolicy => {
  const tags = new Map<string, string>();
  const problems: string[] = [];
  for (const part of record.split(';').slice(1)) {
    if (part.trim() === '') continue;
    const [, rawName = '', value = ''] = /^[ \t]*([a-z]+)[ \t]*=[ \t]*(.*?)[ \t]*$/i.exec(part) ?? [];
    const name = rawName.toLowerCase();
    if (name === '') problems.push('a part is not of the form tag=value');
    else if (tags.has(name)) problems.push(`"${name.slice(0, 20)}" stands twice`);
    else {
      tags.set(name, value);
      if (TAGS.get(name)?.(value) === false) problems.push(`"${name}" has a value that does not exist`);
    }
  }
  const sp = tags.get('sp');
  const policy = dispositionOf(tags.get('p') ?? '');
  if (!tags.has('p')) problems.unshift('"p" is missing');
  const base = { kind: 'policy', domain, record, isValid: problems.length === 0 } as const;
  const problem = problems[0] ?? null;
  if (policy !== null && (sp === undefined || dispositionOf(sp) !== null))
    return { ...base, policy, subdomainPolicy: dispositionOf(sp ?? '') ?? policy, problem };
  // RFC 7489 §6.6.3, step 6: whoever wants reports is taken to mean p=none; otherwise there is no policy.
  const isReporting = (tags.get('rua') ?? '').split(',').some((uri) => isReportUri(uri.trim()));
  const applied = isReporting ? 'NONE' : null;
  return { ...base, policy: applied, subdomainPolicy: applied, problem };
};
