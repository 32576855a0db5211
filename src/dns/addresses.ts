/** The addresses of one host, from its A and its AAAA answer. */
import ipaddr from 'ipaddr.js';
import type { HostAddress, HostAddresses } from './types.ts';
import { type DnsAnswer, moreTelling } from './wire.ts';

/** Addresses that one exchange is tried at: more would spend a verification's time on one dead host. */
const ADDRESS_CEILING = 4;

/**
 * One family's answer is enough. When neither has an address, a failure on either side outweighs the other's
 * "none", except beside NXDOMAIN, which speaks for every type (RFC 8020 §2).
 *
 * Order: as each answer gave it (RFC 5321 §5.1: the resolver may have sorted), the families alternating, IPv4 first.
 * Alternating, so that a machine without a route for one family loses one attempt, not four. IPv4 first, against
 * RFC 8305 §4, because a prober's IPv6 address rarely has the PTR that large exchanges insist on over IPv6, and
 * their refusal would be about us.
 */
export const mergeAddresses = (ipv4: DnsAnswer, ipv6: DnsAnswer): HostAddresses => {
  const four = addressesOf(ipv4, 4);
  const six = addressesOf(ipv6, 6);
  const [first, ...others] = Array.from({ length: Math.max(four.length, six.length) }, (_, index) => [
    ...four.slice(index, index + 1),
    ...six.slice(index, index + 1),
  ]).flat();
  if (first) return { kind: 'addresses', addresses: [first, ...others.slice(0, ADDRESS_CEILING - 1)] };
  if (ipv4.kind === 'nxdomain' || ipv6.kind === 'nxdomain') return { kind: 'none' };
  if (ipv4.kind === 'failure' && ipv6.kind === 'failure')
    return { kind: 'failure', failure: moreTelling(ipv4.failure, ipv6.failure) };
  return ipv4.kind === 'failure' ? ipv4 : ipv6.kind === 'failure' ? ipv6 : { kind: 'none' };
};

const addressesOf = (answer: DnsAnswer, family: 4 | 6): HostAddress[] =>
  answer.kind === 'records'
    ? [...new Set(answer.records.map(({ text }) => text))].map((ip) => ({ ip, family }))
    : [];

/** The name that an address's PTR stands under (RFC 1035 §3.5, RFC 3596 §2.5); null for what is no address. */
export const reverseNameOf = (ip: string): string | null => {
  if (!ipaddr.isValid(ip)) return null;
  const octets = ipaddr.parse(ip).toByteArray();
  if (octets.length === 4) return `${octets.reverse().join('.')}.in-addr.arpa`;
  const digits = octets.map((octet) => octet.toString(16).padStart(2, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
};
