/** Servers that refuse: the mailbox, us, our sender, or everybody. Most replies are Postfix's words (5.7.x is about us). */
import { exists, notFound, type Personality, risky, undeliverable, unknown } from '../personality.ts';
import { accept, answerHonestly, printRecipient } from '../script.ts';

const blocked = unknown('PROBER_BLOCKED');
const policy = unknown('POLICY_REFUSED');
/** For personalities that take some mailboxes by their name: `full…`, `disabled…`. */
const startsWith = (localPart: string, prefix: string): boolean => localPart.toLowerCase().startsWith(prefix);

export const refusing: readonly Personality[] = [
  {
    name: 'full',
    about:
      'full… is over quota for good (552 5.2.2), busy… for now (452 4.2.2); it knows the others as accepts.test does.',
    server: {
      script: {
        manners: {
          RCPT: (told) => {
            if (startsWith(told.path.localPart, 'full'))
              return `552 5.2.2 ${printRecipient(told)}: mailbox over quota`;
            if (startsWith(told.path.localPart, 'busy'))
              return `452 4.2.2 ${printRecipient(told)}: Mailbox full, try again later`;
            return answerHonestly(told);
          },
        },
      },
    },
    examples: [
      { address: 'full', about: 'The mailbox is over quota: 552 5.2.2.', expected: risky('MAILBOX_FULL') },
      { address: 'busy', about: 'The mailbox is full just now: 452 4.2.2.', expected: risky('MAILBOX_FULL') },
    ],
  },
  {
    name: 'disabled',
    about: 'Knows the mailbox and has disabled it: 550 5.2.1.',
    server: {
      script: { manners: { RCPT: (told) => `550 5.2.1 ${printRecipient(told)}: this mailbox is disabled` } },
    },
    examples: [{ address: 'user1', expected: undeliverable('MAILBOX_DISABLED') }],
  },
  {
    name: 'blocked-at-rcpt',
    about: 'Our IP is on a block list, and it is only said at RCPT TO (Postfix with smtpd_delay_reject).',
    server: {
      script: {
        manners: {
          RCPT: ({ clientIp }) =>
            `554 5.7.1 Service unavailable; Client host [${clientIp}] blocked using zen.dnsbl.test; listed for the sandbox`,
        },
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'blocked-at-banner',
    about: 'Refuses us in its greeting: 554.',
    server: {
      script: {
        greeting: (name) =>
          `554 ${name} Your access to this mail system has been rejected, poor reputation of your IP`,
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'blocked-521',
    about: 'Refuses us in its greeting with 521, which is also what a host says that takes no mail at all.',
    server: {
      script: {
        greeting: (name) => ({ say: `521 5.7.1 ${name} your IP is on our block list`, next: 'HANG_UP' }),
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'retired',
    about: 'A host that takes no mail and says so: 521 (RFC 7504).',
    server: {
      script: { greeting: (name) => ({ say: `521 ${name} does not accept mail`, next: 'HANG_UP' }) },
    },
    examples: [{ address: 'user1', expected: undeliverable('NO_MAIL_HOST') }],
  },
  {
    name: 'blocked-at-ehlo',
    about: 'Refuses our EHLO and HELO name: 550 5.7.1.',
    server: {
      script: {
        manners: {
          EHLO: '550 5.7.1 Helo command rejected: invalid name',
          HELO: '550 5.7.1 Helo command rejected: invalid name',
        },
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'sender-refused',
    about: 'Refuses every reverse path at MAIL FROM: 553 5.1.8.',
    server: {
      script: {
        manners: {
          MAIL: (told) => `553 5.1.8 ${printRecipient(told)}: Sender address rejected: domain not found`,
        },
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'sender-refused-late',
    about: 'Refuses the reverse path, and only says so at RCPT TO: 550 5.7.1.',
    server: {
      script: {
        manners: {
          RCPT: ({ reversePath }) => `550 5.7.1 <${reversePath}>: Sender address rejected: not allowed here`,
        },
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'null-sender-refused',
    about: 'Refuses the null reverse path <>, against RFC 5321 §6.1; others it takes.',
    server: {
      script: {
        manners: {
          MAIL: ({ path }) =>
            path.domain === ''
              ? '550 5.7.1 <>: Sender address rejected: null sender not accepted'
              : '250 2.1.0 Ok',
        },
      },
    },
    examples: [{ address: 'user1', expected: blocked }],
  },
  {
    name: 'policy',
    about: 'Refuses by a rule of its own, about neither the mailbox nor us: 554 5.7.1 … Access denied.',
    server: {
      script: {
        manners: {
          RCPT: (told) => `554 5.7.1 ${printRecipient(told)}: Recipient address rejected: Access denied`,
        },
      },
    },
    examples: [{ address: 'user1', expected: policy }],
  },
  {
    name: 'auth-required',
    about: 'A submission server in the place of an exchange: 530 5.7.1 Authentication required.',
    server: { script: { manners: { MAIL: '530 5.7.1 Authentication required' } } },
    examples: [{ address: 'user1', expected: policy }],
  },
  {
    name: 'hangs-up-after-refusal',
    about: 'Hangs up after it has refused a recipient: who asks for a made-up mailbox first learns nothing.',
    server: {
      script: {
        manners: {
          RCPT: (told) => {
            const reply = answerHonestly(told);
            return reply === accept ? reply : { say: reply, next: 'HANG_UP' };
          },
        },
      },
    },
    examples: [
      { address: 'user1', expected: exists },
      { address: 'nobody', about: 'Refuses the mailbox and hangs up.', expected: notFound },
    ],
  },
  {
    name: 'ten-refusals',
    about: 'Bears ten refused recipients in a session, then 421 4.7.0: a good neighbour leaves before.',
    server: {
      script: {
        manners: {
          RCPT: (told) =>
            told.refusals >= 10
              ? { say: `421 4.7.0 ${told.serverName} Error: too many errors`, next: 'HANG_UP' }
              : answerHonestly(told),
        },
      },
    },
    examples: [
      { address: 'user1', expected: exists },
      { address: 'nobody', about: 'The first refusal of a session is only a refusal.', expected: notFound },
    ],
  },
];
