/**
 * Rows that must be asked again, put into chunks that start at their time: with others of the job that wait for the same
 * second, in the queue of whoever shall ask them.
 */
import { chunkRows } from '../../jobs/chunks.ts';
import type { WaitingRow } from '../../jobs/index.ts';
import type { Query } from './database.ts';
import { placeChunks } from './places.ts';
import { anybody, queueOf, type Tickets } from './tickets.ts';

/** As in SQLite: rows whose times fall into one second start together, else each would become a chunk of its own. */
const waitGrainMs = 1_000;
/** A chunk whose lease is held, locked. */
export type Held = {
  readonly chunk: number;
  readonly job: number;
  readonly jobId: string;
  readonly tries: number;
  readonly ordinal: number;
  readonly avoid: readonly string[];
  readonly hasDuplicates: boolean;
  readonly place: { readonly id: string; readonly queue: string; readonly take: number };
  /** The database's time. */
  readonly now: Date;
};

export type WriteWaiting = (
  query: Query,
  held: Held,
  waiting: readonly WaitingRow[],
  now: Date,
  context: {
    /** Sources that have a worker. */
    readonly alive: readonly string[];
    readonly isPaused: boolean;
  },
) => Promise<void>;

/** @param source this process' own */
export const createWaitingRows = (tickets: Tickets, source: string): WriteWaiting => {
  /** Which queue a row waits in, and whom it must not meet again. */
  const homeOf = (
    { where }: WaitingRow,
    avoid: readonly string[],
    alive: readonly string[],
  ): { readonly queue: string; readonly avoid: readonly string[] } => {
    if (where === 'here') return { queue: queueOf(source), avoid };
    if (where !== 'elsewhere') return { queue: anybody, avoid };
    const avoided = [...new Set([...avoid, source])];
    const others = alive.filter((name) => !avoided.includes(name));
    const other = others[Math.floor(Math.random() * others.length)];
    return { queue: other === undefined ? anybody : queueOf(other), avoid: avoided };
  };

  const putWaiting = async (
    query: Query,
    { job, jobId, ordinal, tries }: Held,
    place: { readonly notBefore: Date; readonly queue: string; readonly avoid: readonly string[] },
    rows: readonly number[],
    isPaused: boolean,
  ): Promise<void> => {
    let rest = rows;
    while (rest.length > 0) {
      const [open] = await query(
        `SELECT id, cardinality(rows) AS held FROM chunk
         WHERE job = $1 AND tries = $2 AND not_before = $3 AND queue = $4 AND avoid = $5 AND lease IS NULL
           AND cardinality(rows) < ${chunkRows} LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [job, tries + 1, place.notBefore, place.queue, place.avoid],
      );
      const some = rest.slice(0, chunkRows - Number(open?.held ?? 0));
      rest = rest.slice(some.length);
      if (open !== undefined) {
        await query('UPDATE chunk SET rows = rows || $1::int[] WHERE id = $2', [some, open.id]);
        continue;
      }
      const [chunk] = await query(
        `INSERT INTO chunk (job, ordinal, not_before, tries, rows, queue, avoid)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
        [job, ordinal, place.notBefore, tries + 1, some, place.queue, place.avoid],
      );
      if (isPaused) continue;
      await placeChunks(query, tickets, place.queue, [
        { id: Number(chunk?.id), job: jobId, ordinal, notBefore: place.notBefore },
      ]);
    }
  };

  return async (query, held, waiting, now, { alive, isPaused }) => {
    const places = new Map<
      string,
      { notBefore: Date; queue: string; avoid: readonly string[]; rows: number[] }
    >();
    for (const row of waiting) {
      const delayMs = row.retryAt.getTime() - now.getTime();
      const notBefore = new Date(Math.ceil((held.now.getTime() + delayMs) / waitGrainMs) * waitGrainMs);
      const home = homeOf(row, held.avoid, alive);
      const key = JSON.stringify([notBefore, home]);
      const place = places.get(key) ?? { notBefore, ...home, rows: [] };
      places.set(key, place);
      place.rows.push(row.row);
    }
    for (const { rows, ...place } of places.values()) await putWaiting(query, held, place, rows, isPaused);
  };
};
