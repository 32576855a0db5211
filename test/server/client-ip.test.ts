import { describe, expect, test } from 'vitest';
import { createClientIps } from '../../src/server/client-ip.ts';

const trusted = createClientIps(['10.0.0.0/8', '127.0.0.1/32', 'fd00::/8']);
const from = (remoteAddress: string | undefined, forwarded: string | null = null) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === null ? {} : { 'x-forwarded-for': forwarded },
  }) as never;

describe('where a client is', () => {
  test.each([
    ['the peer', '192.0.2.1', null, '192.0.2.1'],
    ['a peer that nobody trusts says what it likes', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['behind a proxy', '10.1.1.1', '198.51.100.1', '198.51.100.1'],
    ['behind two', '127.0.0.1', '198.51.100.1, 10.2.2.2', '198.51.100.1'],
    [
      'what stands left of the client is its own word',
      '10.1.1.1',
      '203.0.113.7, 198.51.100.1',
      '198.51.100.1',
    ],
    ['a proxy that says nothing', '10.1.1.1', null, '10.1.1.1'],
    ['a proxy that says nonsense', '10.1.1.1', 'unknown', '10.1.1.1'],
    ['nonsense before a proxy', '10.1.1.1', 'x, 10.2.2.2', '10.2.2.2'],
    ['nothing but proxies', '10.1.1.1', '10.2.2.2', '10.2.2.2'],
    ['with a port', '10.1.1.1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv4 in IPv6', '::ffff:192.0.2.1', null, '192.0.2.1'],
    ['a proxy as IPv4 in IPv6', '::ffff:10.1.1.1', '198.51.100.1', '198.51.100.1'],
    ['a /64 is one client', '2001:db8:1:2:3:4:5:6', null, '2001:db8:1:2::/64'],
    ['in brackets', 'fd00::1', '[2001:db8::1]:443', '2001:db8::/64'],
    ['a socket that is gone', undefined, '198.51.100.1', ''],
  ])('%s', (_name, peer, forwarded, client) => {
    expect(trusted(from(peer, forwarded))).toBe(client);
  });

  test('without a port there is none', () => {
    expect(trusted(undefined)).toBe('');
  });

  test('nobody is believed unless named', () => {
    expect(createClientIps([])(from('127.0.0.1', '198.51.100.1'))).toBe('127.0.0.1');
  });
});
