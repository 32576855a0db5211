/** Where a domain wants reports about failed TLS (RFC 8460 §3). */
import type { DomainName } from '../../address/index.ts';
import type { Dns } from '../types.ts';
import { recordName } from './record-name.ts';
import type { PolicyFailure, TlsRptPolicy } from './types.ts';

/** @returns null without a record, and with several, since senders then take it that there is none (RFC 8460 §3) */
export const lookupTlsRpt = async (
  dns: Pick<Dns, 'lookupTxt'>,
  domain: DomainName,
  signal: AbortSignal,
): Promise<TlsRptPolicy | PolicyFailure | null> => {
  const name = recordName('_smtp._tls', domain);
  const found = name === null ? null : await dns.lookupTxt(name, signal);
  if (found?.kind === 'failure') return found;
  const records = found?.kind === 'records' ? found.records.filter(isTlsRptRecord) : [];
  const [record] = records;
  return record === undefined || records.length > 1 ? null : { kind: 'policy', record };
};

const isTlsRptRecord = (text: string): boolean => /^v=TLSRPTv1[ \t]*;/.test(text);
