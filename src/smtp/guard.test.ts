import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createGuard } from './guard.ts';
import { specialPurposeIpv4, specialPurposeIpv6 } from './special-purpose.ts';

const guard = createGuard([]);

/** Edges of blocks, their neighbours outside, and every way to carry an IPv4 address. */
const rows: readonly [ip: string, range: string][] = [
  ['8.8.8.8', 'global'],
  ['1.0.0.0', 'global'],
  ['0.0.0.0', 'unspecified'],
  ['0.255.255.255', 'unspecified'],
  ['9.255.255.255', 'global'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'global'],
  ['100.63.255.255', 'global'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['100.127.255.255', 'carrierGradeNat'],
  ['100.128.0.0', 'global'],
  ['100.100.100.200', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['168.63.129.17', 'global'],
  ['169.254.0.1', 'linkLocal'],
  ['169.254.169.254', 'metadata'],
  ['172.15.255.255', 'global'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'global'],
  ['192.0.0.9', 'ietfProtocol'],
  ['192.0.0.170', 'ietfProtocol'],
  ['192.0.1.0', 'global'],
  ['192.0.2.1', 'documentation'],
  ['192.31.196.1', 'as112'],
  ['192.52.193.1', 'amt'],
  ['192.88.99.1', '6to4Relay'],
  ['192.168.0.1', 'private'],
  ['192.169.0.0', 'global'],
  ['192.175.48.1', 'as112'],
  ['198.17.255.255', 'global'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.20.0.0', 'global'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.255', 'documentation'],
  ['223.255.255.255', 'global'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['2606:4700:4700::1111', 'global'],
  ['2a00:1450:4001:80e::1a', 'global'],
  ['2001:200::1', 'global'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', 'ipv4Compatible:unspecified'],
  ['::127.0.0.1', 'ipv4Compatible:loopback'],
  ['::8.8.8.8', 'ipv4Compatible'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::ffff:8.8.8.8', 'global'],
  ['::ffff:0:10.0.0.1', 'ipv4Translated:private'],
  ['64:ff9b::8.8.8.8', 'global'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b:1::8.8.8.8', 'nat64'],
  ['100::1', 'discard'],
  ['100:0:0:1::1', 'dummy'],
  ['2001::1', 'teredo:reserved'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'teredo:documentation'],
  ['2001:0:4136:e378:8000:63bf:f7f7:f7f7', 'teredo'],
  ['2001:1::1', 'ietfProtocol'],
  ['2001:2::1', 'benchmarking'],
  ['2001:3::1', 'amt'],
  ['2001:4:112::1', 'as112'],
  ['2001:10::1', 'orchid'],
  ['2001:2f::1', 'orchid'],
  ['2001:30::1', 'droneRemoteId'],
  ['2001:db8::1', 'documentation'],
  ['2002:7f00:1::', '6to4:loopback'],
  ['2002:808:808::1', '6to4'],
  ['2620:4f:8000::1', 'as112'],
  ['3fff::1', 'documentation'],
  ['3fff:1000::1', 'global'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'segmentRouting'],
  ['fc00::1', 'uniqueLocal'],
  ['fdff::1', 'uniqueLocal'],
  ['fd00:ec2::254', 'metadata'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['febf::1', 'linkLocal'],
  ['fec0::1', 'siteLocal'],
  ['ff02::1', 'multicast'],
  ['', 'notAnAddress'],
  ['localhost', 'notAnAddress'],
  ['127.1', 'notAnAddress'],
  ['0x7f.0.0.1', 'notAnAddress'],
  ['017700000001', 'notAnAddress'],
  ['2130706433', 'notAnAddress'],
  ['127.0.0.1\n', 'notAnAddress'],
];

describe('createGuard', () => {
  it.each(rows)('%s is %s', (ip, range) => {
    expect(guard.classifyAddress(ip)).toEqual({ isRoutable: range === 'global', range });
  });

  it.each([...specialPurposeIpv4, ...specialPurposeIpv6])(
    'the first address of $cidr is not routable',
    ({ cidr }) => {
      const [ip = ''] = cidr.split('/');
      expect(isIP(ip)).not.toBe(0);
      expect(guard.classifyAddress(ip).isRoutable).toBe(false);
    },
  );

  it.each<[allowed: string, ip: string, isRoutable: boolean]>([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.0/8', '10.0.0.1', false],
    ['127.0.0.0/8', '::1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['10.0.0.0/8', '64:ff9b::10.1.2.3', true],
    ['10.0.0.0/8', '2002:a01:203::1', false],
    ['::1/128', '::1', true],
    ['fd00::/8', 'fd00::1', true],
    ['2002::/16', '2002:a01:203::1', true],
  ])('allowing %s, is %s routable: %s', (allowed, ip, isRoutable) => {
    expect(createGuard([allowed]).classifyAddress(ip).isRoutable).toBe(isRoutable);
  });

  it('keeps the name of an allowed range', () => {
    expect(createGuard(['127.0.0.0/8']).classifyAddress('127.0.0.1')).toEqual({
      isRoutable: true,
      range: 'loopback',
    });
  });

  it('throws for a setting that is no CIDR', () => {
    expect(() => createGuard(['example.com'])).toThrow();
  });
});
