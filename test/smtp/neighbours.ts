/** The store of several processes in one: what each tells the others, kept in memory. */
import type { Fact, SharedFacts } from '../../src/smtp/index.ts';

export type MemoryFacts = SharedFacts & {
  /** The subjects of each look-up, and the facts of each write. */
  readonly lookUps: (readonly string[])[];
  readonly writes: (readonly Fact[])[];
  /** What lives, as JSON: a store keeps text. */
  list(): readonly Fact[];
  put(subject: string, kind: string, value: unknown, lifeMs?: number): void;
  clear(): void;
};

/** @param now of the store, which is not that of the processes */
export const memoryFacts = (now: () => number = Date.now): MemoryFacts => {
  const kept = new Map<string, { readonly fact: Fact; readonly until: number }>();
  const lookUps: (readonly string[])[] = [];
  const writes: (readonly Fact[])[] = [];
  const put = (subject: string, kind: string, value: unknown, lifeMs = 60_000): void => {
    const fact = { subject, kind, value: JSON.parse(JSON.stringify(value)) };
    kept.set(`${subject} ${kind}`, { fact, until: now() + lifeMs });
  };
  return {
    lookUps,
    writes,
    async recall(subjects) {
      lookUps.push(subjects);
      return [...kept.values()]
        .filter(({ fact, until }) => subjects.includes(fact.subject) && until > now())
        .map(({ fact, until }) => ({ ...fact, leftMs: until - now() }));
    },
    async remember(facts) {
      writes.push(facts);
      for (const { subject, kind, value, lifeMs } of facts) put(subject, kind, value, lifeMs);
    },
    list: () => [...kept.values()].map(({ fact }) => fact),
    put,
    clear: () => kept.clear(),
  };
};
