/** What has settled, read back: pages by position, by status, reason and part of the address, and what they count to. */
import type { Breakdown, Page, ResultFilter, ResultPage, SettledRow } from '../../jobs/index.ts';
import type { Reason } from '../../verdict/index.ts';
import { reasonsOf } from '../reasons.ts';
import type { Database, Row } from './database.ts';
import { pageOf, readResultRow, resultColumns } from './rows.ts';
import { encodeText } from './text.ts';

/** ASCII letters in any case: "C" knows no others. */
const searched = `strpos(lower(l.address COLLATE "C"), lower($4 COLLATE "C")) > 0`;

/** Where a page ends early: each row of the list is looked up for itself, as in settling. */
const lookedUp = `FROM result AS r CROSS JOIN LATERAL (
  SELECT row, address, original FROM list_row WHERE job = r.job AND row = r.row OFFSET 0) AS l WHERE r.job = $1`;
/** Where all of them are walked. */
const joined = `FROM result AS r JOIN list_row AS l ON l.job = r.job AND l.row = r.row WHERE r.job = $1`;

const readTally = (row: Row) => ({
  key: String(row.key),
  count: Number(row.count),
  deliverable: Number(row.deliverable),
});

export const createResultReader = ({ query }: Pick<Database, 'query'>) => ({
  async read(job: number, page: ResultPage): Promise<Page<SettledRow>> {
    const { afterPosition, limit, search } = page;
    const reasons = reasonsOf(page);
    const rows = await query(
      `SELECT ${resultColumns} ${lookedUp} AND r.position > $2
         ${reasons === null ? 'AND $3::text[] IS NULL' : 'AND r.reason = ANY($3::text[])'}
         ${search === null ? 'AND $4::text IS NULL' : `AND ${searched}`}
       ORDER BY r.position LIMIT $5`,
      [job, afterPosition, reasons, search === null ? null : encodeText(search), limit + 1],
    );
    return pageOf(rows, limit, readResultRow);
  },
  async count(job: number, filter: ResultFilter): Promise<number> {
    const reasons = reasonsOf(filter);
    if (filter.search !== null) {
      const [row] = await query(
        `SELECT count(*) AS n ${joined} AND r.position > $2 AND ($3::text[] IS NULL OR r.reason = ANY($3)) AND ${searched}`,
        [job, 0, reasons, encodeText(filter.search)],
      );
      return Number(row?.n);
    }
    if (reasons === null)
      return Number((await query('SELECT settled FROM job WHERE number = $1', [job]))[0]?.settled ?? 0);
    const [row] = await query(
      `SELECT coalesce(sum(count), 0) AS n FROM tally WHERE job = $1 AND kind = 'reason' AND key = ANY($2)`,
      [job, reasons],
    );
    return Number(row?.n);
  },
  async breakdown(job: number, domains: number): Promise<Breakdown> {
    const tally = async (kind: string, limit: number | null) =>
      (
        await query(
          `SELECT key, count, deliverable FROM tally WHERE job = $1 AND kind = $2
           ORDER BY count DESC, key COLLATE "C" LIMIT $3`,
          [job, kind, limit],
        )
      ).map(readTally);
    // Reasons are a closed set, and the catalog's providers are some dozens.
    const [byReason, byProvider, byDomain] = await Promise.all([
      tally('reason', null),
      tally('provider', null),
      tally('domain', domains),
    ]);
    return {
      byReason: byReason.map(({ key, count }) => ({ reason: key as Reason, count })),
      byProvider: byProvider.map(({ key, ...counts }) => ({ provider: key, ...counts })),
      byDomain: byDomain.map(({ key, ...counts }) => ({ domain: key, ...counts })),
    };
  },
});
