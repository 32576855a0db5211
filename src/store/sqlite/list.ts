/** The caller's list in its own order, each row beside what is known of it. */
import type { DatabaseSync } from 'node:sqlite';
import type { ListedRow, Page } from '../../jobs/index.ts';
import { createRowPositions } from './row-positions.ts';
import { readListedRow, readResultRow } from './rows.ts';

export const createListReader = (db: DatabaseSync) => {
  const positions = createRowPositions(db);
  const readRows = db.prepare(
    'SELECT row, address, original, cells FROM list_row WHERE job = ? AND row > ? ORDER BY row LIMIT ?',
  );
  const readAtPositions = db.prepare(
    `SELECT r.position, r.status, r.reason, r.score, r.provider, r.exchange, r.reply_code, r.reply_enhanced,
       r.reply_text, r.checked_at
     FROM json_each(?) AS j CROSS JOIN result AS r ON r.job = ? AND r.position = j.value ORDER BY j.key`,
  );

  return {
    async read(
      job: number,
      { afterRow, limit }: { readonly afterRow: number; readonly limit: number },
    ): Promise<Page<ListedRow>> {
      const positionOf = await positions.read(job);
      const rows = readRows.all(job, afterRow, limit + 1);
      const hasNextPage = rows.length > limit;
      const listed = hasNextPage ? rows.slice(0, limit) : rows;
      const wanted = listed.map(({ row }) => positionOf(Number(row))).filter((position) => position > 0);
      const results = readAtPositions.all(JSON.stringify(wanted), job);
      let next = 0;
      return {
        items: listed.map((row) => {
          // They come in the order in which they were asked for.
          const result = positionOf(Number(row.row)) > 0 ? results[next++] : undefined;
          return readListedRow(row, result === undefined ? null : readResultRow(result, row));
        }),
        hasNextPage,
      };
    },
    forget: positions.forget,
  };
};
