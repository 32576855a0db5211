/** Rows of the SQLite tables ↔ the types of jobs. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Job, JobState, ListShape, Page, SettledRow } from '../../jobs/index.ts';
import type { Reason, Status } from '../../verdict/index.ts';

export type Row = Record<string, SQLOutputValue>;

/** States in which a job is seen by anybody. */
export const visible = `state NOT IN ('LOADING', 'ERASING')`;

/** A paused job's rows are asked when it is resumed, which nobody knows. */
export const jobColumns = `number, id, owner, name, state, created_at, started_at, ended_at, expires_at, input_hash,
  list_format, file_name, columns, address_column, max_age, stored_bytes, webhook_url, webhook_tells_progress,
  total, settled, waiting, deliverable, undeliverable, risky, unknown, duplicates,
  (SELECT min(not_before) FROM chunk
   WHERE chunk.job = job.number AND tries > 0 AND lease IS NULL AND readiness < 3) AS next_retry_at`;

/** Columns of a result joined to its row of the list, as `r` and `l`. */
export const resultColumns = `r.position, l.row, l.address, l.original, r.status, r.reason, r.score, r.provider,
  r.exchange, r.reply_code, r.reply_enhanced, r.reply_text, r.checked_at`;

export const text = (value: SQLOutputValue | undefined): string | null =>
  typeof value === 'string' ? value : null;
export const date = (value: SQLOutputValue | undefined): Date | null =>
  typeof value === 'number' ? new Date(value) : null;
const integer = (value: SQLOutputValue | undefined): number | null =>
  typeof value === 'number' ? value : null;
const number = (value: SQLOutputValue | undefined): number => Number(value);

export const readJobRow = (row: Row): Job => ({
  id: String(row.id),
  owner: text(row.owner),
  name: text(row.name),
  state: String(row.state) as JobState,
  createdAt: new Date(number(row.created_at)),
  startedAt: date(row.started_at),
  endedAt: date(row.ended_at),
  expiresAt: new Date(number(row.expires_at)),
  counters: {
    total: number(row.total),
    settled: number(row.settled),
    waiting: number(row.waiting),
    deliverable: number(row.deliverable),
    undeliverable: number(row.undeliverable),
    risky: number(row.risky),
    unknown: number(row.unknown),
    duplicates: number(row.duplicates),
  },
  nextRetryAt: date(row.next_retry_at),
  list: {
    format: String(row.list_format) as ListShape['format'],
    fileName: text(row.file_name),
    columns: JSON.parse(String(row.columns)) as readonly string[],
    addressColumn: number(row.address_column),
  },
  maxAgeSeconds: integer(row.max_age),
  storedBytes: number(row.stored_bytes),
  webhook:
    typeof row.webhook_url === 'string'
      ? { url: row.webhook_url, tellsProgress: row.webhook_tells_progress === 1 }
      : null,
});

export const readResultRow = (row: Row): SettledRow => ({
  position: number(row.position),
  row: number(row.row),
  address: String(row.address),
  duplicateOf: integer(row.original),
  status: String(row.status) as Status,
  reason: String(row.reason) as Reason,
  score: number(row.score),
  provider: text(row.provider),
  exchange: text(row.exchange),
  reply:
    row.reply_code === null
      ? null
      : {
          code: number(row.reply_code),
          enhancedCode: text(row.reply_enhanced),
          text: text(row.reply_text) ?? '',
        },
  checkedAt: new Date(number(row.checked_at)),
});

/** The first `limit` of the rows, which were asked for with one more to see whether there is a next page. */
export const pageOf = <Item>(rows: readonly Row[], limit: number, read: (row: Row) => Item): Page<Item> => ({
  items: rows.slice(0, limit).map((row) => read(row)),
  hasNextPage: rows.length > limit,
});

/** As SQLite's `lower`: ASCII letters and no others. */
export const lowerAscii = (given: string): string =>
  given.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
