/** What was probably meant, when a domain looks mistyped. */
import { countEdits } from './distance.ts';
import type { DomainName, EmailAddress } from './types.ts';
import { wellKnownDomains } from './well-known.ts';

/**
 * The address that was probably meant, or null. A domain that `isKnownDomain` knows is never corrected.
 */
export const suggestAddress = (
  address: EmailAddress,
  isKnownDomain: (domain: DomainName) => boolean,
): string | null => {
  const { domain, localPart } = address;
  if (isKnownDomain(domain)) return null;
  const near = wellKnownDomains.find((known) => countEdits(domain, known, 1) === 1);
  return near === undefined ? null : `${localPart}@${near}`;
};
