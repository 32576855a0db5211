import { getDomain } from 'tldts';

const asMailSees = { allowPrivateDomains: true, extractHostname: false, validateHostname: false } as const;
const asRegistriesSee = { extractHostname: false, validateHostname: false } as const;

/**
 * The name that somebody registered (`example.co.uk` for `mail.example.co.uk`), by the ICANN part of the public suffix list;
 * null for a public suffix itself.
 */
export const registrableDomain = (domain: string): string | null => getDomain(domain, asRegistriesSee);

/**
 * The highest name under one owner: like `registrableDomain`, but hosts that give names below theirs to strangers
 * (`eu.org`, dynamic DNS) count as suffixes, so that one customer's deeds do not taint the others.
 */
export const ownedDomain = (domain: string): string | null => getDomain(domain, asMailSees);
