/** Part of the contract: results, lists, jobs and breakdowns are read. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import {
  anyResult,
  create,
  everyJob,
  firstResults,
  manyRows,
  newJob,
  result,
  rowsOf,
  start,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

export const describeReading = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('reading', () => {
    it('pages results by position, also while they come', async () => {
      const job = await create(store, manyRows(250));
      const chunk = await take(store);
      const seen: number[] = [];
      const readOn = async () => {
        while (true) {
          const page = await store.readResults(job.id, {
            ...anyResult,
            afterPosition: seen.at(-1) ?? 0,
            limit: 30,
          });
          expect(page.items.length).toBeLessThanOrEqual(30);
          seen.push(...page.items.map(({ position }) => position));
          if (!page.hasNextPage) return;
        }
      };
      for (let from = 0; from < 250; from += 45) {
        const settled = chunk.rows.slice(from, from + 45).map((row) => result(row));
        await store.settleRows(chunk, { settled, waiting: [] }, start);
        await readOn();
      }
      expect(seen).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
    });

    it('filters and counts by status', async () => {
      const job = await create(store, manyRows(60));
      const chunk = await take(store);
      const kinds = [
        { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS' },
        { status: 'RISKY', reason: 'CATCH_ALL' },
        { status: 'UNKNOWN', reason: 'TIMEOUT' },
      ] as const;
      const settled = chunk.rows.map((row, index) => result(row, kinds[index % 3]));
      await store.settleChunk(chunk, { settled, waiting: [] }, start);
      const positions = async (
        statuses: readonly ('RISKY' | 'UNKNOWN' | 'UNDELIVERABLE')[],
        afterPosition: number,
        limit: number,
      ) => {
        const { items, hasNextPage } = await store.readResults(job.id, {
          ...anyResult,
          afterPosition,
          limit,
          statuses,
        });
        for (const { status } of items) expect(statuses).toContain(status);
        return { positions: items.map(({ position }) => position), hasNextPage };
      };
      expect(await positions(['RISKY'], 0, 3)).toEqual({ positions: [2, 5, 8], hasNextPage: true });
      expect(await positions(['UNKNOWN', 'RISKY'], 8, 4)).toEqual({
        positions: [9, 11, 12, 14],
        hasNextPage: true,
      });
      expect(await positions(['RISKY', 'RISKY'], 55, 5)).toEqual({
        positions: [56, 59],
        hasNextPage: false,
      });
      expect(await positions(['UNDELIVERABLE'], 0, 5)).toEqual({ positions: [], hasNextPage: false });
      expect(await positions([], 0, 5)).toEqual({ positions: [], hasNextPage: false });
      expect(await store.countResults(job.id, anyResult)).toBe(60);
      expect(
        await store.countResults(job.id, { ...anyResult, statuses: ['RISKY', 'UNKNOWN', 'RISKY'] }),
      ).toBe(40);
      expect(await store.countResults(job.id, { ...anyResult, statuses: [] })).toBe(0);
    });

    it("walks the caller's rows in their order, settled or not", async () => {
      const job = await create(store, rowsOf(['z@z.example', 'a@a.example', 'z+1@z.example', 'm@m.example']));
      const chunk = await take(store);
      const settled = chunk.rows.filter(({ row }) => row === 1).map((row) => result(row));
      await store.settleRows(chunk, { settled, waiting: [] }, start);
      const first = await store.readRows(job.id, { afterRow: 0, limit: 3 });
      expect(first.hasNextPage).toBe(true);
      expect(
        first.items.map(({ row, address, result: known }) => [row, address, known?.position ?? null]),
      ).toEqual([
        [1, 'z@z.example', 1],
        [2, 'a@a.example', null],
        [3, 'z+1@z.example', 2],
      ]);
      expect(first.items[2]?.result?.duplicateOf).toBe(1);
      expect(await store.readRows(job.id, { afterRow: 3, limit: 3 })).toEqual({
        items: [{ row: 4, address: 'm@m.example', cells: null, result: null }],
        hasNextPage: false,
      });
    });

    it('lists jobs newest first', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 5; n += 1) ids.unshift((await create(store, rowsOf(['a@x.example']))).id);
      const first = await store.listJobs({ ...everyJob, limit: 2 });
      expect(first).toMatchObject({ hasNextPage: true });
      const rest = await store.listJobs({ ...everyJob, limit: 3, afterId: first.items[1]?.id ?? null });
      expect(rest).toMatchObject({ hasNextPage: false });
      expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids);
      expect(await store.listJobs({ ...everyJob, limit: 3, afterId: newJob().id })).toEqual({
        items: [],
        hasNextPage: false,
      });
    });

    it('knows nothing of an unknown job', async () => {
      const { id } = newJob();
      expect(await store.readJob(id)).toBeNull();
      expect(await store.readResults(id, firstResults)).toEqual({ items: [], hasNextPage: false });
      expect(await store.readRows(id, { afterRow: 0, limit: 5 })).toEqual({
        items: [],
        hasNextPage: false,
      });
      expect(await store.countResults(id, anyResult)).toBe(0);
      expect(await store.readBreakdown(id, 5)).toEqual({ byReason: [], byProvider: [], byDomain: [] });
      expect(await store.cancelJob(id, start)).toBeNull();
    });

    it('counts by reason, provider and domain, most frequent first', async () => {
      const job = await create(
        store,
        rowsOf([
          'a@big.example',
          'a+1@big.example',
          'b@big.example',
          'c@mid.example',
          'd@mid.example',
          'e@small.example',
          'oops',
        ]),
      );
      const chunk = await take(store);
      const settled = chunk.rows.map((row) =>
        row.address.endsWith('@big.example')
          ? result(row, { provider: 'GOOGLE' })
          : row.address === 'oops'
            ? result(row, { status: 'UNDELIVERABLE', reason: 'INVALID_SYNTAX' })
            : result(row, { status: 'UNKNOWN', reason: 'TIMEOUT', provider: 'YAHOO' }),
      );
      for (const one of settled) await store.settleRows(chunk, { settled: [one], waiting: [] }, start);
      expect(await store.readBreakdown(job.id, 2)).toEqual({
        byReason: [
          { reason: 'MAILBOX_EXISTS', count: 3 },
          { reason: 'TIMEOUT', count: 3 },
          { reason: 'INVALID_SYNTAX', count: 1 },
        ],
        byProvider: [
          { provider: 'GOOGLE', count: 3, deliverable: 3 },
          { provider: 'YAHOO', count: 3, deliverable: 0 },
        ],
        byDomain: [
          { domain: 'big.example', count: 3, deliverable: 3 },
          { domain: 'mid.example', count: 2, deliverable: 0 },
        ],
      });
    });
  });
};
