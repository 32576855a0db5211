/**
 * What is known of an address without asking anybody. A list has a thousand addresses at one domain, so what the
 * catalog and the typo suggestion say of a domain is found out once and kept for the domains met last.
 */
import { LRUCache } from 'lru-cache';
import type { DomainName, EmailAddress } from '../address/index.ts';
import { suggestDomain } from '../address/index.ts';
import type { Provider } from '../catalog/index.ts';
import {
  isDisposable,
  isFree,
  isKnownDomain,
  isRole,
  providerByDomain,
  providerByExchange,
} from '../catalog/index.ts';
import type { MailHosts } from '../dns/index.ts';
import type { AddressFacts } from '../verdict/index.ts';

/** Domains kept, about 300 octets each. The runaway: a list of millions of domains. */
const mostDomains = 10_000;

type DomainFacts = {
  /** Of a mailbox that is no role's; shared by all of the domain. */
  readonly plain: AddressFacts;
  /** The domain that was probably meant. */
  readonly meant: string | null;
  /** The same for the exchange that was first among the mail hosts the last time. */
  exchange: string | null;
  plainAtExchange: AddressFacts;
};

export type Facts = {
  /** @param hosts where the mail goes, when that is known: the first exchange's name may tell who runs the domain */
  read(address: EmailAddress, hosts?: MailHosts): AddressFacts;
  /** Are the names enough to say who runs the domain? */
  providerOf(domain: DomainName, hosts: MailHosts): Provider | null;
};

export const createFacts = (): Facts => {
  const domains = new LRUCache<DomainName, DomainFacts>({ max: mostDomains });

  const ofDomain = (domain: DomainName): DomainFacts => {
    const known = domains.get(domain);
    if (known !== undefined) return known;
    const plain: AddressFacts = {
      isRole: false,
      isFree: isFree(domain),
      isDisposable: isDisposable(domain),
      provider: providerByDomain(domain),
      suggestion: null,
    };
    const meant = suggestDomain(domain, isKnownDomain);
    const facts: DomainFacts = { plain, meant, exchange: null, plainAtExchange: plain };
    domains.set(domain, facts);
    return facts;
  };

  /** What the exchange's name tells comes after what the domain's own does. */
  const at = (facts: DomainFacts, hosts: MailHosts | undefined): AddressFacts => {
    const { plain } = facts;
    if (plain.provider !== null || hosts?.kind !== 'exchanges') return plain;
    const { host } = hosts.exchanges[0];
    if (host !== facts.exchange) {
      const provider = providerByExchange(host);
      facts.exchange = host;
      facts.plainAtExchange = provider === null ? plain : { ...plain, provider };
    }
    return facts.plainAtExchange;
  };

  return {
    read: (address, hosts) => {
      const facts = ofDomain(address.domain);
      const plain = at(facts, hosts);
      const role = isRole(address.localPart);
      if (!role && facts.meant === null) return plain;
      const suggestion = facts.meant === null ? null : `${address.localPart}@${facts.meant}`;
      return { ...plain, isRole: role, suggestion };
    },
    providerOf: (domain, hosts) => at(ofDomain(domain), hosts).provider,
  };
};
