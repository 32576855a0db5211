/**
 * What is remembered of made-up mailboxes: the answer of each domain, and the local part it was asked with.
 *
 * One accepted makes a domain a catch-all, unless it has refused a real mailbox: some servers refuse by pattern, and
 * the first may have fitted one. Then a second of another shape decides: accepted, and it is a catch-all; refused,
 * and the domain contradicts itself, which is UNKNOWN.
 */
import { LRUCache } from 'lru-cache';
import type { DomainName } from '../address/index.ts';
import { type KeptFinding, keepFinding, readFinding } from './kept-finding.ts';
import { CATCH_ALL_LIFE_MS, CATCH_ALL_UNKNOWN_LIFE_MS, MAX_CATCH_ALL_DOMAINS } from './limits.ts';
import { isMadeUp, isMadeUpNamed, makeUpLocalPart, makeUpNamedLocalPart } from './made-up.ts';
import type { Meaning } from './meaning/index.ts';
import { printFindingFact, readFindingFact } from './reply-facts.ts';
import type { Learned } from './shared-facts.ts';
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
  /**
   * Takes over what another process learned of the domain: its finding, if nothing is known here; that it refused a
   * mailbox; the local part that waits to be asked again, if none was asked here. Ignores what is not believable.
   */
  adopt(domain: DomainName, fact: Learned): void;
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

type Entry = {
  /** What is asked now: of the first shape, and once that was accepted of the second. */
  localPart: string;
  /** Was it given out? */
  wasAsked: boolean;
  readonly bornAt: number;
  finding: KeptFinding | null;
  /** Until when the finding is believed. */
  until: number;
  accepted: 0 | 1 | 2;
  hasRefused: boolean;
};

/** @param tell is told of what is learned here and is news to other processes; null when nobody wants to know */
export const createCatchAllMemory = (
  now: () => number,
  random: (octets: number) => Uint8Array,
  tell: ((domain: DomainName, fact: Learned) => void) | null = null,
): CatchAllMemory => {
  const entries = new LRUCache<DomainName, Entry>({ max: MAX_CATCH_ALL_DOMAINS });

  const readEntry = (domain: DomainName): Entry => {
    const known = entries.get(domain);
    if (known && now() - known.bornAt < CATCH_ALL_LIFE_MS) return known;
    const entry: Entry = {
      localPart: makeUpLocalPart(random),
      wasAsked: false,
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

  const makeUpAnother = (entry: Entry): void => {
    entry.localPart = makeUpNamedLocalPart(random);
    entry.wasAsked = false;
  };

  const recall = (domain: DomainName): CatchAllFinding | null => {
    const entry = entries.peek(domain);
    if (!entry?.finding || now() >= entry.until) return null;
    return entry.finding.answer === 'YES' && isInDoubt(entry) ? null : readFinding(entry.finding);
  };

  const adoptFinding = (domain: DomainName, value: unknown, until: number): void => {
    const found = readFindingFact(value);
    if (!found || recall(domain) !== null) return;
    const entry = readEntry(domain);
    if (found.accepted < entry.accepted) return;
    if (entry.accepted === 0 && found.accepted > 0) makeUpAnother(entry);
    const { answer, reply } = found;
    entry.until = Math.min(until, now() + CATCH_ALL_LIFE_MS);
    entry.finding = keepFinding({
      answer,
      reply,
      checkedAt: new Date(entry.until - CATCH_ALL_LIFE_MS),
    });
    entry.accepted = found.accepted;
  };

  return {
    recall,
    conclude(domain, finding, lifeMs = CATCH_ALL_UNKNOWN_LIFE_MS) {
      const entry = readEntry(domain);
      const wasInDoubt = isInDoubt(entry);
      const believe = (concluded: CatchAllFinding, ms: number): CatchAllFinding => {
        entry.finding = keepFinding(concluded);
        entry.until = concluded.checkedAt.getTime() + ms;
        if (ms === CATCH_ALL_LIFE_MS)
          tell?.(domain, {
            kind: 'catchAll',
            value: printFindingFact(concluded, entry.accepted),
            until: entry.until,
          });
        return concluded;
      };
      if (finding.answer === 'UNKNOWN') {
        const until = entry.bornAt + CATCH_ALL_LIFE_MS;
        tell?.(domain, { kind: 'madeUp', value: entry.localPart, until });
        return believe(finding, Math.min(lifeMs, CATCH_ALL_UNKNOWN_LIFE_MS));
      }
      if (finding.answer === 'NO')
        return believe(wasInDoubt ? { ...finding, answer: 'UNKNOWN' } : finding, CATCH_ALL_LIFE_MS);
      entry.accepted = wasInDoubt ? 2 : 1;
      if (!wasInDoubt) makeUpAnother(entry);
      return isInDoubt(entry) ? null : believe(finding, CATCH_ALL_LIFE_MS);
    },
    noteRefusal(domain) {
      const entry = readEntry(domain);
      // Where a made-up one was refused too, one more refusal is no news.
      if (!entry.hasRefused && entry.finding?.answer !== 'NO')
        tell?.(domain, { kind: 'refusal', value: true, until: now() + CATCH_ALL_LIFE_MS });
      entry.hasRefused = true;
    },
    readLocalPart(domain) {
      const entry = readEntry(domain);
      entry.wasAsked = true;
      return entry.localPart;
    },
    adopt(domain, { kind, value, until }) {
      if (kind === 'refusal' && value === true) readEntry(domain).hasRefused = true;
      else if (kind === 'catchAll') adoptFinding(domain, value, until);
      else if (kind === 'madeUp' && typeof value === 'string') {
        const entry = readEntry(domain);
        const isOfShape = entry.accepted === 0 ? isMadeUp(value) : isMadeUpNamed(value);
        if (isOfShape && !entry.wasAsked) entry.localPart = value;
      }
    },
  };
};
