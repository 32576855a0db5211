/**
 * Which position the result of a row has. Results lie in the order of their positions, and an index by row would cost
 * settling as much as all the rest: each of its entries falls on another page. So the few who walk a list in its own
 * order (an export) have it worked out here, from what has settled since the last time: 4 octets a row, in memory.
 */

/** Lists that are walked at once and remembered, 4 MB for each million rows; one more, and the oldest is read anew. */
const mostLists = 3;

/** The position of a row; 0 while it is not settled. */
export type PositionOf = (row: number) => number;

export type RowPositionsOptions = {
  readonly readLastRow: (job: number) => Promise<number>;
  /** The rows of the next results behind a position, in the order of positions; fewer than asked for: there are no more. */
  readonly readSettledRows: (job: number, afterPosition: number) => Promise<readonly number[]>;
  /** How many of them are read at once. */
  readonly batch: number;
};

type List = { readonly positions: Uint32Array; settled: number; reading: Promise<void> };

export const createRowPositions = ({ readLastRow, readSettledRows, batch }: RowPositionsOptions) => {
  const lists = new Map<number, List>();

  const catchUp = async (job: number, list: List): Promise<void> => {
    while (true) {
      const rows = await readSettledRows(job, list.settled);
      for (const row of rows) {
        list.settled += 1;
        list.positions[row] = list.settled;
      }
      if (rows.length < batch) return;
    }
  };

  return {
    /** Of what is settled when it resolves. */
    async read(job: number): Promise<PositionOf> {
      const known = lists.get(job);
      const list = known ?? {
        positions: new Uint32Array((await readLastRow(job)) + 1),
        settled: 0,
        reading: Promise.resolve(),
      };
      lists.delete(job);
      lists.set(job, list);
      for (const oldest of lists.keys()) {
        if (lists.size <= mostLists) break;
        lists.delete(oldest);
      }
      // One after another: two who read at once would count each result twice.
      list.reading = list.reading.catch(() => undefined).then(() => catchUp(job, list));
      await list.reading;
      return (row) => list.positions[row] ?? 0;
    },
    forget: (job: number): void => void lists.delete(job),
  };
};
