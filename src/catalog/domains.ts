/** Which domains are disposable, free, known. The lists are loaded when first asked for. */
import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';
import freeEmailDomains from 'free-email-domains';
import type { DomainName } from '../address/index.ts';
import { rowOfDomain } from './providers.ts';
import { ownedDomain } from './registrable.ts';

let disposable: ReadonlySet<string> | null = null;
let free: ReadonlySet<string> | null = null;

/** Is it of a service that gives throwaway mailboxes? Names below such a domain count too. */
export const isDisposable = (domain: DomainName): boolean => {
  if (rowOfDomain(domain) !== null) return false;
  disposable ??= disposableEmailBlocklistSet();
  if (disposable.has(domain)) return true;
  const owned = ownedDomain(domain);
  return owned !== null && owned !== domain && disposable.has(owned);
};

/** Does it give mailboxes to the public for nothing? */
export const isFree = (domain: DomainName): boolean => {
  const row = rowOfDomain(domain);
  if (row !== null) return row.isPaid !== true;
  free ??= new Set(freeEmailDomains);
  return free.has(domain) && !isDisposable(domain);
};

/** Is it a mail domain that people have, so that it is no typing mistake? */
export const isKnownDomain = (domain: DomainName): boolean => rowOfDomain(domain) !== null || isFree(domain);
