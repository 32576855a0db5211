/** Rows of the PostgreSQL tables ↔ the types of jobs. */
import type { Cell, Job, JobState, ListedRow, ListShape, Page, SettledRow } from '../../jobs/index.ts';
import type { Reason, Status } from '../../verdict/index.ts';
import type { Row } from './database.ts';
import { decodeText } from './text.ts';

/** States in which a job is seen by anybody. */
export const visible = `state <> 'ERASING'`;

/** A paused job's rows are asked when it is resumed, which nobody knows. */
export const jobColumns = `number, id, owner, name, state, created_at, started_at, ended_at, expires_at, input_hash,
  list_format, file_name, columns, address_column, max_age, stored_bytes, webhook_url, webhook_tells_progress,
  total, settled, waiting, deliverable, undeliverable, risky, unknown, duplicates,
  (SELECT min(not_before) FROM chunk
   WHERE chunk.job = job.number AND tries > 0 AND lease IS NULL AND ticket IS NOT NULL) AS next_retry_at`;

/** Columns of a result joined to its row of the list, as `r` and `l`. */
export const resultColumns = `r.position, l.row, l.address, l.original, r.status, r.reason, r.score, r.provider,
  r.exchange, r.reply_code, r.reply_enhanced, r.reply_text, r.checked_at`;

export const text = (value: unknown): string | null => (typeof value === 'string' ? decodeText(value) : null);
export const date = (value: unknown): Date | null => (value instanceof Date ? value : null);
const integer = (value: unknown): number | null => (typeof value === 'number' ? value : null);

export const readJobRow = (row: Row): Job => ({
  id: String(row.id),
  owner: text(row.owner),
  name: text(row.name),
  state: row.state as JobState,
  createdAt: row.created_at as Date,
  startedAt: date(row.started_at),
  endedAt: date(row.ended_at),
  expiresAt: row.expires_at as Date,
  counters: {
    total: Number(row.total),
    settled: Number(row.settled),
    waiting: Number(row.waiting),
    deliverable: Number(row.deliverable),
    undeliverable: Number(row.undeliverable),
    risky: Number(row.risky),
    unknown: Number(row.unknown),
    duplicates: Number(row.duplicates),
  },
  nextRetryAt: date(row.next_retry_at),
  list: {
    format: row.list_format as ListShape['format'],
    fileName: text(row.file_name),
    columns: JSON.parse(String(row.columns)) as readonly string[],
    addressColumn: Number(row.address_column),
  },
  maxAgeSeconds: integer(row.max_age),
  storedBytes: Number(row.stored_bytes),
  webhook:
    typeof row.webhook_url === 'string'
      ? { url: row.webhook_url, tellsProgress: row.webhook_tells_progress === true }
      : null,
});

export const readResultRow = (row: Row): SettledRow => ({
  position: Number(row.position),
  row: Number(row.row),
  address: text(row.address) ?? '',
  duplicateOf: integer(row.original),
  status: row.status as Status,
  reason: row.reason as Reason,
  score: Number(row.score),
  provider: text(row.provider),
  exchange: text(row.exchange),
  reply:
    row.reply_code === null
      ? null
      : {
          code: Number(row.reply_code),
          enhancedCode: text(row.reply_enhanced),
          text: text(row.reply_text) ?? '',
        },
  checkedAt: row.checked_at as Date,
});

export const readListedRow = (row: Row, result: Row | null): ListedRow => ({
  row: Number(row.row),
  address: text(row.address) ?? '',
  cells: typeof row.cells === 'string' ? (JSON.parse(row.cells) as readonly Cell[]) : null,
  result: result === null ? null : readResultRow({ ...row, ...result }),
});

/** The first `limit` of the rows, which were asked for with one more to see whether there is a next page. */
export const pageOf = <Item>(rows: readonly Row[], limit: number, read: (row: Row) => Item): Page<Item> => ({
  items: rows.slice(0, limit).map((row) => read(row)),
  hasNextPage: rows.length > limit,
});
