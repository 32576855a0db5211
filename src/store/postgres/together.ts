/**
 * What comes for one key while it is busy is done together next: batches form by themselves, with no timer, as large as
 * the work is slow. Where a batch fails each of it is done alone, so that one item's fault is nobody else's; unless it
 * failed for what would fail each of them, which all of them are told at once.
 */

type Waiting<Item, Result> = PromiseWithResolvers<Result> & { readonly item: Item };

/**
 * @param run does some items, whole or not at all, and gives a result for each in their order
 * @param most items at once: bounds how long one run holds what it locks
 * @param isNobodys is it no item's fault?
 */
export const createTogether = <Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  most: number,
  isNobodys: (error: unknown) => boolean,
): ((key: string, item: Item) => Promise<Result>) => {
  /** By key that is busy, what waits for it. */
  const busy = new Map<string, Waiting<Item, Result>[]>();

  const runAlone = async ({ item, resolve, reject }: Waiting<Item, Result>): Promise<void> => {
    try {
      const [result] = await run([item]);
      resolve(result as Result);
    } catch (error) {
      reject(error);
    }
  };

  const runSome = async (some: readonly Waiting<Item, Result>[]): Promise<void> => {
    const [first, ...others] = some;
    if (first === undefined) return;
    if (others.length === 0) return runAlone(first);
    try {
      const results = await run(some.map(({ item }) => item));
      for (const [index, { resolve }] of some.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (isNobodys(error)) for (const { reject } of some) reject(error);
      // Else it is told by whichever of them fails again.
      else for (const one of some) await runAlone(one);
    }
  };

  const work = async (key: string, waiting: Waiting<Item, Result>[]): Promise<void> => {
    while (waiting.length > 0) await runSome(waiting.splice(0, most));
    busy.delete(key);
  };

  return (key, item) => {
    const one = { ...Promise.withResolvers<Result>(), item };
    const waiting = busy.get(key);
    if (waiting === undefined) {
      const first = [one];
      busy.set(key, first);
      void work(key, first);
    } else waiting.push(one);
    return one.promise;
  };
};
