/** Servers that break the protocol, on purpose or by neglect: each must end as one finding, within its ceilings. */
import { exists, type Personality, unknown } from '../personality.ts';
import { type Act, accept, answerHonestly, defaultOffers, type Script } from '../script.ts';

const timeout = unknown('TIMEOUT');
const protocolError = unknown('PROTOCOL_ERROR');
const tlsFailed = unknown('TLS_FAILED');
const needsTls = '530 5.7.0 Must issue a STARTTLS command first';

/** Every octet value, so that NUL, bare LF, bare CR, escape sequences and broken UTF-8 are all among them. */
const everyOctet = Uint8Array.from({ length: 512 }, (_, index) => (index * 151 + 128) & 255);

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');
/** A reply of a server that does not know how lines end. */
const unended = (text: string, ending: string): { readonly say: Uint8Array } => ({
  say: octets(text.replaceAll('\n', ending) + ending),
});
/** The header of a TLS record that promises 16 KB, and little of what it promises. */
const brokenRecord = '\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\xff\xff\xff';
const startTlsAnd = (then: Exclude<Act, string>): Script => ({
  offers: [...defaultOffers, 'STARTTLS'],
  manners: { MAIL: needsTls, STARTTLS: then },
});

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
    name: 'replies-before-commands',
    about: 'Says all that it is ever going to say in its greeting, before anything was asked.',
    script: {
      greeting: (name) => ({
        say: `220 ${name} ESMTP\n250 ${name}\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.1.5 Ok`,
        next: 'SILENCE',
      }),
    },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'replies-too-often',
    about: 'Answers MAIL FROM twice: every later reply stands beside the wrong recipient.',
    script: { manners: { MAIL: '250 2.1.0 Ok\n250 2.1.0 Ok' } },
    examples: [{ address: 'nobody', expected: protocolError }],
  },
  {
    name: 'million-lines',
    about: 'Its greeting is one reply of a million lines.',
    script: { greeting: () => ({ say: octets(`${'220-\r\n'.repeat(1_000_000)}220 at last\r\n`) }) },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'oversized-line-at-rcpt',
    about: 'Answers RCPT TO with one line of a megabyte.',
    script: { manners: { RCPT: () => `250 ${'x'.repeat(1_048_576)}` } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'octet-a-second',
    about: 'Answers RCPT TO one octet a second, and never comes to an end.',
    script: { manners: { RCPT: { say: '250-still looking', isEndless: true, octetEveryMs: 1_000 } } },
    examples: [{ address: 'user1', expected: timeout }],
  },
  {
    name: 'nul-in-reply',
    about: 'Puts NUL into the text of its replies. What the code says can still be believed.',
    script: { manners: { RCPT: (told) => answerHonestly(told).replaceAll(' ', ' \0') } },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'nul-before-code',
    about: 'Puts NUL before the code of its reply to RCPT TO.',
    script: { manners: { RCPT: '\x00250 2.1.5 Ok' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'bare-cr',
    about: 'Ends its lines with CR alone: no line ever ends (RFC 5321 §2.3.8).',
    script: { greeting: unended('220 mx.bare-cr.test ESMTP', '\r') },
    examples: [{ address: 'user1', expected: timeout }],
  },
  {
    name: 'bare-lf',
    about: 'Ends its lines with LF alone, as some servers do: read as a line end.',
    script: {
      greeting: unended('220 mx.bare-lf.test ESMTP', '\n'),
      manners: {
        EHLO: unended('250-mx.bare-lf.test\n250 PIPELINING', '\n'),
        MAIL: unended('250 2.1.0 Ok', '\n'),
        RCPT: (told) => unended(answerHonestly(told), '\n'),
      },
    },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'code-too-low',
    about: 'Answers RCPT TO with a code of a class that SMTP has no use for: 150.',
    script: { manners: { RCPT: '150 wait' } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-at-ehlo',
    about: 'Hangs up in place of an answer to EHLO, and to HELO.',
    script: { manners: { EHLO: { next: 'HANG_UP' }, HELO: { next: 'HANG_UP' } } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-at-mail',
    about: 'Hangs up in place of an answer to MAIL FROM.',
    script: { manners: { MAIL: { next: 'HANG_UP' } } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-mid-reply',
    about: 'Hangs up in the middle of its reply to RCPT TO: 550 without the end of its line.',
    script: { manners: { RCPT: { say: octets('550 5.1.1 no su'), next: 'HANG_UP' } } },
    examples: [{ address: 'user1', expected: protocolError }],
  },
  {
    name: 'hangs-up-at-starttls',
    about: 'Demands STARTTLS, agrees to it and hangs up.',
    script: startTlsAnd({ say: '220 2.0.0 Ready to start TLS', next: 'HANG_UP' }),
    examples: [{ address: 'user1', expected: tlsFailed }],
  },
  {
    name: 'starttls-garbage',
    about: 'Demands STARTTLS and sends octets behind its 220 that only look like TLS.',
    script: startTlsAnd({
      say: octets(`220 2.0.0 Ready to start TLS\r\n${brokenRecord.repeat(50)}`),
      next: 'BREAK_TLS',
    }),
    examples: [{ address: 'user1', expected: tlsFailed }],
  },
  {
    name: 'certificate-huge',
    about: 'Demands STARTTLS and shows more than 100 KB of certificates.',
    script: { ...startTlsAnd({ say: '220 2.0.0 Ready to start TLS', next: 'START_TLS' }), chainLength: 250 },
    examples: [{ address: 'user1', expected: tlsFailed }],
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
    examples: [{ address: 'user1', expected: tlsFailed }],
  },
  {
    name: 'starttls-missing',
    about: 'Demands STARTTLS without offering it.',
    script: { manners: { MAIL: needsTls } },
    examples: [{ address: 'user1', expected: tlsFailed }],
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
