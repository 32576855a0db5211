import { describe, expect, it } from 'vitest';
import { type ChunkPlan, chunkRows, createChunkCutter, planOrdinals } from './chunks.ts';

/** Cuts domains of these sizes, in their order. */
const cut = (sizes: readonly number[]): ChunkPlan[] => {
  const cutter = createChunkCutter();
  const plans: (ChunkPlan | null)[] = [];
  let row = 0;
  for (const [index, size] of sizes.entries())
    for (let n = 0; n < size; n += 1) {
      row += 1;
      plans.push(cutter.add(`d${index}`, row));
    }
  plans.push(cutter.end());
  return plans.filter((plan) => plan !== null);
};

describe('createChunkCutter', () => {
  /** Sizes of the domains → sizes of the chunks, and the domain that each begins with. */
  const rows: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
    [[], [], []],
    [[1], [1], [0]],
    [[500], [500], [0]],
    [[501], [500, 1], [0, 0]],
    [[1_200], [500, 500, 200], [0, 0, 0]],
    [[200, 200, 100], [500], [0]],
    // The third would be split and the first two are more than half a chunk: it stays whole.
    [
      [200, 200, 200],
      [400, 200],
      [0, 2],
    ],
    // Less than half: it is split.
    [
      [100, 500],
      [500, 100],
      [0, 1],
    ],
    [
      [250, 300, 1],
      [250, 301],
      [0, 1],
    ],
    [
      [300, 1_000],
      [300, 500, 500],
      [0, 1, 1],
    ],
    [Array.from({ length: 501 }, () => 1), [500, 1], [0, 500]],
  ];
  it.each(rows)('%j → %j', (sizes, chunks, firsts) => {
    const plans = cut(sizes);
    expect(plans.map(({ rows: held }) => held.length)).toEqual(chunks);
    expect(plans.map(({ domain }) => domain)).toEqual(firsts.map((index) => `d${index}`));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(plans.flatMap(({ rows: held }) => held)).toEqual(
      Array.from({ length: total }, (_, index) => index + 1),
    );
    for (const { rows: held } of plans) expect(held.length).toBeLessThanOrEqual(chunkRows);
  });
});

describe('planOrdinals', () => {
  it.each([
    [[], []],
    [['a'], [1]],
    [
      ['a', 'b', 'c'],
      [1, 2, 3],
    ],
    [
      ['big', 'big', 'big'],
      [1, 2, 3],
    ],
  ])('%j → %j', (domains, ordinals) => {
    expect(planOrdinals(domains)).toEqual(ordinals);
  });

  it('gives every chunk a number of its own, and spreads a large domain evenly', () => {
    const domains = [
      ...Array.from({ length: 50 }, () => 'big'),
      ...Array.from({ length: 50 }, (_, n) => `d${n}`),
    ];
    const ordinals = planOrdinals(domains);
    expect(ordinals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const quarter = ordinals.slice(0, 50).filter((ordinal) => ordinal <= 25).length;
    // The small ones stand where they stood, in the second half; the big one is everywhere.
    expect(quarter).toBeGreaterThanOrEqual(12);
    expect(ordinals.slice(0, 50).filter((ordinal) => ordinal > 75).length).toBeGreaterThanOrEqual(8);
  });
});
