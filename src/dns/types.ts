import type { DomainName, ExchangeHost } from '../address/index.ts';

/**
 * Why a question got no usable answer. None of these says anything about the domain, so none of them may
 * become "undeliverable". OVERLOADED is our own ceiling on outstanding queries.
 */
export type DnsFailure =
  | 'SERVFAIL'
  | 'TIMEOUT'
  | 'REFUSED'
  | 'BAD_ANSWER'
  | 'NO_RESOLVER'
  | 'OVERLOADED'
  | 'ABORTED';

export type MailExchange = { readonly host: ExchangeHost; readonly preference: number };

/** Where mail for a domain goes (RFC 5321 §5.1, RFC 7505). Addresses of the exchanges are asked for separately. */
export type MailHosts =
  | {
      readonly kind: 'exchanges';
      readonly domain: DomainName;
      /** By preference, equal ones shuffled; at most 10. */
      readonly exchanges: readonly [MailExchange, ...MailExchange[]];
      /** No MX record, but an A or AAAA: the domain is its own exchange (RFC 5321 §5.1). */
      readonly isImplicit: boolean;
    }
  | { readonly kind: 'nullMx'; readonly domain: DomainName }
  | { readonly kind: 'domainNotFound'; readonly domain: DomainName }
  | { readonly kind: 'noMailHost'; readonly domain: DomainName }
  | { readonly kind: 'failure'; readonly domain: DomainName; readonly failure: DnsFailure };

/** The addresses of one exchange, at most 4, IPv4 and IPv6. */
export type HostAddresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly [HostAddress, ...HostAddress[]] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failure'; readonly failure: DnsFailure };

export type HostAddress = { readonly ip: string; readonly family: 4 | 6 };

/** TXT records of one name, each with its strings joined (RFC 7208 §3.3). */
export type TxtRecords =
  | { readonly kind: 'records'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failure'; readonly failure: DnsFailure };

/** Names of one address, by PTR. */
export type HostNames =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failure'; readonly failure: DnsFailure };

/** The resolver that the other rooms see. Answers are cached by TTL; equal questions in flight are asked once. */
export type Dns = {
  lookupMailHosts(domain: DomainName, signal: AbortSignal): Promise<MailHosts>;
  lookupAddresses(host: ExchangeHost, signal: AbortSignal): Promise<HostAddresses>;
  lookupTxt(name: DomainName, signal: AbortSignal): Promise<TxtRecords>;
  lookupNames(ip: string, signal: AbortSignal): Promise<HostNames>;
  /** Questions that went over the wire since start; a test holds operations to it. */
  readonly queriesSent: number;
  close(): void;
};
