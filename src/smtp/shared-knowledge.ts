/**
 * What the lanes and the memory of catch-alls of this process learn, told to other processes, and what those learned,
 * given to them before the first question is asked. A lane's own code stays without waiting: whoever comes first to a
 * domain or a lane is let in when the look-up is answered, or its short time is over.
 */
import type { DomainName } from '../address/index.ts';
import type { CatchAllMemory } from './catch-all.ts';
import { createFactReader, type LookUp } from './fact-reader.ts';
import { createFactWriter } from './fact-writer.ts';
import { isLaneFactKind, laneFacts } from './lane-facts.ts';
import { LOOKED_UP_LIFE_MS } from './limits.ts';
import { domainSubject, type Learned, laneSubject, type SharedFacts } from './shared-facts.ts';

/** What is needed of a lane to teach it. */
export type Pupil = {
  readonly key: string;
  adopt(fact: Learned): void;
  /** The memory of catch-alls was told something about the domain. */
  foundOut(domain: DomainName): void;
};

export type SharedKnowledge = {
  toldOfDomain(domain: DomainName, fact: Learned): void;
  toldOfLane(key: string, fact: Learned): void;
  /** Null when there is nothing to wait for; never rejects. */
  look(domain: DomainName, lane: Pupil): Promise<void> | null;
  /** Tells what is still to be told. */
  close(): Promise<void>;
};

export type SharedKnowledgeOptions = {
  readonly facts: SharedFacts;
  /** Name of the address that exchanges see. */
  readonly source: string;
  readonly readCatchAll: () => CatchAllMemory;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

/** A local part that waits to be asked again is nothing without the address that asked, and neither is a block. */
const isOfSource = (kind: string): boolean =>
  isLaneFactKind(kind) ? laneFacts[kind].isOfSource : kind === 'madeUp' || kind === 'block';

type Acquaintance = { readonly lookUps: readonly LookUp[]; freshUntil: number };

export const createSharedKnowledge = (options: SharedKnowledgeOptions): SharedKnowledge => {
  const { facts, source, readCatchAll, now, onError } = options;
  const reader = createFactReader({ facts, now, onError });
  const writer = createFactWriter({ facts, now, onError });
  const acquainted = new WeakMap<Pupil, Acquaintance>();

  const lookUpsOf = (lane: Pupil): readonly LookUp[] =>
    [laneSubject(lane.key, null), laneSubject(lane.key, source)].map((subject) => ({
      subject,
      learn: (fact) => lane.adopt(fact),
    }));

  /** What is to be known before the lane is asked; later on it is looked up anew, and nobody waits for that. */
  const lookAtLane = (lane: Pupil): readonly LookUp[] => {
    const known = acquainted.get(lane);
    if (known && known.freshUntil > now()) return [];
    const lookUps = known?.lookUps ?? lookUpsOf(lane);
    acquainted.set(lane, { lookUps, freshUntil: now() + LOOKED_UP_LIFE_MS });
    if (!known) return lookUps;
    void reader.look(lookUps);
    return [];
  };

  const lookAtDomain = (domain: DomainName, lane: Pupil): readonly LookUp[] => {
    if (readCatchAll().recall(domain) !== null) return [];
    const learn = (fact: Learned): void => {
      readCatchAll().adopt(domain, fact);
      lane.foundOut(domain);
    };
    return [
      { subject: domainSubject(domain, null), learn },
      { subject: domainSubject(domain, source), learn },
    ];
  };

  return {
    toldOfDomain(domain, fact) {
      writer.note(domainSubject(domain, isOfSource(fact.kind) ? source : null), fact);
    },
    toldOfLane(key, fact) {
      writer.note(laneSubject(key, isOfSource(fact.kind) ? source : null), fact);
    },
    look(domain, lane) {
      const lookUps = [...lookAtLane(lane), ...lookAtDomain(domain, lane)];
      return lookUps.length === 0 ? null : reader.look(lookUps);
    },
    close: () => writer.close(),
  };
};
