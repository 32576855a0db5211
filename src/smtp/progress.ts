/** What those who watch a probe are told of it, in sentences that hold no address. */
import type { Meaning, MeaningKind } from './meaning/index.ts';

const sentences: Readonly<Partial<Record<MeaningKind, string>>> = {
  ACCEPTED: 'the exchange accepts the mailbox',
  MAILBOX_NOT_FOUND: 'the exchange knows no such mailbox',
  MAILBOX_DISABLED: 'the exchange says that the mailbox is disabled',
  MAILBOX_FULL: 'the exchange says that the mailbox is full',
  MAILBOX_BUSY: 'the exchange says that the mailbox is busy',
  RATE_LIMITED: 'the exchange tells us to slow down',
  IP_BLOCKED: 'the exchange refuses our IP address',
  SENDER_REFUSED: 'the exchange refuses our reverse path',
  EHLO_REFUSED: 'the exchange refuses our name',
};

export const describeAnswer = ({ kind, retryAfterSeconds }: Meaning): string => {
  if (kind === 'GREYLISTED')
    return retryAfterSeconds === null
      ? 'greylisted: the exchange wants to be asked again later'
      : `greylisted: the exchange wants to be asked again in ${retryAfterSeconds} s`;
  return sentences[kind] ?? 'the exchange answers, but not about the mailbox';
};

export const describeCanary = (answer: 'YES' | 'NO' | 'UNKNOWN'): string =>
  ({
    YES: 'a made-up mailbox of the domain is accepted as well',
    NO: 'a made-up mailbox of the domain is refused',
    UNKNOWN: 'a made-up mailbox of the domain is neither accepted nor refused for good',
  })[answer];
