/**
 * Which addresses may be connected to. A domain's owner writes its MX and A records, so without this anybody could
 * make us speak to the loopback, a private network or a metadata service (SSRF). The answer is for one address, and
 * the connection goes to that address and never to a name that is resolved again.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  ipv4Carriers,
  type SpecialPurpose,
  specialPurposeIpv4,
  specialPurposeIpv6,
} from './special-purpose.ts';

export type AddressClass = {
  readonly isRoutable: boolean;
  /** `global`, or the special-purpose block: `loopback`, `private`, `linkLocal`, `metadata` … */
  readonly range: string;
};

export type Guard = {
  /** Never throws: what is no address is not routable. */
  classifyAddress(ip: string): AddressClass;
};

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Block = { readonly network: Address; readonly prefix: number };

const parseBlock = (cidr: string): Block => {
  const [network, prefix] = ipaddr.parseCIDR(cidr);
  return { network, prefix };
};

const contains = ({ network, prefix }: Block, address: Address): boolean =>
  network.kind() === address.kind() && address.match(network, prefix);

const sortLongestFirst = (rows: readonly SpecialPurpose[]) =>
  rows
    .map(({ cidr, range }) => ({ block: parseBlock(cidr), range }))
    .sort((a, b) => b.block.prefix - a.block.prefix);

const special = { ipv4: sortLongestFirst(specialPurposeIpv4), ipv6: sortLongestFirst(specialPurposeIpv6) };
const carriers = ipv4Carriers.map((carrier) => ({ ...carrier, block: parseBlock(carrier.cidr) }));

/**
 * The dotted tail of an IPv6 address as hexadecimal groups: ipaddr.js reads `::10.0.0.1` as IPv4-mapped, the kernel
 * does not, and what is judged must be what is connected to.
 */
const printGroups = (ip: string): string =>
  ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)(?=%|$)/, (_dotted, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );

const parseIp = (ip: string): Address => ipaddr.parse(isIP(ip) === 6 ? printGroups(ip) : ip);

const findRange = (address: Address): string =>
  special[address.kind()].find(({ block }) => contains(block, address))?.range ?? 'global';

const readCarried = (address: Address, octet: number, isInverted: boolean): ipaddr.IPv4 =>
  new ipaddr.IPv4(
    address
      .toByteArray()
      .slice(octet, octet + 4)
      .map((value) => (isInverted ? value ^ 0xff : value)),
  );

/**
 * @param allowHosts CIDRs that are exempt, whatever they are (RCPT_ALLOW_HOSTS). An allowed IPv4 block also allows
 *   the IPv6 addresses that are connected to as IPv4.
 * @throws when one of them is no CIDR: that is a setting, checked at start
 */
export const createGuard = (allowHosts: readonly string[]): Guard => {
  const allowed = allowHosts.map((host) =>
    parseBlock(host.includes('/') ? host : `${host}/${isIP(host) === 6 ? 128 : 32}`),
  );
  const isAllowed = (address: Address): boolean => allowed.some((block) => contains(block, address));

  const classify = (address: Address): AddressClass => {
    const carrier = carriers.find(({ block }) => contains(block, address));
    if (!carrier || isAllowed(address)) {
      const range = findRange(address);
      return { isRoutable: range === 'global' || isAllowed(address), range };
    }
    const named = findRange(address);
    // `::` and `::1` lie in the deprecated ::/96 and have names of their own.
    if (named === 'unspecified' || named === 'loopback') return { isRoutable: false, range: named };
    const carried = classify(readCarried(address, carrier.octet, carrier.isInverted));
    if (carrier.isJudgedByIpv4) return carried;
    return {
      isRoutable: false,
      range: carried.range === 'global' ? carrier.range : `${carrier.range}:${carried.range}`,
    };
  };

  return {
    classifyAddress: (ip) =>
      isIP(ip) === 0 ? { isRoutable: false, range: 'notAnAddress' } : classify(parseIp(ip)),
  };
};
