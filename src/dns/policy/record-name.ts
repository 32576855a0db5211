import type { DomainName } from '../../address/index.ts';

/** The name that a policy of the domain stands under; null when it would be too long to exist (RFC 1035 §2.3.4). */
export const recordName = (prefix: string, domain: DomainName): DomainName | null => {
  const name = `${prefix}.${domain}`;
  return name.length <= 253 ? (name as DomainName) : null;
};
