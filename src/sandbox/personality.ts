/** One row of the table of personalities: who it is, how it behaves, where it is found, and whom to ask about. */
import type { ZoneEntry, Zones } from './dns-server.ts';
import type { LibraryManners } from './library-server.ts';
import type { Script } from './script.ts';
import type { Expectation } from './types.ts';

export type Personality = {
  /** Also its domain, `name.test` (RFC 6761 §6.2), unless `zones` says otherwise. */
  readonly name: string;
  /** One sentence for a person who tries it: what happens there. */
  readonly about: string;
  /** Has an address of its own, and is greeted by `mx.name.test`. Without one it is a matter of DNS alone. */
  readonly server?: { readonly script: Script } | { readonly library: LibraryManners };
  /** Listens on `::1`, where there is one, and not on an IPv4 address. */
  readonly isIpv6?: boolean;
  /** Instead of the one MX record. `ipOf` gives the address of a personality's server. */
  readonly zones?: (ipOf: (name: string) => string) => Zones;
  readonly examples: readonly Example[];
};

/** `address` is `local part` at the personality's own domain, or a whole address. */
type Example = {
  readonly address: string;
  readonly expected: Expectation;
  /** Default: what is said of the personality. */
  readonly about?: string;
};

/** An address of the sandbox's range where nothing listens. */
export const NOBODY_HOME = '127.26.255.1';

export const mx = (...exchanges: readonly string[]): Pick<ZoneEntry, 'mx'> => ({
  mx: exchanges.map((exchange, index) => ({ preference: 10 * (index + 1), exchange })),
});

const expectation =
  (status: Expectation['status']) =>
  (reason: string): Expectation => ({ status, reason });

export const deliverable = expectation('DELIVERABLE');
export const risky = expectation('RISKY');
export const undeliverable = expectation('UNDELIVERABLE');
export const unknown = expectation('UNKNOWN');

export const exists = deliverable('MAILBOX_EXISTS');
export const notFound = undeliverable('MAILBOX_NOT_FOUND');
