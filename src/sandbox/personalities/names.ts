/** What a domain's own records can do to mail, before any server is spoken to. */
import { exists, mx, NOBODY_HOME, type Personality, undeliverable, unknown } from '../personality.ts';

const unroutable = undeliverable('UNROUTABLE_MAIL_HOST');
const dnsFailure = unknown('DNS_FAILURE');
const noMailHost = undeliverable('NO_MAIL_HOST');

/** One host for a domain, at an address that is nobody's mail server on the internet. */
const mxAt =
  (domain: string, ip: string): NonNullable<Personality['zones']> =>
  () => ({ [domain]: mx(`mx.${domain}`), [`mx.${domain}`]: ip.includes(':') ? { aaaa: [ip] } : { a: [ip] } });

/** An MX record of preference 10 whose exchange is these octets. */
const mxData = (name: string): Uint8Array => Buffer.from(`\x00\x0a${name}`, 'latin1');

export const names: readonly Personality[] = [
  {
    name: 'nxdomain',
    about: 'The domain does not exist.',
    zones: () => ({}),
    examples: [
      { address: 'user1', expected: undeliverable('DOMAIN_NOT_FOUND') },
      {
        address: 'user1@gmial.com',
        about: 'A typo of a well-known domain: it does not exist, and the suggestion says what was meant.',
        expected: undeliverable('DOMAIN_NOT_FOUND'),
      },
    ],
  },
  {
    name: 'null-mx',
    about: 'Declares that it takes no mail: MX 0 . (RFC 7505).',
    zones: () => ({ 'null-mx.test': { mx: [{ preference: 0, exchange: '.' }], a: ['192.0.2.1'] } }),
    examples: [{ address: 'user1', expected: undeliverable('NULL_MX') }],
  },
  {
    name: 'no-mail-host',
    about: 'The domain exists and has neither MX nor address.',
    zones: () => ({ 'no-mail-host.test': { txt: ['nothing else here'] } }),
    examples: [{ address: 'user1', expected: noMailHost }],
  },
  {
    name: 'mx-without-address',
    about: 'Its MX names a host that has no address.',
    zones: () => ({
      'mx-without-address.test': mx('mx.mx-without-address.test', 'gone.mx-without-address.test'),
    }),
    examples: [{ address: 'user1', expected: noMailHost }],
  },
  {
    name: 'implicit-mx',
    about: 'Has an address and no MX: the domain is its own exchange (RFC 5321 §5.1).',
    server: { library: {} },
    zones: (ipOf) => ({ 'implicit-mx.test': { a: [ipOf('implicit-mx')] } }),
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'dead-first-mx',
    about: 'Nothing listens at the first exchange; the second answers.',
    server: { script: {} },
    zones: (ipOf) => ({
      'dead-first-mx.test': mx('mx1.dead-first-mx.test', 'mx2.dead-first-mx.test'),
      'mx1.dead-first-mx.test': { a: [NOBODY_HOME] },
      'mx2.dead-first-mx.test': { a: [ipOf('dead-first-mx')] },
    }),
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'all-mx-dead',
    about: 'Nothing listens at any of its exchanges.',
    zones: () => ({
      'all-mx-dead.test': mx('mx1.all-mx-dead.test', 'mx2.all-mx-dead.test'),
      'mx1.all-mx-dead.test': { a: [NOBODY_HOME] },
      'mx2.all-mx-dead.test': { a: ['127.26.255.2'] },
    }),
    examples: [{ address: 'user1', expected: unknown('HOST_UNREACHABLE') }],
  },
  {
    name: 'mx-to-loopback',
    about: 'Its MX leads to 127.0.0.1: an attempt to make us talk to ourselves. We never connect.',
    zones: mxAt('mx-to-loopback.test', '127.0.0.1'),
    examples: [{ address: 'user1', expected: unroutable }],
  },
  {
    name: 'mx-to-private',
    about: 'Its MX leads into a private network, 10.0.0.1. We never connect.',
    zones: mxAt('mx-to-private.test', '10.0.0.1'),
    examples: [{ address: 'user1', expected: unroutable }],
  },
  {
    name: 'mx-to-metadata',
    about: "Its MX leads to a cloud's metadata service, 169.254.169.254. We never connect.",
    zones: mxAt('mx-to-metadata.test', '169.254.169.254'),
    examples: [{ address: 'user1', expected: unroutable }],
  },
  {
    name: 'mx-to-mapped',
    about: 'The private network again, written as an IPv6 address: ::ffff:10.0.0.1. We never connect.',
    zones: mxAt('mx-to-mapped.test', '::ffff:10.0.0.1'),
    examples: [{ address: 'user1', expected: unroutable }],
  },
  {
    name: 'servfail',
    about: "The zone's name servers fail: SERVFAIL.",
    zones: () => ({ 'servfail.test': { behaviour: 'SERVFAIL' } }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'dns-refused',
    about: 'The name server refuses the question: REFUSED.',
    zones: () => ({ 'dns-refused.test': { behaviour: 'REFUSED' } }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'dns-timeout',
    about: 'The name server never answers for this domain.',
    zones: () => ({ 'dns-timeout.test': { behaviour: 'SILENCE' } }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'dns-garbage',
    about: 'The name server answers with what is no DNS message.',
    zones: () => ({ 'dns-garbage.test': { behaviour: 'GARBAGE' } }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'thousand-mx',
    about: 'Has a thousand MX records, and nothing listens at any: only the first ten are tried.',
    zones: () => ({
      'thousand-mx.test': {
        mx: Array.from({ length: 1_000 }, (_, index) => ({
          preference: index,
          exchange: `m${index}.thousand-mx.test`,
        })),
      },
      '*.thousand-mx.test': { a: [NOBODY_HOME] },
    }),
    examples: [{ address: 'user1', expected: unknown('HOST_UNREACHABLE') }],
  },
  {
    name: 'mx-loop',
    about: 'Its exchange is a CNAME that leads back to itself through another.',
    zones: () => ({
      'mx-loop.test': mx('mx.mx-loop.test'),
      'mx.mx-loop.test': { cname: 'xm.mx-loop.test' },
      'xm.mx-loop.test': { cname: 'mx.mx-loop.test' },
    }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'cname-loop',
    about: 'The domain is a CNAME that leads back to itself through another.',
    zones: () => ({
      'cname-loop.test': { cname: 'again.cname-loop.test' },
      'again.cname-loop.test': { cname: 'cname-loop.test' },
    }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'mx-with-nul',
    about: 'Its MX names a host with NUL in its name: no host at all.',
    zones: () => ({ 'mx-with-nul.test': { rawMx: [mxData('\x05mx\x00nl\x04test\x00')] } }),
    examples: [{ address: 'user1', expected: noMailHost }],
  },
  {
    name: 'mx-with-long-label',
    about: 'Its MX names a host with a label of 255 octets, where 63 are the most (RFC 1035 §3.1).',
    zones: () => ({ 'mx-with-long-label.test': { rawMx: [mxData(`\xff${'x'.repeat(255)}\x00`)] } }),
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'mx-pointing-at-itself',
    about: 'The name in its MX is a compression pointer to itself (RFC 1035 §4.1.4).',
    // Behind the header, the question, the owner's name, type, class, life, length and preference.
    zones: () => {
      const owner = 'mx-pointing-at-itself.test';
      const at = 12 + (owner.length + 2) * 2 + 4 + 10 + 2;
      return { [owner]: { rawMx: [mxData(String.fromCharCode(0xc0 | (at >> 8), at & 255))] } };
    },
    examples: [{ address: 'user1', expected: dnsFailure }],
  },
  {
    name: 'aliased',
    about:
      'Domain and exchange are CNAMEs: the first is followed (RFC 5321 §5.1), the second ought not to be there.',
    zones: (ipOf) => ({
      'aliased.test': { cname: 'target.aliased.test' },
      'target.aliased.test': mx('mx.aliased.test'),
      'mx.aliased.test': { cname: 'host.aliased.test' },
      'host.aliased.test': { a: [ipOf('accepts')] },
    }),
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'truncated',
    about: 'Its records do not fit a UDP answer and must be asked for over TCP.',
    zones: (ipOf) => ({
      'truncated.test': { ...mx('mx.truncated.test'), behaviour: 'TRUNCATED' },
      'mx.truncated.test': { a: [ipOf('accepts')], behaviour: 'TRUNCATED' },
    }),
    examples: [{ address: 'user1', expected: exists }],
  },
];
