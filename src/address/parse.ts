import { countOctets } from './characters.ts';
import { readDomain } from './domain.ts';
import { faultAt, isFault } from './fault.ts';
import { longestInput, mostAddressOctets } from './limits.ts';
import { readDomainLiteral } from './literal.ts';
import { readLocalPart } from './local-part.ts';
import type { EmailAddress, NormalizedAddress, ParsedAddress, SyntaxFault } from './types.ts';

const BRACKET = 0x5b;

/**
 * Text to address: one pass, no backtracking, never throws. Nothing is trimmed or repaired: a space around the
 * address is a fault with its position, and a form that wants to be kind trims before it asks. Characters are judged
 * first, then lengths: of the local part, the domain, and the whole (RFC 5321 §4.5.3.1).
 */
export const parseAddress = (input: string): ParsedAddress => {
  const result = readAddress(input);
  return isFault(result) ? { kind: 'fault', input, fault: result } : { kind: 'address', address: result };
};

const readAddress = (input: string): EmailAddress | SyntaxFault => {
  if (input.length === 0) return faultAt('EMPTY', 0);
  if (input.length > longestInput) return faultAt('TOO_LONG', mostAddressOctets);
  const local = readLocalPart(input);
  if (isFault(local)) return local;
  const start = local.at + 1;
  if (input.charCodeAt(start) === BRACKET) return readDomainLiteral(input, start);
  const name = readDomain(input, start);
  if (isFault(name)) return name;
  const octets = local.isAscii ? local.text.length : countOctets(local.text);
  if (octets + 1 + name.domain.length > mostAddressOctets) {
    // In a domain of U-labels no single character is the one too many: then it is the domain that starts too late.
    const isPlain = input.length - start === name.domain.length;
    return faultAt('TOO_LONG', isPlain ? start + mostAddressOctets - octets - 1 : start);
  }
  return {
    input,
    localPart: local.text,
    domain: name.domain,
    unicodeDomain: name.unicodeDomain,
    normalized: `${local.text}@${name.domain}` as NormalizedAddress,
    requiresSmtpUtf8: !local.isAscii,
  };
};
