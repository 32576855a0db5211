/** What an API key has asked of a domain: the words and the memory that both harvest guards stand on. */
import { LRUCache } from 'lru-cache';
import type { Reason } from '../verdict/index.ts';
import type { Verification } from './types.ts';

/** What came of wanting to ask. */
export type HarvestPass =
  /** It may ask; `settle` is called once with what it was told, null when that was nothing. */
  | { readonly kind: 'admitted'; settle(told: Verification | null): void }
  /** Until then, in epoch milliseconds, it is not answered. */
  | { readonly kind: 'limited'; readonly until: number }
  /** Its signal or its time ended while it stood in line, or the lines were too long. */
  | { readonly kind: 'left' };

export type HarvestQuestion = {
  readonly owner: string;
  readonly domain: string;
  /** Of owner and domain: the key of the account. */
  readonly account: string;
  /** In its canonical form. */
  readonly mailbox: string;
};

export type HarvestPorts = {
  readonly limit: number;
  readonly windowMs: number;
  readonly now: () => number;
  readonly hashOf: (mailbox: string) => number;
  /** The account is limited, and this is the first question that is not answered for it. */
  readonly tell: (question: HarvestQuestion, unknownMailboxes: number, until: number) => void;
};

/** Of one account, from the first mailbox that was counted. */
export type HarvestWindow = {
  beganAt: number;
  /** Was it told that the account is limited? */
  isTold: boolean;
};

/** A window that begins after now (the clock was put back) could last for ever: it is over. */
export const isOver = ({ beganAt }: HarvestWindow, { windowMs, now }: HarvestPorts): boolean =>
  now() < beganAt || now() >= beganAt + windowMs;

export const limitPass = (
  question: HarvestQuestion,
  window: HarvestWindow,
  unknownMailboxes: number,
  { windowMs, tell }: HarvestPorts,
): HarvestPass => {
  const until = window.beganAt + windowMs;
  if (!window.isTold) {
    window.isTold = true;
    tell(question, unknownMailboxes, until);
  }
  return { kind: 'limited', until };
};

const unknownReasons: ReadonlySet<Reason> = new Set(['MAILBOX_NOT_FOUND', 'MAILBOX_DISABLED']);

/** Was the asker told that there is no such mailbox, now or from memory? */
export const isToldUnknown = (told: Verification | null): boolean =>
  told !== null && unknownReasons.has(told.reason);

/**
 * Accounts of either guard, and hashes in them, about 40 octets each. The runaway: a key that asks about ten thousand
 * domains. Past them, what was used longest ago is forgotten.
 */
const mostAccounts = 10_000;
const mostHashes = 500_000;
/** What an account takes beside its hashes, in hashes. */
const hashesOfAccount = 4;

export type Accounts<Account> = {
  find(key: string): Account | undefined;
  /** @param hashes how many the account holds now */
  keep(key: string, account: Account, hashes: number): void;
};

export const createAccounts = <Account extends object>(): Accounts<Account> => {
  // In a wrapper, since only another value gets another size.
  const kept = new LRUCache<string, { readonly account: Account }>({
    max: mostAccounts,
    maxSize: mostHashes,
  });
  return {
    find: (key) => kept.get(key)?.account,
    keep: (key, account, hashes) => {
      kept.set(key, { account }, { size: hashesOfAccount + hashes });
    },
  };
};
