/** The caller's list in its own order, each row beside what is known of it. */
import type { ListedRow, Page } from '../../jobs/index.ts';
import { createRowPositions } from '../row-positions.ts';
import type { Database } from './database.ts';
import { readListedRow } from './rows.ts';

/** Row numbers read at once: 80 KB on the wire. */
const batch = 20_000;

export const createListReader = ({ query }: Pick<Database, 'query'>) => {
  const positions = createRowPositions({
    batch,
    readLastRow: async (job) =>
      Number((await query('SELECT max(row) AS row FROM list_row WHERE job = $1', [job]))[0]?.row ?? 0),
    readSettledRows: async (job, position) =>
      (
        await query(
          `SELECT row FROM result WHERE job = $1 AND position > $2 ORDER BY position LIMIT ${batch}`,
          [job, position],
        )
      ).map(({ row }) => Number(row)),
  });

  return {
    async read(
      job: number,
      { afterRow, limit }: { readonly afterRow: number; readonly limit: number },
    ): Promise<Page<ListedRow>> {
      const positionOf = await positions.read(job);
      const listed = await query(
        'SELECT row, address, original, cells FROM list_row WHERE job = $1 AND row > $2 ORDER BY row LIMIT $3',
        [job, afterRow, limit + 1],
      );
      const page = listed.slice(0, limit);
      const wanted = page.map(({ row }) => positionOf(Number(row))).filter((position) => position > 0);
      const results = await query(
        `SELECT position, row, status, reason, score, provider, exchange, reply_code, reply_enhanced, reply_text, checked_at
         FROM result WHERE job = $1 AND position = ANY($2::int[])`,
        [job, wanted],
      );
      const byRow = new Map(results.map((result) => [Number(result.row), result]));
      return {
        items: page.map((row) => readListedRow(row, byRow.get(Number(row.row)) ?? null)),
        hasNextPage: listed.length > limit,
      };
    },
    forget: positions.forget,
  };
};
