import { describe, expect, it } from 'vitest';
import { createTogether } from './together.ts';

/** A run that ends when it is told to. */
const start = (most = 10) => {
  const runs: { readonly items: readonly string[]; readonly end: (fault?: Error) => void }[] = [];
  const together = createTogether<string, string>(
    (items) =>
      new Promise((resolve, reject) =>
        runs.push({
          items,
          end: (fault) => (fault === undefined ? resolve(items.map((item) => `${item}!`)) : reject(fault)),
        }),
      ),
    most,
    (error) => error instanceof RangeError,
  );
  return { together, runs };
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('together', () => {
  it('does at once what finds nobody, and together what came meanwhile; each gets its own result', async () => {
    const { together, runs } = start();
    const answers = ['a', 'b', 'c'].map((item) => together('k', item));
    expect(runs.map(({ items }) => items)).toEqual([['a']]);
    runs[0]?.end();
    await turn();
    expect(runs[1]?.items).toEqual(['b', 'c']);
    runs[1]?.end();
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!']);
    // Idle again: the next one waits for nobody.
    void together('k', 'd');
    expect(runs[2]?.items).toEqual(['d']);
  });

  it('lets keys go beside each other, and takes no more than it may', async () => {
    const { together, runs } = start(2);
    for (const item of ['a', 'b', 'c', 'd']) void together('k', item);
    void together('other', 'x');
    expect(runs.map(({ items }) => items)).toEqual([['a'], ['x']]);
    runs[0]?.end();
    await turn();
    expect(runs[2]?.items).toEqual(['b', 'c']);
  });

  it('tells all of a batch at once what is nobody’s fault', async () => {
    const { together, runs } = start();
    const [a, b, c] = ['a', 'b', 'c'].map((item) => together('k', item));
    runs[0]?.end();
    await turn();
    runs[1]?.end(new RangeError('the store is away'));
    await expect(b).rejects.toThrow('the store is away');
    await expect(c).rejects.toThrow('the store is away');
    expect(await a).toBe('a!');
    expect(runs).toHaveLength(2);
  });

  it('does each alone where a batch fails, and fails that one alone which fails again', async () => {
    const { together, runs } = start();
    const [a, b, c] = ['a', 'b', 'c'].map((item) => together('k', item));
    runs[0]?.end();
    await turn();
    runs[1]?.end(new Error('one of them'));
    await turn();
    expect(runs[2]?.items).toEqual(['b']);
    runs[2]?.end(new Error('b is bad'));
    await expect(b).rejects.toThrow('b is bad');
    await turn();
    expect(runs[3]?.items).toEqual(['c']);
    runs[3]?.end();
    expect(await Promise.all([a, c])).toEqual(['a!', 'c!']);
  });
});
