import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corpus } from './corpus.ts';
import { parseExample } from './example.ts';
import { classifyReply, type MeaningKind, type Phase, rules } from './index.ts';

const jo = { localPart: 'jo', domain: 'example.com' };
const phases: readonly Phase[] = ['GREETING', 'EHLO', 'STARTTLS', 'MAIL_FROM', 'RCPT_TO'];
const aboutTheMailbox: ReadonlySet<MeaningKind> = new Set([
  'MAILBOX_NOT_FOUND',
  'MAILBOX_DISABLED',
  'MAILBOX_FULL',
  'MAILBOX_BUSY',
]);

function classify(line: string, phase: Phase = 'RCPT_TO', recipient = jo, providerId: string | null = null) {
  return classifyReply({ phase, reply: parseExample(line), recipient, providerId });
}

describe('rules', () => {
  test.each(rules.map((rule) => [rule.id, rule] as const))('%s: its example is decided by it', (_, rule) => {
    const meaning = classify(rule.example, rule.phases?.[0], jo, rule.providers?.[0]);
    expect(meaning).toMatchObject({ kind: rule.kind, rule: rule.id });
  });

  test('have ids of their own, a source, and say nothing of the mailbox before RCPT TO', () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules.filter(({ source }) => source === '')).toEqual([]);
    const early = rules.filter(
      ({ kind, phases: at }) => aboutTheMailbox.has(kind) && String(at) !== 'RCPT_TO',
    );
    expect(early).toEqual([]);
  });

  test('have patterns without a quantifier on a group that ends in one', () => {
    const nested = rules.flatMap(({ id, pattern, also, unless }) =>
      [pattern, also, unless].filter((p) => p !== undefined && /[+*}]\)[+*{]/.test(p.source)).map(() => id),
    );
    expect(nested).toEqual([]);
  });
});

/** The traps of DESIGN.md and some of our own: what the code seems to say, and what is meant. */
describe('traps', () => {
  test.each<[trap: string, line: string, kind: MeaningKind, phase?: Phase]>([
    ['5.7.x at RCPT TO is about us', '550 5.7.1 Message refused', 'IP_BLOCKED'],
    ['… unless it names the recipient', '550 5.7.1 Recipient unknown', 'MAILBOX_NOT_FOUND'],
    ['… or relaying', '550 5.7.1 Relaying denied', 'RELAY_REFUSED'],
    [
      '… or who may write to whom',
      '554 5.7.1 <jo@example.com>: Recipient address rejected: Access denied',
      'POLICY',
    ],
    [
      'Exchange Online hides "no such recipient"',
      '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.prod.protection.outlook.com]',
      'MAILBOX_NOT_FOUND',
    ],
    [
      '… with a bracketed address',
      '550 5.4.1 [jo@example.com]: Recipient address rejected: Access denied [x]',
      'MAILBOX_NOT_FOUND',
    ],
    ['… and a relay that is denied is no recipient', '550 5.4.1 Relay Access Denied', 'RELAY_REFUSED'],
    [
      '… 5.1.10 of Exchange is not a null MX',
      '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jo@example.com not found',
      'MAILBOX_NOT_FOUND',
    ],
    ['5.1.10 elsewhere is', '556 5.1.10 Domain has a null MX', 'NO_MAIL_ACCEPTED'],
    [
      'Gmail: exists but busy',
      '450 4.2.1 The user you are trying to contact is receiving mail too quickly.',
      'MAILBOX_BUSY',
    ],
    [
      'Gmail: 5.2.1 with the same words is not disabled',
      '550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages',
      'MAILBOX_BUSY',
    ],
    [
      'Gmail: 5.2.1 that is disabled',
      '550 5.2.1 The email account that you tried to reach is inactive.',
      'MAILBOX_DISABLED',
    ],
    ['452 4.5.3 is about the transaction', '452 4.5.3 Too many recipients', 'TOO_MANY_RECIPIENTS'],
    ['552 was 452 once', '552 Too many recipients', 'TOO_MANY_RECIPIENTS'],
    [
      'many recipients an hour are a rate',
      '452 4.5.3 Too many recipients received this hour',
      'RATE_LIMITED',
    ],
    [
      '5.1.1 of GoDaddy that is a rate',
      '550 5.1.1 <jo@example.com> - 192.0.2.1 has sent to too many recipients this hour. IB607',
      'RATE_LIMITED',
    ],
    [
      'Postfix: 450 for known-bad',
      '450 4.1.1 <jo@example.com>: Recipient address rejected: undeliverable address: host mx said: 550 5.1.1 User unknown',
      'MAILBOX_NOT_FOUND',
    ],
    [
      'Postfix: 450 while it does not know',
      '450 4.1.1 <jo@example.com>: Recipient address rejected: unverified address: Address verification in progress',
      'TEMPORARY',
    ],
    [
      'Postfix: known-bad because its own prober was blocked',
      '450 4.1.1 <jo@example.com>: Recipient address rejected: undeliverable address: host mx said: 550 5.7.1 blocked using zen.spamhaus.org',
      'TEMPORARY',
    ],
    [
      'Postfix: soft_bounce',
      '450 4.1.1 <jo@example.com>: Recipient address rejected: User unknown in virtual mailbox table',
      'TEMPORARY',
    ],
    [
      'smtpd_delay_reject: our IP at RCPT TO',
      '554 5.7.1 <mx.sender.example[192.0.2.1]>: Client host rejected: Access denied',
      'IP_BLOCKED',
    ],
    [
      'smtpd_delay_reject: our EHLO at RCPT TO',
      '504 5.5.2 <probe>: Helo command rejected: need fully-qualified hostname',
      'EHLO_REFUSED',
    ],
    [
      'smtpd_delay_reject: our sender at RCPT TO',
      '550 5.1.0 <p@sender.example>: Sender address rejected: User unknown in relay recipient table',
      'SENDER_REFUSED',
    ],
    ["4.3.1 is the server's disk", '452 4.3.1 Insufficient system storage', 'TEMPORARY'],
    ["5.3.1 is the server's disk", '552 5.3.1 Mail system full', 'TEMPORARY'],
    ['4.2.2 is the mailbox', '452 4.2.2 Mailbox full', 'MAILBOX_FULL'],
    ['5.2.2 is the mailbox', '552 5.2.2 Over quota', 'MAILBOX_FULL'],
    ['our own quota is not the mailbox', '550 You have exceeded your daily quota', 'POLICY'],
    ['full with the code of not found', '550 User over quota. (#5.1.1)', 'MAILBOX_FULL'],
    [
      '551 with somewhere else to go',
      '551 5.1.6 User has moved; please try <jo@example.net>',
      'MAILBOX_NOT_FOUND',
    ],
    ['a name that is not allowed', '553 5.1.3 Bad destination mailbox address syntax', 'MAILBOX_NOT_FOUND'],
    ["5.1.8 is the sender's domain", '553 5.1.8 Domain of sender does not resolve', 'SENDER_REFUSED'],
    ['5.7.23: SPF', '550 5.7.23 Validation failed', 'SENDER_REFUSED'],
    ['5.7.24: SPF could not be evaluated', '550 5.7.24 Validation error', 'SENDER_REFUSED'],
    ['5.7.25: reverse DNS', '550 5.7.25 Validation failed', 'IP_BLOCKED'],
    ['5.7.26: several checks', '550 5.7.26 Validation failed', 'SENDER_REFUSED'],
    ['5.7.27: our sender has a null MX', '550 5.7.27 Sender has null MX', 'SENDER_REFUSED'],
    ['STARTTLS first', '530 5.7.0 Must issue a STARTTLS command first', 'TLS_REQUIRED', 'MAIL_FROM'],
    ['authentication first', '530 5.7.0 Authentication required', 'AUTH_REQUIRED', 'MAIL_FROM'],
    ['5.6.7', '553 5.6.7 Non-ASCII addresses not permitted for that recipient', 'SMTPUTF8_REQUIRED'],
    [
      'a DNSBL with the code of not found',
      '550 5.1.1 Rejected: 192.0.2.1 listed at zen.spamhaus.org',
      'IP_BLOCKED',
    ],
    ['sorbs', '521 5.7.1 client [192.0.2.1] blocked using dnsbl.sorbs.net', 'IP_BLOCKED', 'GREETING'],
    [
      'cloudmark',
      '550 Client host blocked. Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.1',
      'IP_BLOCKED',
    ],
    [
      'Yahoo, temporary',
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints',
      'RATE_LIMITED',
      'MAIL_FROM',
    ],
    [
      'Yahoo, permanent',
      '553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred',
      'IP_BLOCKED',
    ],
    [
      'Yahoo, 552 that is not full',
      '552 1 Requested mail action aborted, mailbox not found',
      'MAILBOX_NOT_FOUND',
    ],
    [
      'Outlook, S3140',
      '550 5.7.1 Unfortunately, messages from [192.0.2.1] were not sent. (S3140)',
      'IP_BLOCKED',
    ],
    [
      '550 that names the mailbox',
      '550 Requested action not taken: mailbox unavailable',
      'MAILBOX_NOT_FOUND',
    ],
    ['550 that names nobody', '550 Requested action not taken', 'POLICY'],
    [
      '550 that names a policy',
      '550 Requested action not taken: mailbox unavailable due to policy',
      'POLICY',
    ],
    ['550 without a word', '550', 'POLICY'],
    [
      '450 with the same words is temporary',
      '450 Requested mail action not taken: mailbox unavailable',
      'TEMPORARY',
    ],
    ['252 is an acceptance', '252 2.1.5 Cannot VRFY user', 'ACCEPTED'],
    ['postscreen: come again', '450 4.3.2 Service currently unavailable', 'GREYLISTED'],
    [
      'Mimecast: greylisting',
      '451 Internal resources are temporarily unavailable - https://community.mimecast.com/',
      'GREYLISTED',
    ],
    ['greylisting that does not say so', '451 4.7.1 Please try again later', 'GREYLISTED'],
    ['554 as greeting', '554 No SMTP service here', 'IP_BLOCKED', 'GREETING'],
    ['521 as greeting', '521 mail.example.com does not accept mail', 'NO_MAIL_ACCEPTED', 'GREETING'],
    [
      '521 as greeting about us',
      '521 5.2.1 : AOL will not accept delivery of this message.',
      'IP_BLOCKED',
      'GREETING',
    ],
    ['user unknown before RCPT TO is the sender', '550 5.1.1 User unknown', 'SENDER_REFUSED', 'MAIL_FROM'],
    ['mailbox full before RCPT TO is the sender', '552 5.2.2 Mailbox full', 'SENDER_REFUSED', 'MAIL_FROM'],
    ['EHLO not known', '502 5.5.1 Command not implemented', 'SYNTAX_REFUSED', 'EHLO'],
    ['our address is not the recipient', '550 Your email address is not valid', 'POLICY'],
  ])('%s: %s', (_, line, kind, phase) => {
    expect(classify(line, phase).kind).toBe(kind);
  });
});

test('a provider is a hint: its rows decide for its own replies only', () => {
  const line = '550 5.4.1 Recipient rejected at the edge';
  expect(classify(line, 'RCPT_TO', jo, 'MICROSOFT_365').kind).toBe('MAILBOX_NOT_FOUND');
  expect(classify(line, 'RCPT_TO', jo, 'GOOGLE').kind).toBe('POLICY');
  expect(classify(line).kind).toBe('POLICY');
  expect(classify('550 5.4.1 Relay Access Denied', 'RCPT_TO', jo, 'MICROSOFT_365').kind).toBe(
    'RELAY_REFUSED',
  );
});

describe('a stated delay', () => {
  test.each<[string, number | null]>([
    ['450 4.7.1 Greylisted, please try again in 180 seconds', 180],
    ['451 4.7.1 Greylisting in action, please come back in 00:05:00', 300],
    ['421 4.7.0 Too many connections, wait 10 minutes', 600],
    ['450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.com.html', null],
    ['550 5.1.1 User unknown for 5 minutes', null],
  ])('%s', (line, seconds) => {
    expect(classify(line).retryAfterSeconds).toBe(seconds);
  });
});

describe("the recipient's own words are no evidence", () => {
  const names = [
    'inactive',
    'spam',
    'mailbox.full',
    'user-unknown',
    'greylisted',
    'does.not.exist',
    'no.such.user',
    'quota',
    'spamhaus',
    'dynamic.ip',
    'your-ip',
    'starttls',
  ];

  test.each(names)('%s@ changes no meaning in the corpus', (localPart) => {
    const changed = Object.values(corpus)
      .flat()
      .filter(([, line]) => line.includes('jo@example.com'))
      .map(([, line, phase]) => {
        const renamed = line.replaceAll('jo@example.com', `${localPart}@Example.com`);
        return [
          classify(line, phase).kind,
          classify(renamed, phase, { localPart, domain: 'example.com' }).kind,
          renamed,
        ];
      })
      .filter(([before, after]) => before !== after);
    expect(changed).toEqual([]);
  });

  test.each(['greylist.example', 'spamhaus.example', 'mailbox-full.example', 'no-such-user.example'])(
    'nor does the domain %s',
    (domain) => {
      for (const line of ['550 5.0.0 <jo@D>: refused', '550 D refused', '450 4.0.0 jo@D: refused']) {
        const plain = classify(line.replaceAll('D', 'example.com')).kind;
        expect(classify(line.replaceAll('D', domain), 'RCPT_TO', { localPart: 'jo', domain }).kind).toBe(
          plain,
        );
      }
    },
  );

  test('a local part that is a word of the trade never turns a refusal of us into one of the mailbox', () => {
    const words = [
      'sender',
      'client',
      'host',
      'helo',
      'blocked',
      'spamhaus',
      'relay',
      'ip',
      'your',
      'greylisted',
      'spf',
      'recipient',
      'rejected',
      'policy',
    ];
    const convicted = words.flatMap((localPart) =>
      Object.values(corpus)
        .flat()
        .filter(([kind]) => !aboutTheMailbox.has(kind))
        .map(
          ([kind, line, phase]) =>
            [kind, classify(line, phase), classify(line, phase, { ...jo, localPart }), line] as const,
        )
        .filter(([, before, after]) => !aboutTheMailbox.has(before.kind) && aboutTheMailbox.has(after.kind)),
    );
    expect(convicted).toEqual([]);
  });
});

describe('whatever a server says', () => {
  const code = fc.integer({ min: 200, max: 599 });
  const enhancedCode = fc.option(
    fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(999), fc.nat(999)).map((c) => c.join('.')),
  );
  const vocabulary = [...new Set(rules.flatMap(({ example }) => example.toLowerCase().split(/\s+/)))];
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(fc.constantFrom(...vocabulary), { maxLength: 60 }).map((w) => w.join(' ')),
  );

  test('it has one meaning, and before RCPT TO never one about the mailbox', () => {
    fc.assert(
      fc.property(
        code,
        enhancedCode,
        text,
        fc.constantFrom(...phases),
        (replyCode, enhanced, words, phase) => {
          const reply = { code: replyCode, enhancedCode: enhanced, lines: [words], text: words };
          const meaning = classifyReply({ phase, reply, recipient: jo, providerId: null });
          expect(meaning.kind === 'ACCEPTED').toBe(replyCode < 300);
          expect(meaning.kind === 'NOT_UNDERSTOOD').toBe(replyCode >= 300 && replyCode < 400);
          if (phase !== 'RCPT_TO') expect(aboutTheMailbox.has(meaning.kind)).toBe(false);
          if (replyCode < 500) expect(['MAILBOX_DISABLED', 'POLICY']).not.toContain(meaning.kind);
          if (meaning.retryAfterSeconds !== null) expect(meaning.retryAfterSeconds).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each([
    'user ',
    'mailbox is is is is ',
    'from address ',
    'recipient address rejected ',
    'bad local local local ',
    'jo@example.com ',
    '<<<<',
    'in 9',
    '((  ',
    'адресат ',
    'a',
  ])('64 KB of %j are read in a moment', (piece) => {
    const long = piece.repeat(Math.ceil(65_536 / piece.length));
    const reply = { code: 550, enhancedCode: null, lines: [long], text: long };
    const started = performance.now();
    for (let i = 0; i < 10; i++) classifyReply({ phase: 'RCPT_TO', reply, recipient: jo, providerId: null });
    expect((performance.now() - started) / 10).toBeLessThan(20);
  });
});
