/** Servers that put us off: greylisting, rates, and trouble that passes. */
import { deliverable, exists, type Personality, undeliverable, unknown } from '../personality.ts';
import { type Act, accept, answerHonestly, printRecipient, type Script, type Told } from '../script.ts';

const GREYLIST_MS = 3_000;

/** The triplet is what RFC 6647 §2.3 names: who connects, from whom, to whom. */
const isTripletKnown = (told: Told): boolean => {
  const { clientIp, reversePath, path, memory, nowMs, paced } = told;
  const triplet = `${clientIp} ${reversePath} ${path.localPart}@${path.domain}`;
  const firstAt = memory.get(triplet) ?? nowMs;
  memory.set(triplet, firstAt);
  return nowMs - firstAt >= paced(GREYLIST_MS);
};

/** Also of a domain for lists. */
export const greylisting: Script = {
  manners: {
    RCPT: (told) =>
      isTripletKnown(told)
        ? answerHonestly(told)
        : `450 4.2.0 ${printRecipient(told)}: Recipient address rejected: Greylisted, see https://sandbox.test/greylisting`,
  },
};

const answerOnceTold = (told: Told): Act =>
  isTripletKnown(told)
    ? answerHonestly(told)
    : `451 4.7.1 Greylisting in action, please come back in ${Math.ceil(told.paced(GREYLIST_MS) / 1_000)} seconds`;

export const waiting: readonly Personality[] = [
  {
    name: 'greylisting',
    about:
      'Puts off each new triplet of client, sender and recipient with 450 4.2.0; passes it after 3 seconds.',
    server: { script: greylisting },
    examples: [{ address: 'user1', expected: unknown('GREYLISTED') }],
  },
  {
    name: 'greylisting-delay',
    about: 'The same, and says how long: 451 4.7.1 … come back in 3 seconds.',
    server: { script: { manners: { RCPT: answerOnceTold } } },
    examples: [{ address: 'user1', expected: unknown('GREYLISTED') }],
  },
  {
    name: 'rate-limited',
    about: 'Says 450 4.7.1 to everybody: too much from our IP.',
    server: {
      script: {
        manners: {
          RCPT: ({ clientIp }) => `450 4.7.1 Error: too much mail from ${clientIp}, rate limit exceeded`,
        },
      },
    },
    examples: [{ address: 'user1', expected: unknown('RATE_LIMITED') }],
  },
  {
    name: 'too-many-connections',
    about: 'Greets with 421 4.7.0: too many connections from our IP.',
    server: {
      script: {
        greeting: (name) => ({
          say: `421 4.7.0 ${name} Error: too many connections from your IP, try again later`,
          next: 'HANG_UP',
        }),
      },
    },
    examples: [{ address: 'user1', expected: unknown('RATE_LIMITED') }],
  },
  {
    name: 'four-a-session',
    about: 'Answers four recipients a session, then 421 4.7.0: come again in another.',
    server: {
      script: {
        manners: {
          RCPT: (told) =>
            told.asked > 4
              ? { say: `421 4.7.0 ${told.serverName} Too many recipients in this session`, next: 'HANG_UP' }
              : answerHonestly(told),
        },
      },
    },
    examples: [{ address: 'user1', expected: exists }],
  },
  {
    name: 'temporary',
    about: 'Cannot look anybody up just now: 451 4.3.0.',
    server: {
      script: { manners: { RCPT: (told) => `451 4.3.0 ${printRecipient(told)}: Temporary lookup failure` } },
    },
    examples: [{ address: 'user1', expected: unknown('TEMPORARY_FAILURE') }],
  },
  {
    name: 'unverified-recipient',
    about: 'Postfix asks the server behind it and says 450 even where that one said no.',
    server: {
      script: {
        manners: {
          RCPT: (told) => {
            const { localPart } = told.path;
            if (answerHonestly(told) === accept) return accept;
            const who = `450 4.1.1 ${printRecipient(told)}: Recipient address rejected:`;
            return localPart.startsWith('pending')
              ? `${who} unverified address: Address verification in progress`
              : `${who} undeliverable address: host mx.inside.test said: 550 5.1.1 User unknown (in reply to RCPT TO command)`;
          },
        },
      },
    },
    examples: [
      { address: 'user1', about: 'Known to the server behind it.', expected: deliverable('MAILBOX_EXISTS') },
      { address: 'nobody', expected: undeliverable('MAILBOX_NOT_FOUND') },
      {
        address: 'pending',
        about: 'The server behind it has not been asked yet: 450.',
        expected: unknown('TEMPORARY_FAILURE'),
      },
    ],
  },
];
