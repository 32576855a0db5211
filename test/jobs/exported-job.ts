/** A job and its rows, as the store would give them in pages, for what prints them. */
import type { Job, ListedRow, ListShape, SettledRow } from '../../src/jobs/types.ts';

export const settled = (row: number, over: Partial<SettledRow> = {}): SettledRow => ({
  position: row,
  row,
  address: 'a@x.example',
  duplicateOf: null,
  status: 'DELIVERABLE',
  reason: 'MAILBOX_EXISTS',
  score: 95,
  provider: 'GOOGLE',
  exchange: 'mx.x.example',
  reply: { code: 250, enhancedCode: '2.1.5', text: 'OK' },
  checkedAt: new Date('2026-01-02T03:04:05Z'),
  ...over,
});

export const exportedJob = (total: number, list: Partial<ListShape> = {}): Job => ({
  id: 'job',
  owner: null,
  name: null,
  state: 'RUNNING',
  createdAt: new Date(0),
  startedAt: null,
  endedAt: null,
  expiresAt: new Date(0),
  counters: {
    total,
    settled: 0,
    waiting: 0,
    deliverable: 0,
    undeliverable: 0,
    risky: 0,
    unknown: 0,
    duplicates: 0,
  },
  nextRetryAt: null,
  list: { format: 'CSV', fileName: null, columns: ['email'], addressColumn: 0, ...list },
  maxAgeSeconds: null,
  storedBytes: 0,
  webhook: null,
});

/** Gives rows by their number from 1; counts the pages that were asked for. */
export const rowsBy = (total: number, rowOf: (row: number) => Omit<ListedRow, 'row'>) => {
  const asked = { pages: 0 };
  return {
    asked,
    rows: async (_id: string, { afterRow, limit }: { afterRow: number; limit: number }) => {
      asked.pages += 1;
      const last = Math.min(total, afterRow + limit);
      const items: ListedRow[] = [];
      for (let row = afterRow + 1; row <= last; row += 1) items.push({ row, ...rowOf(row) });
      return { items, hasNextPage: last < total };
    },
  };
};
