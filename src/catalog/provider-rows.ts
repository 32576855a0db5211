import { forwarders } from './forwarders.ts';
import { hosters } from './hosters.ts';
import { mailboxProviders } from './mailbox-providers.ts';
import type { ProviderRow } from './provider-row.ts';
import { securityGateways } from './security-gateways.ts';

/** All rows of the four tables, with what only the catalog needs of them: exchanges and domains. */
export const providerRows: readonly ProviderRow[] = [
  ...mailboxProviders,
  ...securityGateways,
  ...hosters,
  ...forwarders,
];
