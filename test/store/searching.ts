/** Part of the contract: what was given comes back whole, and is found by its parts. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { IntakeRow, JobStore, ResultFilter } from '../../src/jobs/index.ts';
import {
  anyResult,
  create,
  everyJob,
  firstResults,
  later,
  manyRows,
  readAll,
  readJob,
  result,
  rowsOf,
  settleAll,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

export const describeSearching = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('the list', () => {
    it('keeps its shape, its other cells and their JSON values', async () => {
      const cells = [
        ['1', 'a@x.example', '=1+1\t"'],
        [2, 'b@x.example', { deep: [null, true, 1.5] }],
        null,
        ['', ' a+1@x.example', '\0\u2028☂'],
      ];
      const rows = rowsOf(['a@x.example', 'b@x.example', 'c@x.example', 'a+1@x.example']).map(
        (row, index): IntakeRow => ({ ...row, cells: cells[index] ?? null }),
      );
      const columns: string[] = [];
      async function* growing() {
        yield* rows;
        columns.push('id', 'address', 'note');
      }
      const job = await create(store, growing(), {
        readShape: () => ({ format: 'NDJSON', fileName: 'жук.ndjson', columns, addressColumn: 1 }),
        maxAgeSeconds: 60,
        webhook: { url: 'https://hooks.example/', secret: 'whsec_x', tellsProgress: true },
      });
      expect(job).toMatchObject({
        list: {
          format: 'NDJSON',
          fileName: 'жук.ndjson',
          columns: ['id', 'address', 'note'],
          addressColumn: 1,
        },
        maxAgeSeconds: 60,
        webhook: { url: 'https://hooks.example/', tellsProgress: true },
      });
      expect(JSON.stringify(job)).not.toContain('whsec_');
      expect(await readJob(store, job.id)).toEqual(job);
      expect((await take(store)).maxAgeSeconds).toBe(60);
      const { items } = await store.readRows(job.id, { afterRow: 0, limit: 10 });
      expect(items.map((item) => item.cells)).toEqual(cells);
    });

    it('is walked in its order while it settles in another, page after page', async () => {
      const job = await create(store, manyRows(1_300));
      const walk = async () => {
        const rows: (readonly [number, number | null])[] = [];
        while (true) {
          const page = await store.readRows(job.id, { afterRow: rows.length, limit: 177 });
          rows.push(...page.items.map(({ row, result: known }) => [row, known?.position ?? null] as const));
          if (!page.hasNextPage) return rows;
        }
      };
      const expected = async () => {
        const byRow = new Map((await readAll(store, job.id)).map(({ row, position }) => [row, position]));
        return Array.from({ length: 1_300 }, (_, index) => [index + 1, byRow.get(index + 1) ?? null]);
      };
      expect(await walk()).toEqual(await expected());
      const chunk = await take(store);
      const settled = chunk.rows.slice(100, 200).map((row) => result(row));
      await store.settleChunk(chunk, { settled, waiting: [] }, later(1));
      expect(await walk()).toEqual(await expected());
      await settleAll(store);
      expect(await walk()).toEqual(await expected());
    });

    it('grows by what is kept of it', async () => {
      const job = await create(store, rowsOf(['a@x.example', 'жук@x.example']));
      expect(job.storedBytes).toBe(11 + 16);
      await settleAll(store, later(1), {
        reply: { code: 550, enhancedCode: null, text: '☂' },
        exchange: 'mx',
      });
      expect((await readJob(store, job.id)).storedBytes).toBe(27 + 2 * 5);
    });
  });

  describe('filters', () => {
    const kinds = [
      { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS' },
      { status: 'RISKY', reason: 'CATCH_ALL' },
      { status: 'UNKNOWN', reason: 'TIMEOUT' },
      { status: 'UNKNOWN', reason: 'TLS_FAILED' },
    ] as const;

    it('hold all at once, by pages and by count, as a filter over all results would', async () => {
      const job = await create(store, manyRows(5_200, 7));
      for (let chunk = await store.takeChunk(later(0), later(1)); chunk !== null; ) {
        const settled = chunk.rows.map((row) => result(row, kinds[row.row % kinds.length]));
        await store.settleChunk(chunk, { settled, waiting: [] }, later(1));
        chunk = await store.takeChunk(later(0), later(1));
      }
      const everything = await readAll(store, job.id);
      const filters: readonly ResultFilter[] = [
        { ...anyResult, statuses: ['UNKNOWN'] },
        { ...anyResult, reasons: ['TIMEOUT', 'CATCH_ALL', 'TIMEOUT'] },
        { ...anyResult, statuses: ['UNKNOWN', 'RISKY'], reasons: ['TIMEOUT', 'MAILBOX_EXISTS'] },
        { ...anyResult, statuses: ['RISKY'], reasons: ['TIMEOUT'] },
        { ...anyResult, reasons: [] },
        { ...anyResult, search: 'USER51' },
        { ...anyResult, search: '@D3.' },
        { ...anyResult, search: '' },
        { ...anyResult, search: 'nobody' },
        { statuses: ['UNKNOWN'], reasons: ['TLS_FAILED', 'CATCH_ALL'], search: 'r11' },
        { statuses: [], reasons: null, search: 'user' },
      ];
      for (const filter of filters) {
        const { statuses, reasons, search } = filter;
        const wanted = everything.filter(
          ({ status, reason, address }) =>
            (statuses?.includes(status) ?? true) &&
            (reasons?.includes(reason) ?? true) &&
            address.includes(search?.toLowerCase() ?? ''),
        );
        const label = JSON.stringify(filter);
        expect(await store.countResults(job.id, filter), label).toBe(wanted.length);
        const limit = 1_000;
        let after = 0;
        for (let from = 0; from < Math.max(wanted.length, 1); from += limit) {
          const page = await store.readResults(job.id, { ...filter, afterPosition: after, limit });
          expect(page, label).toEqual({
            items: wanted.slice(from, from + limit),
            hasNextPage: wanted.length > from + limit,
          });
          after = page.items.at(-1)?.position ?? after;
        }
      }
    });

    it('take every character of a search for itself, and only ASCII letters in any case', async () => {
      const texts = [
        'a%b@x.example',
        'a_b@x.example',
        'a\\b@x.example',
        "a'b@x.example",
        'nul\0Tail',
        'ЖУК@x.example',
      ];
      const job = await create(store, rowsOf(texts));
      await settleAll(store);
      for (const [search, found] of [
        ['a%B', [0]],
        ['A_b', [1]],
        ['\\', [2]],
        ["a'b", [3]],
        ['l\0t', [4]],
        ['tail', [4]],
        ['ЖУК@X', [5]],
        ['жук', []],
        ['x'.repeat(100_000), []],
      ] as const) {
        const { items } = await store.readResults(job.id, { ...firstResults, search });
        expect(
          items.map(({ address }) => texts.indexOf(address)),
          search.slice(0, 20),
        ).toEqual(found);
      }
    });

    it('keep the event loop turning while they search', async () => {
      const job = await create(store, manyRows(12_000));
      await settleAll(store);
      let turns = 0;
      let isOver = false;
      const count = () => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      expect(await store.countResults(job.id, { ...anyResult, search: 'nobody' })).toBe(0);
      isOver = true;
      expect(turns).toBeGreaterThanOrEqual(3);
    });

    it('find jobs by state and part of the name', async () => {
      const names = ['Spring 100%', 'autumn', null, 'SPRING b'];
      const ids: string[] = [];
      for (const name of names) ids.push((await create(store, manyRows(2), { name })).id);
      await store.pauseJob(ids[0] ?? '', later(1));
      await store.cancelJob(ids[1] ?? '', later(1));
      const found = async (over: Partial<typeof everyJob> | object) =>
        (await store.listJobs({ ...everyJob, ...over })).items.map(({ id }) => ids.indexOf(id));
      expect(await found({ states: ['PAUSED', 'CANCELLED'] })).toEqual([1, 0]);
      expect(await found({ states: [] })).toEqual([]);
      expect(await found({ search: 'spring' })).toEqual([3, 0]);
      expect(await found({ search: '%' })).toEqual([0]);
      expect(await found({ states: ['QUEUED'], search: 'spring' })).toEqual([3]);
      expect(await store.listJobs({ ...everyJob, limit: 1, search: 'SPRING' })).toMatchObject({
        hasNextPage: true,
      });
      expect(await found({ search: 'spring', afterId: ids[3] })).toEqual([0]);
    });
  });

  it('tells what it takes on its disk', async () => {
    const before = await store.readStorage();
    await create(store, manyRows(5_000));
    const after = await store.readStorage();
    expect(after.databaseBytes).toBeGreaterThan(before.databaseBytes + 100_000);
    expect(after.uploadBytes).toBe(0);
    expect(after.freeBytes ?? 1).toBeGreaterThan(0);
  });
};
