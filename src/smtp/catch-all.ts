/**
 * What is remembered of made-up mailboxes: the answer of each domain, and the local part it was asked with.
 */
import { LRUCache } from 'lru-cache';
import type { DomainName } from '../address/index.ts';
import { CATCH_ALL_LIFE_MS, CATCH_ALL_UNKNOWN_LIFE_MS, MAX_CATCH_ALL_DOMAINS } from './limits.ts';
import type { Meaning } from './meaning/index.ts';
import type { CatchAllFinding } from './types.ts';

export type CatchAllMemory = {
  /** Null when nobody was asked, or the answer is too old. */
  recall(domain: DomainName): CatchAllFinding | null;
  remember(domain: DomainName, finding: CatchAllFinding): void;
  /**
   * The made-up local part of a domain, the same one for a day: when it was greylisted, only the same triplet asked
   * again gets through.
   */
  readLocalPart(domain: DomainName): string;
};

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS_AND_DIGITS = `${LETTERS}0123456789`;
const LOCAL_PART_LENGTH = 16;

/**
 * A local part that nobody has: 16 letters and digits, a letter first, 82 bits. Plain enough to pass a server's idea
 * of a mailbox name, and not to be guessed by one that would treat probes specially.
 */
export const makeUpLocalPart = (random: (octets: number) => Uint8Array): string =>
  Array.from(random(LOCAL_PART_LENGTH), (octet, index) => {
    const alphabet = index === 0 ? LETTERS : LETTERS_AND_DIGITS;
    return alphabet[octet % alphabet.length];
  }).join('');

/**
 * What the reply to a made-up mailbox says of its domain. Only a refusal that is about the mailbox makes NO: a
 * policy, a block or a 4xx would have met a real mailbox as well.
 */
export const classifyCanary = ({ kind }: Meaning): CatchAllFinding['answer'] => {
  switch (kind) {
    case 'ACCEPTED':
      return 'YES';
    case 'MAILBOX_NOT_FOUND':
    case 'MAILBOX_DISABLED':
      return 'NO';
    default:
      return 'UNKNOWN';
  }
};

export const createCatchAllMemory = (
  now: () => number,
  random: (octets: number) => Uint8Array,
): CatchAllMemory => {
  type Entry = { readonly localPart: string; readonly bornAt: number; finding: CatchAllFinding | null };
  const entries = new LRUCache<DomainName, Entry>({ max: MAX_CATCH_ALL_DOMAINS });

  const readEntry = (domain: DomainName): Entry => {
    const known = entries.get(domain);
    if (known && now() - known.bornAt < CATCH_ALL_LIFE_MS) return known;
    const entry = { localPart: makeUpLocalPart(random), bornAt: now(), finding: null };
    entries.set(domain, entry);
    return entry;
  };

  return {
    recall(domain) {
      const finding = entries.peek(domain)?.finding;
      if (!finding) return null;
      const lifeMs = finding.answer === 'UNKNOWN' ? CATCH_ALL_UNKNOWN_LIFE_MS : CATCH_ALL_LIFE_MS;
      return now() - finding.checkedAt.getTime() < lifeMs ? finding : null;
    },
    remember(domain, finding) {
      readEntry(domain).finding = finding;
    },
    readLocalPart: (domain) => readEntry(domain).localPart,
  };
};
