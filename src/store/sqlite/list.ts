/** The caller's list in its own order, each row beside what is known of it. */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cell, ListedRow, Page } from '../../jobs/index.ts';
import type { Reason, Status } from '../../verdict/index.ts';
import { createRowPositions } from '../row-positions.ts';

type Listed = readonly [row: number, address: string, original: number | null, cells: string | null];
type Result = readonly [
  position: number,
  status: Status,
  reason: Reason,
  score: number,
  provider: string | null,
  exchange: string | null,
  code: number | null,
  enhancedCode: string | null,
  text: string | null,
  checkedAt: number,
];
/** As the tables have it: an export of a million of them may come out of another thread. */
export type KeptListedRow = readonly [listed: Listed, result: Result | null];

export type ListRange = { readonly afterRow: number; readonly limit: number };

/** Results whose rows are read at once: about 5 ms of the event loop. */
const batch = 5_000;

const createPositions = (db: DatabaseSync) => {
  const readLast = db.prepare('SELECT max(row) AS row FROM list_row WHERE job = ?');
  const readSettled = db.prepare(
    `SELECT row FROM result WHERE job = ? AND position > ? ORDER BY position LIMIT ${batch}`,
  );
  readSettled.setReturnArrays(true);
  return createRowPositions({
    batch,
    readLastRow: async (job) => Number(readLast.get(job)?.row ?? 0),
    // The last of them is read in the turn in which it is given, so that what is read next agrees with it.
    readSettledRows: async (job, afterPosition) => {
      if (afterPosition > 0) await nextTurn();
      const rows = readSettled.all(job, afterPosition) as unknown as readonly (readonly [number])[];
      return rows.map(([row]) => row);
    },
  });
};

export const createListReader = (db: DatabaseSync) => {
  const positions = createPositions(db);
  const readRows = db.prepare(
    'SELECT row, address, original, cells FROM list_row WHERE job = ? AND row > ? ORDER BY row LIMIT ?',
  );
  readRows.setReturnArrays(true);
  const readAtPositions = db.prepare(
    `SELECT r.position, r.status, r.reason, r.score, r.provider, r.exchange, r.reply_code, r.reply_enhanced,
       r.reply_text, r.checked_at
     FROM json_each(?) AS j CROSS JOIN result AS r ON r.job = ? AND r.position = j.value ORDER BY j.key`,
  );
  readAtPositions.setReturnArrays(true);

  return {
    async read(job: number, { afterRow, limit }: ListRange): Promise<Page<KeptListedRow>> {
      const positionOf = await positions.read(job);
      const rows = readRows.all(job, afterRow, limit + 1) as unknown as readonly Listed[];
      const hasNextPage = rows.length > limit;
      const listed = hasNextPage ? rows.slice(0, limit) : rows;
      const wanted = listed.map(([row]) => positionOf(row)).filter((position) => position > 0);
      const results = readAtPositions.all(JSON.stringify(wanted), job) as unknown as readonly Result[];
      let next = 0;
      // Results come in the order in which they were asked for.
      const resultOf = (row: number) => (positionOf(row) > 0 ? (results[next++] ?? null) : null);
      return { items: listed.map((row) => [row, resultOf(row[0])]), hasNextPage };
    },
    forget: positions.forget,
  };
};

const readListedRow = ([[row, address, duplicateOf, cells], result]: KeptListedRow): ListedRow => {
  const listed = { row, address, cells: cells === null ? null : (JSON.parse(cells) as readonly Cell[]) };
  if (result === null) return { ...listed, result };
  const [position, status, reason, score, provider, exchange, code, enhancedCode, text, checkedAt] = result;
  const reply = code === null ? null : { code, enhancedCode, text: text ?? '' };
  return {
    ...listed,
    result: {
      position,
      row,
      address,
      duplicateOf,
      status,
      reason,
      score,
      provider,
      exchange,
      reply,
      checkedAt: new Date(checkedAt),
    },
  };
};

export const readListedRows = ({ items, hasNextPage }: Page<KeptListedRow>): Page<ListedRow> => ({
  items: items.map(readListedRow),
  hasNextPage,
});
