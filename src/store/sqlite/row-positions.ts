/**
 * Which position the result of a row has. Results lie in the order of their positions, and an index by row would cost
 * settling as much as all the rest: each of its entries falls on another page. So the few who walk a list in its own
 * order (an export) have it worked out here, from what has settled since the last time: 4 octets a row, in memory.
 */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Results read at once: about 5 ms of the event loop. */
const batchResults = 5_000;
/** Lists that are walked at once and remembered, 4 MB for each million rows; one more, and the oldest is read anew. */
const mostLists = 3;

/** The position of a row; 0 while it is not settled. */
export type PositionOf = (row: number) => number;

export const createRowPositions = (db: DatabaseSync) => {
  const lists = new Map<number, { readonly positions: Uint32Array; settled: number }>();
  const readLast = db.prepare('SELECT max(row) AS row FROM list_row WHERE job = ?');
  const readSettled = db.prepare(
    `SELECT row FROM result WHERE job = ? AND position > ? ORDER BY position LIMIT ${batchResults}`,
  );
  readSettled.setReturnArrays(true);

  return {
    /** Of what is settled when it resolves; what is read in the same turn agrees with it. */
    async read(job: number): Promise<PositionOf> {
      const known = lists.get(job) ?? {
        positions: new Uint32Array(Number(readLast.get(job)?.row ?? 0) + 1),
        settled: 0,
      };
      lists.delete(job);
      lists.set(job, known);
      for (const oldest of lists.keys()) {
        if (lists.size <= mostLists) break;
        lists.delete(oldest);
      }
      while (true) {
        const rows = readSettled.all(job, known.settled) as unknown as readonly (readonly [number])[];
        for (const [row] of rows) {
          known.settled += 1;
          known.positions[row] = known.settled;
        }
        if (rows.length < batchResults) break;
        await nextTurn();
      }
      return (row) => known.positions[row] ?? 0;
    },
    forget: (job: number): void => void lists.delete(job),
  };
};
