/** How a list is cut: chunks that keep a domain together, and the order in which they are worked on. */

/** Rows a chunk holds at most: what a crash or a lost lease asks again, and what one worker holds in memory. */
export const chunkRows = 500;

export type ChunkPlan = { readonly domain: string; readonly rows: readonly number[] };

/**
 * Cuts rows that arrive sorted by domain. A domain that would be split is kept for the next chunk when the one at
 * hand is at least half full, since its addresses share a session.
 */
export const createChunkCutter = (): {
  /** Gives the chunk that this row completes, if any. */
  readonly add: (domain: string, row: number) => ChunkPlan | null;
  /** What is left. */
  readonly end: () => ChunkPlan | null;
} => {
  let rows: number[] = [];
  let first = '';
  let domainNow = '';
  let domainStart = 0;

  const cut = (count: number): ChunkPlan => {
    const plan = { domain: first, rows: rows.slice(0, count) };
    rows = rows.slice(count);
    first = domainNow;
    domainStart = 0;
    return plan;
  };

  return {
    add(domain, row) {
      const isFull = rows.length === chunkRows;
      const continues = domain === domainNow;
      const plan = isFull ? cut(continues && domainStart >= chunkRows / 2 ? domainStart : chunkRows) : null;
      if (!continues || rows.length === 0) {
        domainNow = domain;
        domainStart = rows.length;
        if (rows.length === 0) first = domain;
      }
      rows.push(row);
      return plan;
    },
    end: () => (rows.length === 0 ? null : cut(rows.length)),
  };
};

/**
 * The ordinals of chunks, 1 … n, given the domain that each begins with. The chunks of one large domain are spread
 * evenly over the whole: a lane serves them at its own pace whatever we do, so a job lasts as long as its slowest
 * domain, and not as that one and all the others one after another.
 */
export const planOrdinals = (domains: readonly string[]): readonly number[] => {
  const sizes = new Map<string, number>();
  for (const domain of domains) sizes.set(domain, (sizes.get(domain) ?? 0) + 1);
  const seen = new Map<string, number>();
  const places = domains.map((domain, index) => {
    const nth = seen.get(domain) ?? 0;
    seen.set(domain, nth + 1);
    const size = sizes.get(domain) ?? 1;
    return { index, at: size === 1 ? index / domains.length : (nth + 0.5) / size };
  });
  places.sort((a, b) => a.at - b.at || a.index - b.index);
  const ordinals = new Array<number>(domains.length);
  for (const [ordinal, { index }] of places.entries()) ordinals[index] = ordinal + 1;
  return ordinals;
};
