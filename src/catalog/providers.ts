/** The providers' look-up: by id, by a mailbox domain, by the name of an exchange. */
import type { DomainName, ExchangeHost } from '../address/index.ts';
import type { ProviderRow } from './provider-row.ts';
import { providerRows } from './provider-rows.ts';
import type { Provider } from './types.ts';

/** Every provider that the catalog knows. */
export const providers: readonly Provider[] = providerRows;

const rowById = new Map(providerRows.map((row) => [row.id, row] as const));
const rowByDomain = new Map(
  providerRows.flatMap((row) => (row.domains ?? []).map((domain) => [domain, row] as const)),
);
const rowByExchange = new Map(
  providerRows.flatMap((row) => row.exchanges.map((name) => [name, row] as const)),
);

/** The provider of that id, or null. */
export const providerById = (id: string): Provider | null => rowById.get(id) ?? null;

/** The row that gives the public mailboxes in exactly this domain, or null. */
export const rowOfDomain = (domain: string): ProviderRow | null => rowByDomain.get(domain) ?? null;

/** Who gives mailboxes in this domain, from its name alone: null for domains of firms, whose MX has to be asked. */
export const providerByDomain = (domain: DomainName): Provider | null => rowOfDomain(domain);

/** First labels of the names that have a `*` in second place, so that other names need no second look-up. */
const wildcardHeads = new Set(
  [...rowByExchange.keys()]
    .filter((name) => name.includes('*'))
    .map((name) => name.slice(0, name.indexOf('.'))),
);

const rowOfExchange = (name: string): ProviderRow | undefined => {
  const row = rowByExchange.get(name);
  if (row !== undefined || !wildcardHeads.has(name.slice(0, name.indexOf('.')))) return row;
  const [head, , ...rest] = name.split('.');
  return rowByExchange.get([head, '*', ...rest].join('.'));
};

/** Whose exchange this is, by the longest name of the table that it equals or lies below; null when nobody's we know. */
export const providerByExchange = (host: ExchangeHost | string): Provider | null => {
  let name = host.toLowerCase();
  if (name.endsWith('.')) name = name.slice(0, -1);
  for (;;) {
    const row = rowOfExchange(name);
    if (row !== undefined) return row;
    const dot = name.indexOf('.');
    if (dot < 0) return null;
    name = name.slice(dot + 1);
  }
};
