/**
 * Which domains are disposable, free, known. The two lists come from packages kept by others (8,883 and 14,125 names);
 * their sets are built when first asked for, in about 3 and 2 ms.
 *
 * Precedence: what the provider tables say of a domain is said. Else disposable beats free, since 8,900 names of the free
 * list are disposable as well. What is left of the free list must pass `isFreemail`.
 */
import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';
import freeEmailDomains from 'free-email-domains';
import type { DomainName } from '../address/index.ts';
import { isFreemail } from './freemail.ts';
import { rowOfDomain } from './providers.ts';
import { ownedDomain } from './registrable.ts';

let disposableDomains: ReadonlySet<string> | null = null;
let freeDomains: ReadonlySet<string> | null = null;

/**
 * Does it give throwaway mailboxes? So does every name below such a domain, but not a stranger's name beside it where a
 * host gives away names (`eu.org`, dynamic DNS).
 */
export const isDisposable = (domain: DomainName): boolean => {
  if (rowOfDomain(domain) !== null) return false;
  disposableDomains ??= disposableEmailBlocklistSet();
  const owned = ownedDomain(domain) ?? domain;
  let name: string = domain;
  while (!disposableDomains.has(name)) {
    if (name.length <= owned.length) return false;
    name = name.slice(name.indexOf('.') + 1);
  }
  return true;
};

/**
 * Is it freemail: does whoever likes, or has the access line, get a mailbox there without paying for the mailbox? Such a
 * domain names no employer. Exact: names below it are not.
 */
export const isFree = (domain: DomainName): boolean => {
  const row = rowOfDomain(domain);
  if (row !== null) return row.kind === 'MAILBOX_PROVIDER' && row.isPaid !== true;
  freeDomains ??= new Set(freeEmailDomains);
  return freeDomains.has(domain) && isFreemail(domain) && !isDisposable(domain);
};

/**
 * Do people have mailboxes there, so that it is no typing mistake? Disposable domains are not known in this sense: many of
 * them are the mistakes (`gmial.com`), registered to catch the mail.
 */
export const isKnownDomain = (domain: DomainName): boolean => rowOfDomain(domain) !== null || isFree(domain);
