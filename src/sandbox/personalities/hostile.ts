/** Servers that break the protocol, on purpose or by neglect: each must end as one finding, within its ceilings. */
import { exists, type Personality, unknown } from '../personality.ts';
import { accept, answerHonestly, defaultOffers, type Script } from '../script.ts';

const timeout = unknown('TIMEOUT');
const protocolError = unknown('PROTOCOL_ERROR');
const needsTls = '530 5.7.0 Must issue a STARTTLS command first';

/** Every octet value, so that NUL, bare LF, bare CR, escape sequences and broken UTF-8 are all among them. */
const everyOctet = Uint8Array.from({ length: 512 }, (_, index) => (index * 151 + 128) & 255);

const hostileScripts: readonly (Omit<Personality, 'server'> & { readonly script: Script })[] = [
  {
    name: 'tarpit',
    about: 'Greets one octet a second, and never comes to an end.',
    script: { greeting: { say: '220-please hold the line', isEndless: true, octetEveryMs: 1_000 } },
    examples: [{ address: 'user1', expected: timeout }],
  },
  {
    name: 'hangs',
    about: 'Accepts the connection and never greets.',
    script: { greeting: { next: 'SILENCE' } },
    examples: [{ address: 'user1', expected: timeout }],
  },
  {
    name: 'hangs-at-rcpt',
    about: 'Says nothing any more after RCPT TO.',
    script: { manners: { RCPT: { next: 'SILENCE' } } },
    examples: [{ address: 'user1', expected: timeout }],
  },
  {
    name: 'hangs-up',
    about: 'Greets and hangs up.',
    script: { greeting: (name) => ({ say: `220 ${name} ESMTP`, next: 'HANG_UP' }) },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-unseen',
    about: 'Hangs up without a word.',
    script: { greeting: { next: 'HANG_UP' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-at-rcpt',
    about: 'Hangs up in place of an answer to RCPT TO.',
    script: { manners: { RCPT: { next: 'HANG_UP' } } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'endless-reply',
    about: 'Its greeting is a multi-line reply that never ends.',
    script: { greeting: { say: '220-and another line', isEndless: true } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'oversized-line',
    about: 'Its greeting is one line of a megabyte.',
    script: { greeting: { say: `220 ${'x'.repeat(1_048_576)}` } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'garbage',
    about: 'Says octets of every value: no SMTP at all.',
    script: { greeting: { say: everyOctet, next: 'SILENCE' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'http',
    about: 'A web server on the mail port.',
    script: {
      greeting: {
        say: 'HTTP/1.1 400 Bad Request\nServer: sandbox\nConnection: close\nContent-Length: 0\n',
        next: 'HANG_UP',
      },
    },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'unknown-code',
    about: 'Answers RCPT TO with a code that SMTP does not have: 999.',
    script: { manners: { RCPT: '999 9.9.9 what is this' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'replies-twice',
    about: 'Answers EHLO twice: from then on nobody knows which reply belongs to what.',
    script: { manners: { EHLO: '250 one\n250 two' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'loses-pipelined',
    about: 'Offers PIPELINING, then reads the first command of each write and loses the rest.',
    script: { losesPipelined: true },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'starttls-broken',
    about: 'Demands STARTTLS and answers the handshake with text.',
    script: {
      offers: [...defaultOffers, 'STARTTLS'],
      manners: { MAIL: needsTls, STARTTLS: { say: '220 2.0.0 Ready to start TLS', next: 'BREAK_TLS' } },
    },
    examples: [{ address: 'user1', expected: unknown('TLS_FAILED') }],
  },
  {
    name: 'starttls-missing',
    about: 'Demands STARTTLS without offering it.',
    script: { manners: { MAIL: needsTls } },
    examples: [{ address: 'user1', expected: unknown('TLS_FAILED') }],
  },
  {
    name: 'starttls-injected',
    about:
      'Demands STARTTLS and says more in the clear behind its 220 (CVE-2011-0411): that must be thrown away.',
    script: {
      offers: [...defaultOffers, 'STARTTLS'],
      manners: {
        MAIL: ({ isSecure }) => (isSecure ? '250 2.1.0 Ok' : needsTls),
        STARTTLS: { say: '220 2.0.0 Ready to start TLS\n250 2.1.0 Ok\n250 2.1.5 Ok', next: 'START_TLS' },
        RCPT: (told) => (told.isSecure ? answerHonestly(told) : accept),
      },
    },
    examples: [{ address: 'user1', expected: exists }],
  },
];

export const hostile: readonly Personality[] = hostileScripts.map(({ script, ...row }) => ({
  ...row,
  server: { script },
}));
