/** Servers that keep to the rules, each with what it has or lacks. Most are played by the npm package `smtp-server`. */
import { exists, mx, notFound, type Personality, risky, undeliverable } from '../personality.ts';
import { answerHonestly } from '../script.ts';

export const honest: readonly Personality[] = [
  {
    name: 'accepts',
    about:
      'Accepts mailboxes that exist (user…, anna…, josé…, info, support, sales) and refuses the rest: 550 5.1.1.',
    server: { library: {} },
    zones: (ipOf) => ({
      'accepts.test': {
        ...mx('mx.accepts.test'),
        txt: ['v=spf1 mx -all'],
        soa: { minimumSeconds: 60 },
      },
      'mx.accepts.test': { a: [ipOf('accepts')] },
      '_dmarc.accepts.test': { txt: ['v=DMARC1; p=reject; rua=mailto:postmaster@accepts.test'] },
      '_smtp._tls.accepts.test': { txt: ['v=TLSRPTv1; rua=mailto:postmaster@accepts.test'] },
    }),
    examples: [
      { address: 'user1', about: 'An honest server that knows the mailbox.', expected: exists },
      {
        address: 'nobody',
        about: 'The same server refuses a mailbox that is not there: 550 5.1.1.',
        expected: notFound,
      },
      {
        address: 'postmaster',
        about: 'A role account: that is a fact of its own and no flaw.',
        expected: exists,
      },
    ],
  },
  {
    name: 'catch-all',
    about: 'Accepts every mailbox, made-up ones too: acceptance tells nothing.',
    server: { library: { acceptsEverybody: true } },
    examples: [{ address: 'user1', expected: risky('CATCH_ALL') }],
  },
  {
    name: 'accepts-then-bounces',
    about: 'Says 252 to everybody: it takes the message now and checks later.',
    server: { script: { manners: { RCPT: '252 2.1.5 Cannot verify the user, will attempt delivery' } } },
    examples: [{ address: 'user1', expected: risky('ACCEPTS_BEFORE_CHECKING') }],
  },
  {
    name: 'smtputf8',
    about: 'Offers SMTPUTF8 (RFC 6531), which a local part outside ASCII needs.',
    server: { library: {} },
    examples: [{ address: 'josé', expected: exists }],
  },
  {
    name: 'no-smtputf8',
    about: 'Does not offer SMTPUTF8: mail to a local part outside ASCII cannot be handed over.',
    server: { library: { hides: ['SMTPUTF8'] } },
    examples: [
      { address: 'josé', expected: undeliverable('SMTPUTF8_UNSUPPORTED') },
      { address: 'user1', about: 'The same server takes a local part in ASCII.', expected: exists },
    ],
  },
  {
    name: 'bücher',
    about: 'An internationalised domain: the name travels as xn--bcher-kva.test.',
    server: { library: {} },
    zones: (ipOf) => ({
      'xn--bcher-kva.test': mx('mx.xn--bcher-kva.test'),
      'mx.xn--bcher-kva.test': { a: [ipOf('bücher')] },
    }),
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'starttls-required',
    about: 'Takes mail over TLS only: 530 5.7.0 before STARTTLS. Its certificate is self-signed.',
    server: { library: { tls: 'REQUIRED' } },
    examples: [
      { address: 'user1', expected: exists },
      {
        address: 'nobody',
        about: 'The same server refuses an unknown mailbox, over TLS.',
        expected: notFound,
      },
    ],
  },
  {
    name: 'no-pipelining',
    about: 'Does not offer PIPELINING: one command, one reply.',
    server: { library: { hides: ['PIPELINING'] } },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'helo-only',
    about: 'An old server: 502 to EHLO, HELO is fine.',
    server: { script: { manners: { EHLO: '502 5.5.1 Error: command not implemented' } } },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'slow',
    about: 'DNS and SMTP answer late, but they answer: about 4 seconds in all.',
    server: { script: { greeting: (name) => ({ say: `220 ${name} ESMTP`, waitMs: 800 }), waitMs: 700 } },
    zones: (ipOf) => ({
      'slow.test': { ...mx('mx.slow.test'), delayMs: 400 },
      'mx.slow.test': { a: [ipOf('slow')], delayMs: 400 },
    }),
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'two-recipients',
    about: 'Takes two recipients a transaction, then 452 4.5.3: ask the rest in another.',
    server: {
      script: {
        manners: {
          RCPT: (told) =>
            told.recipients < 2 ? answerHonestly(told) : '452 4.5.3 Error: too many recipients',
        },
      },
    },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'ipv6',
    about: 'Is reached over IPv6 only.',
    server: { script: {} },
    isIpv6: true,
    examples: [{ address: 'user1', expected: exists }],
  },
];
