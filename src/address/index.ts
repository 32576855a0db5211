/**
 * address: text to EmailAddress, and what can be said of an address without asking anybody.
 *
 * Reads mailboxes by SMTP's grammar (RFC 5321 §4.1.2) with UTF-8 local parts (RFC 6531 §3.3) and internationalized
 * domains (UTS #46, non-transitional); counts lengths in octets; names the first fault with its code and position.
 * Prints the normal form (the key of an address), the canonical mailbox behind it by its provider's rules, its tag,
 * and a suggestion when the domain looks mistyped.
 *
 * It refuses: to throw, to backtrack, to trim or repair; comments, folding and obsolete forms, which are of message
 * headers (RFC 5322); domain literals and names of one label, which nobody can verify on the public internet;
 * characters that nobody can see. It does no I/O and asks no clock. What it knows of domains is in tables here
 * (`canonical-rules.ts`, `well-known.ts`); what the world knows of them is in catalog/, which it may not import.
 *
 * A form that wants to be kind trims what a person typed before it asks: a space around the address is a fault here.
 *
 * Limits: local part 64 octets, label 63, domain 253 in A-label form, 254 in all; a text of more than 512 UTF-16 code
 * units is refused unread, so ten megabytes cost as much as ten letters.
 */
export { printCanonical, readTag } from './canonical.ts';
export { canonicalRules } from './canonical-rules.ts';
export { parseDomain, parseExchangeHost } from './domain.ts';
export { parseAddress } from './parse.ts';
export { suggestAddress, suggestDomain } from './suggest.ts';
export type * from './types.ts';
