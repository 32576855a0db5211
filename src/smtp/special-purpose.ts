/**
 * Where no public mail server can be: the IANA special-purpose registries (RFC 6890; IPv4 and IPv6, read 2025), the
 * multicast and site-local blocks they leave out, and two metadata services. Later rows are more specific: the
 * longest prefix that matches gives the name.
 */
export type SpecialPurpose = { readonly cidr: string; readonly range: string; readonly source: string };

const row = (cidr: string, range: string, source: string): SpecialPurpose => ({ cidr, range, source });

export const specialPurposeIpv4: readonly SpecialPurpose[] = [
  row('0.0.0.0/8', 'unspecified', 'RFC 791 §3.2'),
  row('10.0.0.0/8', 'private', 'RFC 1918'),
  row('100.64.0.0/10', 'carrierGradeNat', 'RFC 6598'),
  row('100.100.100.200/32', 'metadata', 'Alibaba Cloud instance metadata'),
  row('127.0.0.0/8', 'loopback', 'RFC 1122 §3.2.1.3'),
  row('168.63.129.16/32', 'metadata', 'Azure wire server, a public address that only the host answers'),
  row('169.254.0.0/16', 'linkLocal', 'RFC 3927'),
  row('169.254.169.254/32', 'metadata', 'instance metadata of most clouds'),
  row('172.16.0.0/12', 'private', 'RFC 1918'),
  row('192.0.0.0/24', 'ietfProtocol', 'RFC 6890 §2.1'),
  row('192.0.2.0/24', 'documentation', 'RFC 5737'),
  row('192.31.196.0/24', 'as112', 'RFC 7535'),
  row('192.52.193.0/24', 'amt', 'RFC 7450'),
  row('192.88.99.0/24', '6to4Relay', 'RFC 7526'),
  row('192.168.0.0/16', 'private', 'RFC 1918'),
  row('192.175.48.0/24', 'as112', 'RFC 7534'),
  row('198.18.0.0/15', 'benchmarking', 'RFC 2544'),
  row('198.51.100.0/24', 'documentation', 'RFC 5737'),
  row('203.0.113.0/24', 'documentation', 'RFC 5737'),
  row('224.0.0.0/4', 'multicast', 'RFC 5771'),
  row('240.0.0.0/4', 'reserved', 'RFC 1112 §4'),
  row('255.255.255.255/32', 'broadcast', 'RFC 919 §7'),
];

/** Only 2000::/3 is given out as global unicast (RFC 4291 §2.4): the first rows say so, the rest name what is known. */
export const specialPurposeIpv6: readonly SpecialPurpose[] = [
  row('::/3', 'reserved', 'RFC 4291 §2.4'),
  row('4000::/2', 'reserved', 'RFC 4291 §2.4'),
  row('8000::/1', 'reserved', 'RFC 4291 §2.4'),
  row('::/96', 'ipv4Compatible', 'RFC 4291 §2.5.5.1, deprecated'),
  row('::/128', 'unspecified', 'RFC 4291 §2.5.2'),
  row('::1/128', 'loopback', 'RFC 4291 §2.5.3'),
  row('::ffff:0:0:0/96', 'ipv4Translated', 'RFC 2765 §2.1'),
  row('64:ff9b:1::/48', 'nat64', 'RFC 8215'),
  row('100::/64', 'discard', 'RFC 6666'),
  row('100:0:0:1::/64', 'dummy', 'RFC 9780'),
  row('2001::/23', 'ietfProtocol', 'RFC 2928'),
  row('2001::/32', 'teredo', 'RFC 4380'),
  row('2001:2::/48', 'benchmarking', 'RFC 5180'),
  row('2001:3::/32', 'amt', 'RFC 7450'),
  row('2001:4:112::/48', 'as112', 'RFC 7535'),
  row('2001:10::/28', 'orchid', 'RFC 4843, deprecated'),
  row('2001:20::/28', 'orchid', 'RFC 7343'),
  row('2001:30::/28', 'droneRemoteId', 'RFC 9374'),
  row('2001:db8::/32', 'documentation', 'RFC 3849'),
  row('2002::/16', '6to4', 'RFC 7526, deprecated'),
  row('2620:4f:8000::/48', 'as112', 'RFC 7534'),
  row('3fff::/20', 'documentation', 'RFC 9637'),
  row('5f00::/16', 'segmentRouting', 'RFC 9602'),
  row('fc00::/7', 'uniqueLocal', 'RFC 4193'),
  row('fd00:ec2::254/128', 'metadata', 'AWS instance metadata'),
  row('fe80::/10', 'linkLocal', 'RFC 4291 §2.5.6'),
  row('fec0::/10', 'siteLocal', 'RFC 3879, deprecated'),
  row('ff00::/8', 'multicast', 'RFC 4291 §2.7'),
];

/**
 * Prefixes whose addresses carry an IPv4 address, and at which octet. `onWire` is what packets really go to: an
 * IPv4-mapped address is connected to as IPv4, and the well-known NAT64 prefix (RFC 6052 §2.1) is how an IPv6-only
 * network reaches IPv4, so both are judged by what they carry. The others are not reachable whatever they carry.
 */
export const ipv4Carriers = [
  { cidr: '::ffff:0:0/96', range: 'ipv4Mapped', octet: 12, isInverted: false, isJudgedByIpv4: true },
  { cidr: '64:ff9b::/96', range: 'nat64', octet: 12, isInverted: false, isJudgedByIpv4: true },
  { cidr: '::/96', range: 'ipv4Compatible', octet: 12, isInverted: false, isJudgedByIpv4: false },
  { cidr: '::ffff:0:0:0/96', range: 'ipv4Translated', octet: 12, isInverted: false, isJudgedByIpv4: false },
  { cidr: '2002::/16', range: '6to4', octet: 2, isInverted: false, isJudgedByIpv4: false },
  { cidr: '2001::/32', range: 'teredo', octet: 12, isInverted: true, isJudgedByIpv4: false },
] as const;
