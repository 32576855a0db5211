/** The store of several processes in one: what each tells the others, kept in memory. */
import type { Fact, LaneNode, LaneShares, SharedFacts } from '../../src/smtp/index.ts';

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

export type MemoryShares = LaneShares & {
  /** The lanes of each call. */
  readonly announced: (readonly string[])[];
  /** Live nodes of the lane, in the order of coming. */
  list(scope: string, lane: string): readonly LaneNode[];
  /** A node of another process. */
  put(scope: string, lane: string, node: string, sessions: number, lifeMs?: number): void;
};

export const memoryShares = (now: () => number = () => performance.now()): MemoryShares => {
  const lanes = new Map<string, Map<string, { readonly sessions: number; readonly until: number }>>();
  const announced: (readonly string[])[] = [];
  const open = (scope: string, lane: string) => {
    const name = `${scope}: ${lane}`;
    const nodes = lanes.get(name) ?? new Map();
    lanes.set(name, nodes);
    for (const [node, { until }] of nodes) if (until <= now()) nodes.delete(node);
    return nodes;
  };
  const list = (scope: string, lane: string): readonly LaneNode[] =>
    [...open(scope, lane)].map(([node, { sessions }]) => ({ node, sessions }));
  return {
    announced,
    list,
    put: (scope, lane, node, sessions, lifeMs = 60_000) =>
      void open(scope, lane).set(node, { sessions, until: now() + lifeMs }),
    async announce({ scope, node, lifeMs }, claims) {
      announced.push(claims.map(({ lane }) => lane));
      return new Map(
        claims.map(({ lane, sessions, ifAlone }) => {
          const nodes = open(scope, lane);
          const isAlone = [...nodes.keys()].every((other) => other === node);
          nodes.set(node, { sessions: isAlone ? ifAlone : sessions, until: now() + lifeMs });
          return [lane, list(scope, lane)];
        }),
      );
    },
    async leave({ scope, node }, names) {
      for (const lane of names) open(scope, lane).delete(node);
    },
  };
};
