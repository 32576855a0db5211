/**
 * catalog: what is known of domains and providers, without asking the network.
 */
export { isDisposable, isFree, isKnownDomain } from './domains.ts';
export { providerByDomain, providerByExchange, providerById, providers } from './providers.ts';
export { registrableDomain } from './registrable.ts';
export { isRole } from './roles.ts';
export type * from './types.ts';
