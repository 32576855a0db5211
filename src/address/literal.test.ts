import { describe, expect, test } from 'vitest';
import { parseAddress } from './index.ts';

const read = (domain: string): string => {
  const parsed = parseAddress(`a@${domain}`);
  return parsed.kind === 'fault' ? `${parsed.fault.code} ${parsed.fault.position}` : 'address';
};

describe('domain literals', () => {
  test.each([
    '[192.0.2.1]',
    '[0.0.0.0]',
    '[001.002.003.255]',
    '[IPv6:2001:db8:0:0:0:0:0:1]',
    '[ipv6:2001:db8::1]',
    '[IPv6:::]',
    '[IPv6:::1]',
    '[IPv6:1::]',
    '[IPv6:::ffff:192.0.2.1]',
    '[IPv6:1:2:3:4:5:6:192.0.2.1]',
  ])('%s is good syntax that nobody can verify', (literal) => {
    expect(read(literal)).toBe('UNROUTABLE_DOMAIN_LITERAL 2');
  });

  test.each([
    ['[]', 3, 'nothing in it'],
    ['[192.0.2]', 3, 'three numbers'],
    ['[192.0.2.256]', 3, 'past an octet'],
    ['[192.0.2.0001]', 3, 'four digits'],
    ['[192.0.2.1.]', 3, 'a dot too many'],
    ['[2001:db8::1]', 3, 'the tag is missing'],
    ['[IPv5:1]', 3, 'no registered tag'],
    ['[-:1]', 3, 'no tag at all'],
    ['[IPv6:]', 3, 'the address is missing'],
    ['[IPv6:1:2:3:4:5:6:7]', 3, 'seven groups'],
    ['[IPv6:1:2:3:4:5:6:7:8:9]', 3, 'nine groups'],
    ['[IPv6:1:2:3:4:5:6:7::]', 3, ':: for one group (RFC 5321 §4.1.3)'],
    ['[IPv6:1::2::3]', 3, ':: twice'],
    ['[IPv6:1:::2]', 3, 'three colons'],
    ['[IPv6::1]', 3, 'a single colon in front'],
    ['[IPv6:12345::]', 3, 'five digits'],
    ['[IPv6:g::]', 3, 'no hexadecimal'],
    ['[IPv6:192.0.2.1::]', 3, 'IPv4 in front'],
    ['[192.0.2.1', 12, 'not closed'],
    ['[192.0.2.1]x', 13, 'text after it'],
    ['[192.0.2.1].com', 13, 'a domain after it'],
    ['[[192.0.2.1]', 3, 'a second bracket'],
    ['[\\192.0.2.1]', 3, 'an escape'],
    ['[é]', 3, 'outside ASCII'],
  ])('%s is bad at %i: %s', (literal, position) => {
    expect(read(literal)).toBe(`INVALID_DOMAIN_LITERAL ${position}`);
  });

  test('what may stand nowhere may not stand here either', () => {
    expect(read('[192.0.2.1\r\n]')).toBe('CONTROL_CHARACTER 12');
    expect(read('[192.0 .2.1]')).toBe('SPACE_NOT_ALLOWED 8');
    expect(read('[\u202e]')).toBe('CONTROL_CHARACTER 3');
  });

  test('the messages tell why', () => {
    const message = (domain: string) => {
      const parsed = parseAddress(`a@${domain}`);
      return parsed.kind === 'fault' ? parsed.fault.message : '';
    };
    expect(message('[192.0.2.1]')).toContain('nobody can verify it');
    expect(message('[2001:db8::1]')).toContain('must be IPv6');
    expect(message('[192.0.2.1')).toContain('not closed');
  });
});
