/**
 * Servers that speak as well-known providers do, and in other languages. The exchanges of the lookalikes carry the
 * providers' real names, which only the sandbox's name server leads to loopback: so what is known of providers can be
 * seen at work. Words of replies are the providers' own; sources are the rows of `smtp/meaning`.
 */
import { isKnownMailbox } from '../mailbox.ts';
import { exists, mx, notFound, type Personality, risky, undeliverable, unknown } from '../personality.ts';
import { accept, answerHonestly, printRecipient, type Script, type Told } from '../script.ts';

const pick = (told: Told, rows: Readonly<Record<string, string>>, other: string): string => {
  const localPart = told.path.localPart.toLowerCase();
  if (isKnownMailbox(localPart)) return accept;
  return Object.entries(rows).find(([prefix]) => localPart.startsWith(prefix))?.[1] ?? other;
};

const gmail: Script = {
  offers: [
    'SIZE 157286400',
    '8BITMIME',
    'STARTTLS',
    'ENHANCEDSTATUSCODES',
    'PIPELINING',
    'CHUNKING',
    'SMTPUTF8',
  ],
  manners: {
    RCPT: (told) =>
      pick(
        told,
        {
          busy: '450-4.2.1 The user you are trying to contact is receiving mail at a rate that\n450-4.2.1 prevents additional messages from being delivered. Please resend your\n450 4.2.1 message at a later time. https://support.google.com/mail/?p=ReceivingRate - gsmtp',
          full: "452-4.2.2 The recipient's inbox is out of storage space. Please direct the\n452-4.2.2 recipient to\n452 4.2.2 https://support.google.com/mail/?p=OverQuotaTemp - gsmtp",
          disabled:
            '550-5.2.1 The email account that you tried to reach is inactive. Learn more at\n550 5.2.1 https://support.google.com/mail/?p=DisabledUser - gsmtp',
        },
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces. For more information, go to\n550 5.1.1 https://support.google.com/mail/?p=NoSuchUser - gsmtp",
      ),
  },
};

/** An honest server but for the language of its refusal. */
const speaking = (name: string, language: string, refusal: string): Personality => ({
  name,
  about: `Refuses an unknown mailbox in ${language}, without an enhanced code.`,
  server: {
    script: {
      offers: ['PIPELINING', '8BITMIME', 'SMTPUTF8'],
      manners: { RCPT: (told) => (answerHonestly(told) === accept ? '250 OK' : refusal) },
    },
  },
  examples: [{ address: 'nobody', expected: notFound }],
});

export const lookalikes: readonly Personality[] = [
  {
    name: 'gmail-like',
    about:
      'Speaks as Gmail: 450 4.2.1 means that the mailbox exists and is busy. Also serves gmail.com, in here.',
    server: { script: gmail },
    zones: (ipOf) => ({
      'gmail-like.test': mx('aspmx.l.google.com'),
      'gmail.com': mx('gmail-smtp-in.l.google.com'),
      'aspmx.l.google.com': { a: [ipOf('gmail-like')] },
      'gmail-smtp-in.l.google.com': { a: [ipOf('gmail-like')] },
    }),
    examples: [
      { address: 'user1', about: 'Speaks as Gmail and knows the mailbox.', expected: exists },
      { address: 'nobody', about: 'Refuses in a reply of four lines: 550-5.1.1.', expected: notFound },
      { address: 'busy', expected: unknown('RATE_LIMITED') },
      { address: 'full', about: 'Out of storage space: 452-4.2.2.', expected: risky('MAILBOX_FULL') },
      { address: 'user1@gmail.com', about: 'A free provider: that is a fact of its own.', expected: exists },
    ],
  },
  {
    name: 'exchange-online-like',
    about: 'Speaks as Exchange Online: 550 5.4.1 … Access denied means that there is no such mailbox.',
    server: {
      script: {
        offers: [
          'SIZE 157286400',
          'PIPELINING',
          'DSN',
          'ENHANCEDSTATUSCODES',
          'STARTTLS',
          '8BITMIME',
          'SMTPUTF8',
        ],
        manners: {
          RCPT: (told) =>
            pick(
              told,
              { disabled: '550 5.2.1 Mailbox disabled' },
              `550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [${told.serverName} sandbox]`,
            ),
        },
      },
    },
    zones: (ipOf) => ({
      'exchange-online-like.test': mx('exchange-online-like-test.mail.protection.outlook.com'),
      'exchange-online-like-test.mail.protection.outlook.com': { a: [ipOf('exchange-online-like')] },
    }),
    examples: [
      { address: 'user1', about: 'Speaks as Exchange Online and knows the mailbox.', expected: exists },
      { address: 'nobody', expected: notFound },
    ],
  },
  {
    name: 'yahoo-like',
    about: 'Speaks as Yahoo: 552 where the mailbox is not there, 554 30 where it is disabled.',
    server: {
      script: {
        offers: ['PIPELINING', 'SIZE 41943040', '8BITMIME', 'STARTTLS'],
        manners: {
          RCPT: (told) =>
            pick(
              told,
              {
                disabled: `554 30 Sorry, your message to ${printRecipient(told)} cannot be delivered. This mailbox is disabled (554.30).`,
              },
              '552 1 Requested mail action aborted, mailbox not found',
            ),
        },
      },
    },
    zones: (ipOf) => ({
      'yahoo-like.test': mx('mta5.am0.yahoodns.net'),
      'mta5.am0.yahoodns.net': { a: [ipOf('yahoo-like')] },
    }),
    examples: [
      { address: 'nobody', expected: notFound },
      { address: 'disabled', about: 'Disabled: 554 30.', expected: undeliverable('MAILBOX_DISABLED') },
    ],
  },
  {
    name: 'disposable',
    about: 'mailinator.com, in here: addresses for one use. Accepts everybody.',
    server: { script: { manners: { RCPT: accept } } },
    zones: (ipOf) => ({
      'mailinator.com': mx('mx.disposable.test'),
      'mx.disposable.test': { a: [ipOf('disposable')] },
    }),
    examples: [{ address: 'user1@mailinator.com', expected: risky('CATCH_ALL') }],
  },
  speaking('german', 'German', '550 Benutzer unbekannt'),
  speaking('russian', 'Russian', '550 Нет такого пользователя'),
  speaking('chinese', 'Chinese', '550 用户不存在'),
];
