/**
 * What is remembered of made-up mailboxes: the answer of each domain, and the local part it was asked with.
 *
 * One accepted makes a domain a catch-all, unless it has refused a real mailbox: some servers refuse by pattern, and
 * the first may have fitted one. Then a second of another shape decides: accepted, and it is a catch-all; refused,
 * and the domain contradicts itself, which is UNKNOWN.
 */
import { LRUCache } from 'lru-cache';
import type { DomainName } from '../address/index.ts';
import { CATCH_ALL_LIFE_MS, CATCH_ALL_UNKNOWN_LIFE_MS, MAX_CATCH_ALL_DOMAINS } from './limits.ts';
import type { Meaning } from './meaning/index.ts';
import type { CatchAllFinding } from './types.ts';

export type CatchAllMemory = {
  /** Null when nobody was asked, or the answer is too old. */
  recall(domain: DomainName): CatchAllFinding | null;
  /**
   * What follows from the reply to a made-up mailbox; remembered, and given for those who wait.
   * @param lifeMs how long UNKNOWN is believed, at most and by default CATCH_ALL_UNKNOWN_LIFE_MS
   * @returns null when one of another shape must be asked first
   */
  conclude(domain: DomainName, finding: CatchAllFinding, lifeMs?: number): CatchAllFinding | null;
  /** The domain refused a mailbox that somebody asked about: from now on one made-up mailbox does not make a catch-all. */
  noteRefusal(domain: DomainName): void;
  /**
   * The made-up local part to be asked, the same one for a day: when it was greylisted, only the same triplet asked
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

/** The other shape: two words of letters with a dot between them, as people are named; 61 bits. */
export const makeUpNamedLocalPart = (random: (octets: number) => Uint8Array): string => {
  const letters = Array.from(random(13), (octet) => LETTERS[octet % LETTERS.length]).join('');
  return `${letters.slice(0, 5)}.${letters.slice(5)}`;
};

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

/**
 * A finding as it is kept, in one object: with its Date, its reply and their arrays it took 240 octets more, and a list
 * of a million rows has 50,000 domains. `text` is null where the reply is no single line; then `reply` is kept whole.
 */
type KeptFinding = {
  readonly answer: CatchAllFinding['answer'];
  readonly checkedAt: number;
  readonly code: number;
  readonly enhancedCode: string | null;
  readonly text: string | null;
  readonly reply: CatchAllFinding['reply'];
};

const keepFinding = ({ answer, reply, checkedAt }: CatchAllFinding): KeptFinding => {
  const isOneLine = reply?.lines.length === 1;
  return {
    answer,
    checkedAt: checkedAt.getTime(),
    code: reply?.code ?? 0,
    enhancedCode: reply?.enhancedCode ?? null,
    text: isOneLine ? reply.text : null,
    reply: isOneLine ? null : reply,
  };
};

const readFinding = ({
  answer,
  checkedAt,
  code,
  enhancedCode,
  text,
  reply,
}: KeptFinding): CatchAllFinding => ({
  answer,
  reply: text === null ? reply : { code, enhancedCode, lines: [text], text },
  checkedAt: new Date(checkedAt),
});

export const createCatchAllMemory = (
  now: () => number,
  random: (octets: number) => Uint8Array,
): CatchAllMemory => {
  type Entry = {
    /** What is asked now: of the first shape, and once that was accepted of the second. */
    localPart: string;
    readonly bornAt: number;
    finding: KeptFinding | null;
    /** Until when the finding is believed. */
    until: number;
    accepted: 0 | 1 | 2;
    hasRefused: boolean;
  };
  const entries = new LRUCache<DomainName, Entry>({ max: MAX_CATCH_ALL_DOMAINS });

  const readEntry = (domain: DomainName): Entry => {
    const known = entries.get(domain);
    if (known && now() - known.bornAt < CATCH_ALL_LIFE_MS) return known;
    const entry: Entry = {
      localPart: makeUpLocalPart(random),
      bornAt: now(),
      finding: null,
      until: 0,
      accepted: 0,
      hasRefused: false,
    };
    entries.set(domain, entry);
    return entry;
  };

  /** Accepted once, by a domain that has refused somebody. */
  const isInDoubt = ({ accepted, hasRefused }: Entry): boolean => accepted === 1 && hasRefused;

  return {
    recall(domain) {
      const entry = entries.peek(domain);
      if (!entry?.finding || now() >= entry.until) return null;
      return entry.finding.answer === 'YES' && isInDoubt(entry) ? null : readFinding(entry.finding);
    },
    conclude(domain, finding, lifeMs = CATCH_ALL_UNKNOWN_LIFE_MS) {
      const entry = readEntry(domain);
      const wasInDoubt = isInDoubt(entry);
      const believe = (concluded: CatchAllFinding, ms: number): CatchAllFinding => {
        entry.finding = keepFinding(concluded);
        entry.until = concluded.checkedAt.getTime() + ms;
        return concluded;
      };
      if (finding.answer === 'UNKNOWN') return believe(finding, Math.min(lifeMs, CATCH_ALL_UNKNOWN_LIFE_MS));
      if (finding.answer === 'NO')
        return believe(wasInDoubt ? { ...finding, answer: 'UNKNOWN' } : finding, CATCH_ALL_LIFE_MS);
      entry.accepted = wasInDoubt ? 2 : 1;
      if (!wasInDoubt) entry.localPart = makeUpNamedLocalPart(random);
      return isInDoubt(entry) ? null : believe(finding, CATCH_ALL_LIFE_MS);
    },
    noteRefusal(domain) {
      readEntry(domain).hasRefused = true;
    },
    readLocalPart: (domain) => readEntry(domain).localPart,
  };
};
