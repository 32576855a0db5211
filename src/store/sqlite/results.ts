/** What has settled, read back: pages by position, by status, reason and part of the address, and what they count to. */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Breakdown, Page, ResultFilter, ResultPage, SettledRow } from '../../jobs/index.ts';
import type { Reason } from '../../verdict/index.ts';
import { reasonsOf } from '../reasons.ts';
import { lowerAscii, pageOf, readResultRow, resultColumns } from './rows.ts';

/** Results that a search looks at before it lets the event loop turn: about 5 ms. */
const searchedAtOnce = 2_000;

export const createResultReader = (db: DatabaseSync) => {
  const readPage = db.prepare(
    `SELECT ${resultColumns} FROM result AS r JOIN list_row AS l ON l.job = r.job AND l.row = r.row
     WHERE r.job = ? AND r.position > ? ORDER BY r.position LIMIT ?`,
  );
  const readPositions = db.prepare(
    'SELECT position FROM result WHERE job = ? AND reason = ? AND position > ? ORDER BY position LIMIT ?',
  );
  const readAtPositions = db.prepare(
    `SELECT ${resultColumns} FROM json_each(?) AS j CROSS JOIN result AS r ON r.job = ? AND r.position = j.value
     CROSS JOIN list_row AS l ON l.job = r.job AND l.row = r.row ORDER BY j.key`,
  );
  // `instr` and not LIKE: there is nothing to escape, and text behind a NUL is found as well.
  const searchRange = db.prepare(
    `SELECT r.position FROM result AS r CROSS JOIN list_row AS l ON l.job = r.job AND l.row = r.row
     WHERE r.job = ? AND r.position > ? AND r.position <= ? AND instr(lower(l.address), ?) > 0
     ORDER BY r.position`,
  );
  const searchPositions = db.prepare(
    `SELECT r.position FROM json_each(?) AS j CROSS JOIN result AS r ON r.job = ? AND r.position = j.value
     CROSS JOIN list_row AS l ON l.job = r.job AND l.row = r.row
     WHERE instr(lower(l.address), ?) > 0 ORDER BY j.key`,
  );
  const readSettled = db.prepare('SELECT settled FROM job WHERE number = ?');
  const readReasons = db.prepare(`SELECT key, count FROM tally WHERE job = ? AND kind = 'reason'`);
  const readTally = db.prepare(
    'SELECT key, count, deliverable FROM tally WHERE job = ? AND kind = ? ORDER BY count DESC, key LIMIT ?',
  );

  /** Each reason from its own range of the index; the first of all of them are what a merge would give. */
  const positionsAfter = (
    job: number,
    reasons: readonly Reason[],
    after: number,
    limit: number,
  ): readonly number[] =>
    reasons
      .flatMap((reason) => readPositions.all(job, reason, after, limit))
      .map(({ position }) => Number(position))
      .sort((a, b) => a - b)
      .slice(0, limit);

  /** Positions of the next results that match, slice by slice, with a turn of the event loop between. */
  async function* search(
    job: number,
    reasons: readonly Reason[] | null,
    needle: string,
    from: number,
  ): AsyncGenerator<readonly number[]> {
    const settled = Number(readSettled.get(job)?.settled ?? 0);
    let after = from;
    while (after < settled) {
      const candidates = reasons === null ? null : positionsAfter(job, reasons, after, searchedAtOnce);
      const end = candidates === null ? after + searchedAtOnce : (candidates.at(-1) ?? settled);
      const found =
        candidates === null
          ? searchRange.all(job, after, end, needle)
          : searchPositions.all(JSON.stringify(candidates), job, needle);
      if (found.length > 0) yield found.map(({ position }) => Number(position));
      after = end;
      await nextTurn();
    }
  }

  const findPositions = async (
    job: number,
    reasons: readonly Reason[] | null,
    { afterPosition, limit, search: part }: ResultPage & { readonly search: string },
  ): Promise<readonly number[]> => {
    const positions: number[] = [];
    for await (const found of search(job, reasons, lowerAscii(part), afterPosition)) {
      positions.push(...found);
      if (positions.length >= limit) break;
    }
    return positions.slice(0, limit);
  };

  return {
    async read(job: number, page: ResultPage): Promise<Page<SettledRow>> {
      const { afterPosition, limit, search: part } = page;
      const reasons = reasonsOf(page);
      if (part === null && reasons === null)
        return pageOf(readPage.all(job, afterPosition, limit + 1), limit, readResultRow);
      const positions =
        part === null
          ? positionsAfter(job, reasons ?? [], afterPosition, limit + 1)
          : await findPositions(job, reasons, { ...page, limit: limit + 1, search: part });
      return pageOf(readAtPositions.all(JSON.stringify(positions), job), limit, readResultRow);
    },
    async count(job: number, filter: ResultFilter): Promise<number> {
      const reasons = reasonsOf(filter);
      if (filter.search === null) {
        if (reasons === null) return Number(readSettled.get(job)?.settled ?? 0);
        return readReasons
          .all(job)
          .filter(({ key }) => reasons.includes(key as Reason))
          .reduce((sum, { count }) => sum + Number(count), 0);
      }
      let count = 0;
      for await (const found of search(job, reasons, lowerAscii(filter.search), 0)) count += found.length;
      return count;
    },
    breakdown(job: number, domains: number): Breakdown {
      const tally = (kind: string, limit: number) =>
        readTally.all(job, kind, limit).map(({ key, count, deliverable }) => ({
          key: String(key),
          count: Number(count),
          deliverable: Number(deliverable),
        }));
      // Reasons are a closed set, and the catalog's providers are some dozens: -1 is SQLite's "no limit".
      return {
        byReason: tally('reason', -1).map(({ key, count }) => ({ reason: key as Reason, count })),
        byProvider: tally('provider', -1).map(({ key, ...counts }) => ({ provider: key, ...counts })),
        byDomain: tally('domain', domains).map(({ key, ...counts }) => ({ domain: key, ...counts })),
      };
    },
  };
};
