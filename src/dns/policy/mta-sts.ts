/** Whether senders must use TLS to reach a domain, and to which exchanges (RFC 8461). */
import type { DomainName } from '../../address/index.ts';
import { readExchangeHost } from '../mail-hosts.ts';
import type { Dns } from '../types.ts';
import { readMtaStsPolicy } from './mta-sts-policy.ts';
import { fetchPolicyFile, type PolicyFileOptions } from './policy-file.ts';
import { recordName } from './record-name.ts';
import type { MtaStsPolicy, PolicyFailure } from './types.ts';

const PATH = '/.well-known/mta-sts.txt';

/**
 * The id from the TXT record, the rest from the policy file over HTTPS, which is only fetched when the record is good.
 * @returns null without a record, and with several, since senders then take it that there is none (RFC 8461 §3.1);
 * a failure when the DNS could not tell; a file that cannot be had is a policy with a `problem`
 */
export const lookupMtaSts = async (
  dns: Pick<Dns, 'lookupTxt' | 'lookupAddresses'>,
  domain: DomainName,
  options: PolicyFileOptions,
  signal: AbortSignal,
): Promise<MtaStsPolicy | PolicyFailure | null> => {
  const name = recordName('_mta-sts', domain);
  const found = name === null ? null : await dns.lookupTxt(name, signal);
  if (found?.kind === 'failure') return found;
  const records = found?.kind === 'records' ? found.records.filter(isMtaStsRecord) : [];
  const [record] = records;
  if (record === undefined || records.length > 1) return null;

  const id = readId(record);
  const without = (problem: string): MtaStsPolicy => ({
    kind: 'policy',
    id,
    mode: null,
    maxAge: null,
    mx: [],
    problem,
  });
  const host = readExchangeHost(`mta-sts.${domain}`);
  if (id === null) return without('the TXT record has no id of 1 to 32 letters and digits');
  if (host === null) return without('the policy host is no host name');
  const fetchFile = (until: AbortSignal) => fetchPolicyFile(dns, host, PATH, options, until);
  const file = await (options.memory?.recall(`${host} ${id}`, fetchFile, signal) ?? fetchFile(signal));
  if (file.kind === 'failure') return file;
  if (file.kind === 'problem') return without(file.problem);
  const read = readMtaStsPolicy(file.text);
  return read.kind === 'fault'
    ? without(`the policy file: ${read.problem}`)
    : { kind: 'policy', id, mode: read.mode, maxAge: read.maxAge, mx: read.mx, problem: null };
};

const isMtaStsRecord = (text: string): boolean => /^v=STSv1[ \t]*;/.test(text);

/** RFC 8461 §3.1: `id=` and 1 to 32 letters and digits, once. */
const readId = (record: string): string | null => {
  const ids = record.split(';').flatMap((part) => /^\s*id\s*=\s*(.*?)\s*$/.exec(part)?.[1] ?? []);
  const [id = ''] = ids;
  return ids.length === 1 && /^[a-z0-9]{1,32}$/i.test(id) ? id : null;
};
