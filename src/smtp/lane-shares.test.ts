import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LaneNode, planShare, readLaneNodes } from './lane-shares.ts';

const nodes = (...sessions: readonly number[]): readonly LaneNode[] =>
  sessions.map((count, index) => ({ node: `n${index}`, sessions: count }));

describe('planShare', () => {
  it.each<[string, readonly number[], number, number, { usable: number; fair: number; wish: number }]>([
    ['alone it has all', [4], 0, 0, { usable: 4, fair: 4, wish: 4 }],
    ['alone with one claimed it may claim all', [1], 0, 0, { usable: 1, fair: 4, wish: 4 }],
    ['the second gets nothing while the first claims all', [4, 1], 1, 0, { usable: 0, fair: 2, wish: 0 }],
    ['the first makes room for the second', [4, 1], 0, 4, { usable: 2, fair: 2, wish: 2 }],
    ['the first keeps its part, whatever others claim', [4, 9], 0, 4, { usable: 2, fair: 2, wish: 2 }],
    ['what nobody claims may be claimed', [2, 0], 1, 0, { usable: 0, fair: 2, wish: 2 }],
    ['and used once it is', [2, 2], 1, 0, { usable: 2, fair: 2, wish: 2 }],
    [
      'the rest of the division goes to those who came first',
      [2, 1, 1],
      0,
      2,
      { usable: 2, fair: 2, wish: 2 },
    ],
    ['and to nobody else', [2, 1, 1], 2, 1, { usable: 1, fair: 1, wish: 1 }],
    ['with more nodes than sessions some have none', [1, 1, 1, 1, 1], 4, 0, { usable: 0, fair: 0, wish: 0 }],
  ])('%s', (_name, claims, rank, held, expected) => {
    expect(planShare(nodes(...claims), `n${rank}`, 4, held)).toEqual(expected);
  });

  /** Nodes that come, beat, shed sessions and go in any order, each knowing only what it heard last. */
  it('never lets all together open more than the limit, and gives all away once it is quiet', () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.constantFrom('beat', 'beat', 'beat', 'shed', 'leave'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 120 }), (limit, steps) => {
        const claims = new Map<string, number>();
        const held = new Map<string, { usable: number; open: number; wish: number }>();
        const list = () => [...claims].map(([node, sessions]) => ({ node, sessions }));
        const beat = (node: string): void => {
          const own = held.get(node) ?? { usable: 0, open: 0, wish: 1 };
          const isAlone = [...claims.keys()].every((other) => other === node);
          claims.set(node, isAlone ? limit : Math.max(own.wish, own.usable, own.open));
          const { usable, wish } = planShare(list(), node, limit, own.usable);
          // It opens as many as it may, and leaves those past it later.
          held.set(node, { usable, wish, open: Math.max(own.open, usable) });
        };
        const shed = (node: string): void => {
          const own = held.get(node);
          if (own) held.set(node, { ...own, open: Math.min(own.open, own.usable) });
        };
        const check = (): void =>
          expect([...held.values()].reduce((sum, { open }) => sum + open, 0)).toBeLessThanOrEqual(limit);
        for (const { who, what } of steps) {
          const node = `n${who}`;
          if (what === 'beat') beat(node);
          else if (what === 'shed') shed(node);
          else {
            held.delete(node);
            claims.delete(node);
          }
          check();
        }
        for (let round = 0; round < 4; round++)
          for (const node of held.keys()) {
            shed(node);
            beat(node);
            check();
          }
        const used = [...held.values()].map(({ usable }) => usable);
        if (used.length > 0) expect(used.reduce((sum, one) => sum + one, 0)).toBe(limit);
        if (used.length > 0) expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('readLaneNodes', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    ['n0'],
    [[]],
    [[{ node: 'n1', sessions: 1 }]],
    [[{ node: 'n0', sessions: -1 }]],
    [[{ node: 'n0', sessions: 0.5 }]],
    [[{ node: 'n0', sessions: '1' }]],
    [[{ node: 'n0', sessions: 1 }, null]],
    [[{ node: 'n0', sessions: Number.NaN }]],
  ])('%j says nothing', (value) => {
    expect(readLaneNodes(value, 'n0')).toBeNull();
  });

  it('is the list as it is', () => {
    expect(readLaneNodes(nodes(1, 2), 'n1')).toEqual(nodes(1, 2));
  });
});
