/**
 * Where a client is, for limits alone. The peer of the connection says so, unless it is a proxy that the operator trusts
 * (RCPT_TRUSTED_PROXIES): then whoever the last trusted proxy saw. What stands further left in X-Forwarded-For any client
 * may have written.
 */
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

/** Of a request that came by a port; empty for another one. */
export type ReadClientIp = (request: Pick<IncomingMessage, 'socket' | 'headers'> | undefined) => string;

type Range = ReturnType<typeof ipaddr.parseCIDR>;

/** A household or a server has a /64 of IPv6 to itself: its addresses are one client. */
const prefixBits = 64;

const parse = (text: string): ipaddr.IPv4 | ipaddr.IPv6 | null => {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
};

const print = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
  address instanceof ipaddr.IPv6
    ? `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${prefixBits}`).toString()}/${prefixBits}`
    : address.toString();

/** @param trusted CIDRs */
export const createClientIps = (trusted: readonly string[]): ReadClientIp => {
  const ranges: readonly Range[] = trusted.map((cidr) => ipaddr.parseCIDR(cidr));
  const isTrusted = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
    ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range as never, bits));
  return (request) => {
    let client = parse(request?.socket.remoteAddress ?? '');
    if (client === null) return '';
    // Node joins the header when it is there more than once.
    const hops = String(request?.headers['x-forwarded-for'] ?? '').split(',');
    while (isTrusted(client)) {
      const before = parse(hops.pop() ?? '');
      if (before === null) break;
      client = before;
    }
    return print(client);
  };
};
