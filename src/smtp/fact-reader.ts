/**
 * Looks up what other processes found out. Everybody who asks in one turn of the event loop, or while a look-up is
 * out, is served by one call of the store; each subject is looked up once in LOOKED_UP_LIFE_MS, found or not.
 *
 * A store that fails, or does not answer in FACTS_DEADLINE_MS, costs those who wait now that long and no more: they go
 * on as if nothing were known. Then it is left alone for FACTS_PAUSE_MS; nobody waits for the look-up that tries it
 * anew. What comes too late is used all the same.
 */
import { LRUCache } from 'lru-cache';
import {
  FACTS_DEADLINE_MS,
  FACTS_PAUSE_MS,
  LOOKED_UP_LIFE_MS,
  MAX_FACTS_AT_ONCE,
  MAX_LOOKED_UP,
} from './limits.ts';
import type { Learned, SharedFacts } from './shared-facts.ts';

/** What is asked, and who is told each fact of it. A listener that throws is a bug, reported and survived. */
export type LookUp = { readonly subject: string; readonly learn: (fact: Learned) => void };

export type FactReader = {
  /** Null when there is nothing to wait for; the promise never rejects. Facts are told in the order of the look-ups. */
  look(lookUps: readonly LookUp[]): Promise<void> | null;
};

export type FactReaderOptions = {
  readonly facts: Pick<SharedFacts, 'recall'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

class Batch {
  readonly lookUps = new Map<string, LookUp>();
  readonly done: Promise<void>;
  /** Those who wait go on. */
  readonly release: () => void;
  timer: NodeJS.Timeout | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.release = resolve;
  }
}

export const createFactReader = ({ facts, now, onError }: FactReaderOptions): FactReader => {
  const lookedUp = new LRUCache<string, number>({ max: MAX_LOOKED_UP });
  /** By subject: the batch that it is in, until that is answered or given up. */
  const awaited = new Map<string, Batch>();
  /** Not sent yet; the last one still takes subjects. */
  const gathered: Batch[] = [];
  let sent: Batch | null = null;
  /** False from a failure until the store answers in time again. */
  let isTrusted = true;
  let pausedUntil = 0;

  const apply = (batch: Batch, found: Awaited<ReturnType<SharedFacts['recall']>>): void => {
    const until = now() + LOOKED_UP_LIFE_MS;
    for (const [subject, { learn }] of batch.lookUps) {
      lookedUp.set(subject, until);
      for (const fact of found) {
        if (fact.subject !== subject || !(fact.leftMs > 0)) continue;
        try {
          learn({ kind: fact.kind, value: fact.value, until: now() + fact.leftMs });
        } catch (error) {
          onError(error);
        }
      }
    }
  };

  const forget = (batch: Batch): void => {
    clearTimeout(batch.timer);
    for (const subject of batch.lookUps.keys()) if (awaited.get(subject) === batch) awaited.delete(subject);
    batch.release();
  };

  const distrust = (error: unknown): void => {
    isTrusted = false;
    pausedUntil = performance.now() + FACTS_PAUSE_MS;
    onError(error);
    for (const batch of gathered.splice(0)) forget(batch);
  };

  /** Its time is over, sent or not. */
  const giveUp = (batch: Batch): void => {
    forget(batch);
    const place = gathered.indexOf(batch);
    if (place !== -1) gathered.splice(place, 1);
    if (sent !== batch) return;
    sent = null;
    distrust(new Error(`what other processes know was not told within ${FACTS_DEADLINE_MS} ms`));
  };

  const send = async (batch: Batch): Promise<void> => {
    sent = batch;
    try {
      apply(batch, await facts.recall([...batch.lookUps.keys()]));
      if (sent === batch) isTrusted = true;
    } catch (error) {
      if (sent === batch) distrust(error);
      else onError(error);
    }
    if (sent !== batch) return;
    sent = null;
    forget(batch);
    sendNext();
  };

  const sendNext = (): void => {
    const batch = sent ? undefined : gathered.shift();
    if (batch) void send(batch);
  };

  const gather = (lookUp: LookUp): Batch => {
    let batch = gathered.at(-1);
    if (!batch || batch.lookUps.size >= MAX_FACTS_AT_ONCE) {
      const fresh = new Batch();
      fresh.timer = setTimeout(() => giveUp(fresh), FACTS_DEADLINE_MS);
      gathered.push(fresh);
      if (!sent && gathered.length === 1) setImmediate(sendNext);
      batch = fresh;
    }
    batch.lookUps.set(lookUp.subject, lookUp);
    awaited.set(lookUp.subject, batch);
    return batch;
  };

  return {
    look(lookUps) {
      const isTrial = !isTrusted;
      if (isTrial && (sent || performance.now() < pausedUntil)) return null;
      const batches = new Set<Batch>();
      for (const lookUp of lookUps) {
        if ((lookedUp.get(lookUp.subject) ?? 0) > now()) continue;
        batches.add(awaited.get(lookUp.subject) ?? gather(lookUp));
      }
      const [first, ...others] = batches;
      if (!first || isTrial) return null;
      return others.length === 0
        ? first.done
        : Promise.all([...batches].map(({ done }) => done)).then(() => undefined);
    },
  };
};
