/**
 * Verdicts that may be told again: those kept in the process, and behind them a memory that survives a restart. What
 * a list was told is kept apart from what persons were: a list of millions must not push out the addresses that people
 * ask about, and it is asked about again only by other rows soon after.
 */
import { LRUCache } from 'lru-cache';
import type { NormalizedAddress } from '../address/index.ts';
import type { Priority } from '../smtp/index.ts';
import type { Verification, VerificationMemory, VerifyOptions } from './types.ts';

/**
 * Verdicts of persons kept in the process, each with its transcript (about 4 KB): the ceiling keeps a crowd of askers
 * from filling the heap (10,000 were 40 MB), and what falls out is still in the memory that survives, a millisecond away.
 */
const mostOfPersons = 1_000;
/**
 * Of lists: a chunk's worth. With 10,000 each verdict grew old before it was dropped, and the garbage collector's work
 * for them was a fifteenth of a verification.
 */
const mostOfLists = 500;

export type Remembered = {
  /** A verdict that may be told to who asks so; null when there is none. Never rejects. */
  recall(
    address: NormalizedAddress,
    asked: Pick<VerifyOptions, 'maxAgeSeconds' | 'priority'>,
  ): Promise<Verification | null>;
  remember(address: NormalizedAddress, verification: Verification, priority: Priority): void;
};

/**
 * Is it young enough?
 * @param maxAgeSeconds 0 wants none; undefined is content with what still lives
 */
const isFreshFor = (
  { checkedAt, expiresAt }: Verification,
  maxAgeSeconds: number | undefined,
  nowMs: number,
): boolean => {
  const ageMs = nowMs - checkedAt.getTime();
  // Of a verdict from the future (the clock was put back) nobody can say how old it is.
  const isYoung = maxAgeSeconds === undefined || (ageMs >= 0 && ageMs < maxAgeSeconds * 1_000);
  return isYoung && nowMs < expiresAt.getTime();
};

/**
 * Of a list row, the reply that decided is kept and not the conversation around it: nobody reads a million of them,
 * and they are most of what a verdict takes on the disk (2.3 KB with it, 1.4 KB without).
 */
const withoutConversation = (verification: Verification): Verification => {
  const { evidence } = verification;
  if (!('probe' in evidence) || evidence.probe === null) return verification;
  const { startedAt } = evidence.probe;
  const note = {
    at: startedAt,
    direction: 'NOTE' as const,
    text: 'asked for a list: the conversation is not kept',
  };
  return { ...verification, evidence: { ...evidence, probe: { ...evidence.probe, transcript: [note] } } };
};

export const createRemembered = (options: {
  readonly memory: VerificationMemory;
  readonly now: () => number;
  /** May it be told as things are now? */
  readonly isBelieved: (verification: Verification) => boolean;
  readonly onError: (error: unknown) => void;
}): Remembered => {
  const { memory, now, isBelieved, onError } = options;
  const ofPersons = new LRUCache<NormalizedAddress, Verification>({ max: mostOfPersons });
  const ofLists = new LRUCache<NormalizedAddress, Verification>({ max: mostOfLists });

  const find = (address: NormalizedAddress): Verification | undefined =>
    ofLists.get(address) ?? ofPersons.get(address);

  const keep = (address: NormalizedAddress, verification: Verification, priority: Priority): void => {
    // In one of them at a time: whichever is asked, it has the newest.
    if (priority === 'bulk' && !ofPersons.has(address)) ofLists.set(address, verification);
    else {
      ofLists.delete(address);
      ofPersons.set(address, verification);
    }
  };

  const recallNear = (address: NormalizedAddress, maxAgeSeconds: number | undefined): Verification | null => {
    const known = find(address);
    return known !== undefined && isFreshFor(known, maxAgeSeconds, now()) && isBelieved(known) ? known : null;
  };

  return {
    recall: async (address, { maxAgeSeconds, priority }) => {
      const near = recallNear(address, maxAgeSeconds);
      // Who insists on asking spares us the reading too.
      if (near !== null || maxAgeSeconds === 0) return near;
      try {
        const kept = await memory.recall(address);
        // Remembered meanwhile, or the memory failed to keep it: the newer one counts.
        if (kept !== null && kept.checkedAt > (find(address)?.checkedAt ?? 0)) keep(address, kept, priority);
      } catch (error) {
        // A store in trouble costs a probe, never an answer.
        onError(error);
      }
      return recallNear(address, maxAgeSeconds);
    },
    /** Not waited for: a crash costs the memory that survives a verdict, and no answer comes later for it. */
    remember: (address, verification, priority) => {
      if (verification.lifeSeconds <= 0) return;
      const kept = priority === 'bulk' ? withoutConversation(verification) : verification;
      keep(address, kept, priority);
      memory.remember(address, kept).catch(onError);
    },
  };
};
