/**
 * catalog: what is known of domains, providers and local parts without asking anybody.
 *
 * Says of a domain whether it is disposable, free (freemail or a mailbox that comes with an access line), known at all
 * (then a suggestion never corrects it), whose it is, and which part of it somebody registered; of an exchange, which
 * provider runs it; of a local part, whether it is a role's.
 *
 * It refuses to decide: that an address is free, disposable or a role's is a fact beside the verdict and never hides it.
 * It does no I/O and asks no clock. Knowledge is rows with their sources (`mailbox-providers.ts`, `security-gateways.ts`,
 * `hosters.ts`, `forwarders.ts`, `roles.ts`, `freemail.ts`) and packages that others keep current; to know of a new provider,
 * add a row. A provider `acceptsBeforeChecking` only where a source shows it: of a gateway it depends on each customer.
 *
 * Limits: lists are as old as their packages; look-ups cost a step for each label; the sets take 5 ms, once.
 */
export { isDisposable, isFree, isKnownDomain } from './domains.ts';
export { providerByDomain, providerByExchange, providerById, providers } from './providers.ts';
export { ownedDomain, registrableDomain } from './registrable.ts';
export { isRole } from './roles.ts';
export type * from './types.ts';
