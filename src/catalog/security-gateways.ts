/** Gateways that filter in front of somebody else's server. Whether they know its mailboxes is each customer's set-up. */
import type { ProviderRow } from './provider-row.ts';

const gateway = { kind: 'SECURITY_GATEWAY', acceptsBeforeChecking: false } as const;

export const securityGateways: readonly ProviderRow[] = [
  { ...gateway, id: 'PROOFPOINT', name: 'Proofpoint', note: '', exchanges: ['pphosted.com'] },
  { ...gateway, id: 'MIMECAST', name: 'Mimecast', note: '', exchanges: ['mimecast.com'] },
];
