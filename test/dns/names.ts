import type { DomainName, ExchangeHost } from '../../src/address/index.ts';

/** What tests write down is known to be a name. */
export const domain = (name: string): DomainName => name as DomainName;
export const host = (name: string): ExchangeHost => name as ExchangeHost;
