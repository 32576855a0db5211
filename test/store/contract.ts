/**
 * What every store of jobs promises, whatever it is made of. An implementation joins by calling `describeJobStore`
 * with a way to open an empty one, and, when it outlives its process, a way to open the same one again.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IntakeRow, JobStore, SettledRow } from '../../src/jobs/index.ts';
import {
  create,
  day,
  later,
  manyRows,
  newJob,
  readAll,
  readJob,
  result,
  rowsOf,
  settleAll,
  start,
  take,
} from './list.ts';

export type OpenStore = {
  readonly store: JobStore;
  /** Closes it and opens what it left as the only process; null when it leaves nothing. */
  readonly reopen: (() => Promise<JobStore>) | null;
  readonly close: () => Promise<void>;
};

const nothing = { settled: [], waiting: [] };
const all = { afterPosition: 0, limit: 1_000, statuses: null };

export const describeJobStore = (name: string, open: () => Promise<OpenStore>): void => {
  describe(name, () => {
    let opened: OpenStore;
    let store: JobStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    describe('createJob', () => {
      it('takes a list in and counts it', async () => {
        const job = await create(store, rowsOf(['a@x.example', 'b@x.example', 'no address']), {
          name: 'mine',
        });
        expect(job).toMatchObject({
          name: 'mine',
          state: 'QUEUED',
          createdAt: start,
          startedAt: null,
          endedAt: null,
          nextRetryAt: null,
        });
        expect(job.counters).toEqual({
          total: 3,
          settled: 0,
          waiting: 0,
          deliverable: 0,
          undeliverable: 0,
          risky: 0,
          unknown: 0,
          duplicates: 0,
        });
        expect(await store.readJob(job.id)).toEqual(job);
      });

      it('cuts it into chunks of at most 500 rows that keep a domain together, each original in one of them', async () => {
        const sizes = [700, 300, 260, 200, 3, 1];
        const texts = sizes.flatMap((size, at) =>
          Array.from({ length: size }, (_, n) => `u${n}@d${at}.example`),
        );
        // Interleaved, as lists are.
        const rows = rowsOf(texts.map((_, index) => texts[(index * 577) % texts.length] ?? ''));
        await create(store, rows);
        const chunks: (readonly { readonly row: number; readonly address: string }[])[] = [];
        for (
          let chunk = await store.takeChunk(start, later(1));
          chunk !== null;
          chunk = await store.takeChunk(start, later(1))
        )
          chunks.push(chunk.rows);
        expect(
          chunks
            .flat()
            .map(({ row }) => row)
            .sort((a, b) => a - b),
        ).toEqual(rows.map(({ row }) => row));
        for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(500);
        const chunksOf = (domain: string) =>
          chunks.filter((chunk) => chunk.some(({ address }) => address.endsWith(`@${domain}`)));
        for (const [at, size] of sizes.entries())
          expect(chunksOf(`d${at}.example`).length, `chunks of d${at}`).toBeLessThanOrEqual(
            Math.ceil(size / 500) + (size > 250 ? 1 : 0),
          );
        expect(chunks.length).toBeLessThanOrEqual(6);
      });

      it('finds rows of one mailbox, the first of them the original, and never among rows that are no addresses', async () => {
        const job = await create(
          store,
          rowsOf(['a@x.example', 'oops', 'a+1@x.example', 'oops', 'a+2@x.example', 'b@x.example']),
        );
        expect(job.counters).toMatchObject({ total: 6, duplicates: 2 });
        const chunk = await take(store);
        expect(chunk.rows.map(({ row }) => row).sort()).toEqual([1, 2, 4, 6]);
      });

      it('keeps every character of a row', async () => {
        const texts = [
          'nul\0l',
          'жук@x.example',
          '"a b"@x.example',
          'x\u202E',
          '😀',
          '',
          "'; DROP TABLE job; --",
          '\r\n',
        ];
        const job = await create(store, rowsOf(texts));
        await settleAll(store);
        const { items } = await store.readRows(job.id, { afterRow: 0, limit: 100 });
        expect(items.map(({ address }) => address)).toEqual(texts);
      });

      it('leaves nothing behind when the source fails half-way', async () => {
        async function* failing(): AsyncGenerator<IntakeRow> {
          yield* manyRows(1_200);
          throw new Error('the upload broke');
        }
        await expect(
          store.createJob(newJob({ idempotencyKey: 'k', inputHash: 'h' }), failing()),
        ).rejects.toThrow('the upload broke');
        expect(await store.listJobs({ limit: 10, afterId: null })).toEqual({ items: [], hasNextPage: false });
        expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
        expect(await store.findByIdempotencyKey('k')).toBeNull();
        await create(store, rowsOf(['a@x.example']), { idempotencyKey: 'k', inputHash: 'h' });
      });

      it('is seen by nobody until it is whole, and keeps nobody else from working', async () => {
        const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
        async function* slow(): AsyncGenerator<IntakeRow> {
          yield* manyRows(1_200);
          await gate;
        }
        const loading = newJob({ idempotencyKey: 'slow', inputHash: 'h' });
        const creating = store.createJob(loading, slow());
        const other = await create(store, rowsOf(['a@x.example']));
        expect((await take(store)).jobId).toBe(other.id);
        expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
        expect(await store.nextChunkAt()).toBeNull();
        expect(await store.readJob(loading.id)).toBeNull();
        expect(await store.cancelJob(loading.id, start)).toBeNull();
        expect((await store.listJobs({ limit: 10, afterId: null })).items).toHaveLength(1);
        expect(await store.findByIdempotencyKey('slow')).toBeNull();
        openGate();
        expect((await creating).kind).toBe('created');
        expect((await readJob(store, loading.id)).counters.total).toBe(1_200);
        expect((await take(store)).jobId).toBe(loading.id);
      });

      it('completes an empty list at once', async () => {
        const job = await create(store, []);
        expect(job).toMatchObject({ state: 'COMPLETED', endedAt: start });
        expect(await store.takeChunk(start, later(1))).toBeNull();
      });

      it('gives an idempotency key to one job', async () => {
        const first = await create(store, rowsOf(['a@x.example']), { idempotencyKey: 'k', inputHash: 'h1' });
        expect(
          await store.createJob(newJob({ idempotencyKey: 'k', inputHash: 'h2' }), manyRows(600)),
        ).toEqual({
          kind: 'keyTaken',
        });
        expect(await store.findByIdempotencyKey('k')).toEqual({ job: first, inputHash: 'h1' });
        expect((await store.listJobs({ limit: 10, afterId: null })).items).toHaveLength(1);
        const both = await Promise.all(
          ['x', 'y'].map((inputHash) =>
            store.createJob(newJob({ idempotencyKey: 'two', inputHash }), manyRows(600)),
          ),
        );
        expect(both.map(({ kind }) => kind).sort()).toEqual(['created', 'keyTaken']);
      });
    });

    describe('takeChunk', () => {
      it('gives each chunk to one taker, and starts the job', async () => {
        const job = await create(store, manyRows(1_100));
        const chunks = [
          await take(store, later(5)),
          await take(store, later(6)),
          await take(store, later(7)),
        ];
        expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(3);
        expect(new Set(chunks.map(({ lease }) => lease)).size).toBe(3);
        expect(chunks.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
        expect(chunks.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3]);
        expect(await readJob(store, job.id)).toMatchObject({ state: 'RUNNING', startedAt: later(5) });
      });

      it('lets a small job pass a huge one', async () => {
        const huge = await create(store, manyRows(3_000));
        expect((await take(store)).jobId).toBe(huge.id);
        const small = await create(store, rowsOf(['a@x.example']));
        expect((await take(store)).jobId).toBe(small.id);
      });
    });

    describe('settling', () => {
      it('numbers results 1, 2, 3 … over all chunks, and completes the job with its last row', async () => {
        const job = await create(store, manyRows(1_100));
        const chunks = [await take(store), await take(store), await take(store)];
        // Turn by turn, a few rows of each.
        for (let from = 0; from < 500; from += 100)
          for (const chunk of chunks) {
            const settled = chunk.rows.slice(from, from + 100).map((row) => result(row));
            const expected = settled.length === 0 && from > 0 ? /settled|refused/ : /settled/;
            expect(await store.settleRows(chunk, { settled, waiting: [] }, later(from))).toMatch(expected);
          }
        const results = await readAll(store, job.id);
        expect(results.map(({ position }) => position)).toEqual(
          Array.from({ length: 1_100 }, (_, index) => index + 1),
        );
        expect(new Set(results.map(({ row }) => row)).size).toBe(1_100);
        expect(await readJob(store, job.id)).toMatchObject({
          state: 'COMPLETED',
          endedAt: later(400),
          counters: { total: 1_100, settled: 1_100, deliverable: 1_100 },
        });
        expect(await store.nextChunkAt()).toBeNull();
      });

      it('settles duplicates with their original, each with its own position and address', async () => {
        const job = await create(
          store,
          rowsOf(['a@x.example', 'b@x.example', 'a+1@x.example', 'a+2@x.example']),
        );
        const chunk = await take(store);
        const settled = chunk.rows.map((row) =>
          result(row, row.row === 1 ? { status: 'RISKY', reason: 'CATCH_ALL', score: 40 } : {}),
        );
        await store.settleChunk(chunk, { settled, waiting: [] }, later(1));
        const results = await readAll(store, job.id);
        expect(results.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
        const byRow = new Map(results.map((one) => [one.row, one]));
        expect([1, 2, 3, 4].map((row) => byRow.get(row)?.duplicateOf)).toEqual([null, null, 1, 1]);
        expect(byRow.get(3)).toMatchObject({
          address: 'a+1@x.example',
          status: 'RISKY',
          reason: 'CATCH_ALL',
          score: 40,
        });
        expect((await readJob(store, job.id)).counters).toEqual({
          total: 4,
          settled: 4,
          waiting: 0,
          deliverable: 1,
          undeliverable: 0,
          risky: 3,
          unknown: 0,
          duplicates: 2,
        });
      });

      it('keeps the whole result', async () => {
        const job = await create(store, rowsOf(['a@x.example', 'b@x.example']));
        const chunk = await take(store);
        const full = {
          provider: 'GOOGLE',
          exchange: 'mx1.example',
          reply: { code: 550, enhancedCode: '5.1.1', text: 'no such "user" ☂' },
        };
        const empty = { provider: null, exchange: null, reply: null, checkedAt: later(7) };
        const settled = chunk.rows.map((row) => result(row, row.row === 1 ? full : empty));
        await store.settleChunk(chunk, { settled, waiting: [] }, later(1));
        const byRow = (await readAll(store, job.id)).toSorted((a, b) => a.row - b.row);
        expect(byRow.map(({ position: _, ...kept }) => kept)).toEqual(
          settled.toSorted((a, b) => a.row - b.row),
        );
      });

      it('writes nothing when one of its rows cannot be written', async () => {
        const job = await create(store, rowsOf(['a@x.example', 'b@x.example', 'a+1@x.example']));
        const before = [await store.readJob(job.id)];
        const chunk = await take(store);
        before.push(await store.readJob(job.id));
        const [one, two] = chunk.rows.map((row) => result(row));
        if (one === undefined || two === undefined) throw new Error('two rows were expected');
        const stranger = result({ row: 99, address: 'z@x.example' });
        const bad = [
          { settled: [one, stranger], waiting: [] },
          { settled: [one, one], waiting: [] },
          { settled: [one], waiting: [{ row: one.row, retryAt: later(1) }] },
          { settled: [one], waiting: [{ row: 99, retryAt: later(1) }] },
          { settled: [one, result({ row: 3, address: 'a+1@x.example' })], waiting: [] },
        ];
        for (const outcome of bad)
          for (const method of ['settleRows', 'settleChunk'] as const)
            await expect(store[method](chunk, outcome, later(1))).rejects.toThrow();
        expect(await store.readJob(job.id)).toEqual(before[1]);
        expect(await readAll(store, job.id)).toEqual([]);
        expect(await store.readBreakdown(job.id, 10)).toEqual({ byReason: [], byProvider: [], byDomain: [] });
        expect(await store.settleChunk(chunk, { settled: [one, two], waiting: [] }, later(1))).toBe(
          'settled',
        );
        expect((await readJob(store, job.id)).state).toBe('COMPLETED');
      });

      it('refuses a lease that is no longer held, and writes nothing', async () => {
        const job = await create(store, rowsOf(['a@x.example']));
        const late = await take(store);
        expect(await store.releaseChunks('all')).toBe(1);
        const outcome = { settled: [result({ row: 1, address: 'a@x.example' })], waiting: [] };
        expect(await store.settleRows(late, outcome, later(1))).toBe('refused');
        const held = await take(store);
        expect(held).toMatchObject({ id: late.id, attempt: 2 });
        expect(await store.settleChunk(late, outcome, later(1))).toBe('refused');
        expect((await readJob(store, job.id)).counters.settled).toBe(0);
        expect(await store.settleChunk(held, outcome, later(1))).toBe('settled');
        expect(await store.settleChunk(held, outcome, later(1))).toBe('refused');
        expect((await readJob(store, job.id)).counters.settled).toBe(1);
      });

      it('gives back what was not named, and counts takes in vain only', async () => {
        await create(store, rowsOf(['a@x.example', 'b@x.example', 'c@x.example']));
        const first = await take(store);
        const [done, ...open] = first.rows;
        if (done === undefined) throw new Error('rows were expected');
        await store.settleRows(first, { settled: [result(done)], waiting: [] }, later(1));
        expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
        expect(await store.settleChunk(first, nothing, later(2))).toBe('settled');
        const second = await take(store);
        expect(second.rows).toEqual(open);
        expect(second.attempt).toBe(1);
        await store.settleChunk(second, nothing, later(3));
        expect((await take(store)).attempt).toBe(2);
      });

      it('releases leases that ended, and no others', async () => {
        await create(store, manyRows(1_000));
        await store.takeChunk(start, later(1_000));
        await store.takeChunk(start, later(2_000));
        expect(await store.releaseChunks({ leaseEndedBefore: later(1_000) })).toBe(0);
        expect(await store.releaseChunks({ leaseEndedBefore: later(1_001) })).toBe(1);
        expect(await store.takeChunk(later(1_001), later(3_000))).not.toBeNull();
        expect(await store.takeChunk(later(1_001), later(3_000))).toBeNull();
      });
    });

    describe('waiting', () => {
      it('keeps rows until their time, with the duplicates that share their fate', async () => {
        const job = await create(
          store,
          rowsOf(['a@x.example', 'b@x.example', 'a+1@x.example', 'c@x.example']),
        );
        const chunk = await take(store);
        const waiting = chunk.rows
          .filter(({ row }) => row !== 4)
          .map(({ row }) => ({ row, retryAt: later(60_000) }));
        await store.settleChunk(
          chunk,
          { settled: chunk.rows.filter(({ row }) => row === 4).map((row) => result(row)), waiting },
          later(1),
        );
        expect(await readJob(store, job.id)).toMatchObject({
          state: 'RUNNING',
          nextRetryAt: later(60_000),
          counters: { settled: 1, waiting: 3, duplicates: 1 },
        });
        expect(await store.nextChunkAt()).toEqual(later(60_000));
        expect(await store.takeChunk(later(59_999), later(day))).toBeNull();
        const again = await take(store, later(60_000));
        expect(again.rows.map(({ row, tries }) => [row, tries]).sort()).toEqual([
          [1, 1],
          [2, 1],
        ]);
        // Being asked again they are waiting still.
        expect((await readJob(store, job.id)).counters.waiting).toBe(3);
        const [one] = again.rows.filter(({ row }) => row === 1);
        if (one === undefined) throw new Error('row 1 was expected');
        await store.settleChunk(
          again,
          { settled: [result(one)], waiting: [{ row: 2, retryAt: later(120_000) }] },
          later(60_001),
        );
        expect(await readJob(store, job.id)).toMatchObject({
          nextRetryAt: later(120_000),
          counters: { settled: 3, waiting: 1 },
        });
        const last = await take(store, later(120_000));
        expect(last.rows).toEqual([{ row: 2, address: 'b@x.example', tries: 2 }]);
        await store.settleChunk(
          last,
          { settled: last.rows.map((row) => result(row)), waiting: [] },
          later(120_001),
        );
        expect(await readJob(store, job.id)).toMatchObject({
          state: 'COMPLETED',
          nextRetryAt: null,
          counters: { settled: 4, waiting: 0 },
        });
      });

      it('gathers rows of one time in chunks of at most 500, never before the time of any', async () => {
        await create(store, manyRows(1_500));
        for (
          let chunk = await store.takeChunk(start, later(1));
          chunk !== null;
          chunk = await store.takeChunk(start, later(1))
        ) {
          for (let from = 0; from < chunk.rows.length; from += 60) {
            const waiting = chunk.rows
              .slice(from, from + 60)
              .map(({ row }) => ({ row, retryAt: later(60_000 + (chunk.id % 3)) }));
            await store.settleRows(chunk, { settled: [], waiting }, start);
          }
        }
        expect(await store.takeChunk(later(60_000), later(day))).not.toBeNull();
        const early = await store.readJob((await take(store, later(61_000))).jobId);
        expect(early?.counters.waiting).toBe(1_500);
        let rows = 0;
        await store.releaseChunks('all');
        for (
          let chunk = await store.takeChunk(later(61_000), later(day));
          chunk !== null;
          chunk = await store.takeChunk(later(61_000), later(day))
        ) {
          expect(chunk.rows.length).toBeLessThanOrEqual(500);
          rows += chunk.rows.length;
        }
        expect(rows).toBe(1_500);
      });
    });

    describe('reading', () => {
      it('pages results by position, also while they come', async () => {
        const job = await create(store, manyRows(250));
        const chunk = await take(store);
        const seen: number[] = [];
        const readOn = async () => {
          while (true) {
            const page = await store.readResults(job.id, {
              afterPosition: seen.at(-1) ?? 0,
              limit: 30,
              statuses: null,
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
          const { items, hasNextPage } = await store.readResults(job.id, { afterPosition, limit, statuses });
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
        expect(await store.countResults(job.id, null)).toBe(60);
        expect(await store.countResults(job.id, ['RISKY', 'UNKNOWN', 'RISKY'])).toBe(40);
        expect(await store.countResults(job.id, [])).toBe(0);
      });

      it("walks the caller's rows in their order, settled or not", async () => {
        const job = await create(
          store,
          rowsOf(['z@z.example', 'a@a.example', 'z+1@z.example', 'm@m.example']),
        );
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
          items: [{ row: 4, address: 'm@m.example', result: null }],
          hasNextPage: false,
        });
      });

      it('lists jobs newest first', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 5; n += 1) ids.unshift((await create(store, rowsOf(['a@x.example']))).id);
        const first = await store.listJobs({ limit: 2, afterId: null });
        expect(first).toMatchObject({ hasNextPage: true });
        const rest = await store.listJobs({ limit: 3, afterId: first.items[1]?.id ?? null });
        expect(rest).toMatchObject({ hasNextPage: false });
        expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids);
        expect(await store.listJobs({ limit: 3, afterId: newJob().id })).toEqual({
          items: [],
          hasNextPage: false,
        });
      });

      it('knows nothing of an unknown job', async () => {
        const { id } = newJob();
        expect(await store.readJob(id)).toBeNull();
        expect(await store.readResults(id, all)).toEqual({ items: [], hasNextPage: false });
        expect(await store.readRows(id, { afterRow: 0, limit: 5 })).toEqual({
          items: [],
          hasNextPage: false,
        });
        expect(await store.countResults(id, null)).toBe(0);
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

    describe('ending', () => {
      it('cancels: what is settled stays, the rest is dropped, late results are refused', async () => {
        const job = await create(store, manyRows(1_100));
        const chunk = await take(store);
        const [one, two, ...rest] = chunk.rows;
        if (one === undefined || two === undefined) throw new Error('rows were expected');
        await store.settleRows(
          chunk,
          { settled: [result(one)], waiting: [{ row: two.row, retryAt: later(day) }] },
          start,
        );
        const cancelled = await store.cancelJob(job.id, later(9));
        expect(cancelled).toMatchObject({
          state: 'CANCELLED',
          endedAt: later(9),
          nextRetryAt: null,
          counters: { settled: 1, waiting: 0, total: 1_100 },
        });
        expect(
          await store.settleChunk(chunk, { settled: rest.map((row) => result(row)), waiting: [] }, later(10)),
        ).toBe('refused');
        expect(await store.takeChunk(later(2 * day), later(3 * day))).toBeNull();
        expect(await store.nextChunkAt()).toBeNull();
        expect(await readAll(store, job.id)).toHaveLength(1);
        expect(await store.cancelJob(job.id, later(day))).toEqual(cancelled);
      });

      it('leaves an ended job as it ended', async () => {
        const job = await create(store, rowsOf(['a@x.example']));
        await settleAll(store, later(3));
        const ended = await readJob(store, job.id);
        expect(await store.cancelJob(job.id, later(9))).toEqual(ended);
      });

      it('erases jobs past their retention, running ones too, and nothing else', async () => {
        const old = await create(store, manyRows(5_000), {
          expiresAt: later(day),
          idempotencyKey: 'k',
          inputHash: 'h',
        });
        await settleAll(store);
        const running = await create(store, manyRows(600), { expiresAt: later(day) });
        const chunk = await take(store);
        const young = await create(store, manyRows(600), { expiresAt: later(2 * day) });
        expect(await store.eraseExpired(later(day - 1))).toBe(0);
        expect(await store.eraseExpired(later(day))).toBe(2);
        expect(await store.eraseExpired(later(day))).toBe(0);
        for (const { id } of [old, running]) {
          expect(await store.readJob(id)).toBeNull();
          expect(await store.readResults(id, all)).toEqual({ items: [], hasNextPage: false });
        }
        expect(await store.findByIdempotencyKey('k')).toBeNull();
        expect(await store.settleChunk(chunk, nothing, later(day))).toBe('refused');
        await settleAll(store, later(day));
        expect((await readJob(store, young.id)).state).toBe('COMPLETED');
      });
    });

    it('holds to once and gap-free whatever the order of takes, settles, waits, releases and late writers', async () => {
      for (let seed = 1; seed <= 5; seed += 1) {
        let state = seed;
        const random = (below: number): number => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
          return (state >> 8) % below;
        };
        const rows = rowsOf(
          Array.from({ length: 1_300 }, (_, n) => `u${random(900)}+${n}@d${random(40)}.example`),
        );
        const job = await create(store, rows);
        const held: Awaited<ReturnType<typeof take>>[] = [];
        let now = start;
        for (let step = 0; (await readJob(store, job.id)).state !== 'COMPLETED'; step += 1) {
          expect(step).toBeLessThan(5_000);
          now = new Date(now.getTime() + random(2_000));
          const chunk = await store.takeChunk(now, new Date(now.getTime() + 10_000));
          if (chunk !== null) held.push(chunk);
          if (random(12) === 0)
            await store.releaseChunks(random(2) === 0 ? 'all' : { leaseEndedBefore: now });
          // Any of them: those whose lease was released meanwhile are refused.
          const [writer] = held.splice(random(held.length || 1), 1);
          if (writer === undefined) continue;
          const rest = writer.rows.slice(0, random(writer.rows.length + 1));
          const outcome = {
            settled: rest.filter(({ tries }, n) => (n + tries) % 5 !== 0).map((row) => result(row)),
            waiting: rest
              .filter(({ tries }, n) => (n + tries) % 5 === 0)
              .map(({ row }) => ({ row, retryAt: new Date(now.getTime() + random(5_000)) })),
          };
          await store.settleChunk(writer, outcome, now);
        }
        const results: readonly SettledRow[] = await readAll(store, job.id);
        expect(results.map(({ position }) => position)).toEqual(rows.map(({ row }) => row));
        expect(results.map(({ row }) => row).sort((a, b) => a - b)).toEqual(rows.map(({ row }) => row));
        expect((await readJob(store, job.id)).counters).toMatchObject({
          settled: 1_300,
          waiting: 0,
          deliverable: 1_300,
        });
      }
    });
  });
};

/** What a store that outlives its process promises beyond. */
export const describeDurableJobStore = (name: string, open: () => Promise<OpenStore>): void => {
  describe(`${name}, opened again`, () => {
    it('continues: jobs, results, waiting rows and their times; leases of the dead process are over', async () => {
      const opened = await open();
      const { store, reopen } = opened;
      if (reopen === null) throw new Error('this store leaves nothing');
      const job = await create(store, manyRows(1_000), { idempotencyKey: 'k', inputHash: 'h' });
      const one = await take(store);
      await store.settleRows(
        one,
        {
          settled: one.rows.slice(0, 100).map((row) => result(row)),
          waiting: one.rows.slice(100, 150).map(({ row }) => ({ row, retryAt: later(day) })),
        },
        later(1),
      );
      await take(store);
      const before = await readJob(store, job.id);
      const again = await reopen();
      expect(await readJob(again, job.id)).toEqual(before);
      expect(await again.findByIdempotencyKey('k')).toMatchObject({ inputHash: 'h' });
      await settleAll(again, later(2));
      expect(await readJob(again, job.id)).toMatchObject({
        state: 'RUNNING',
        nextRetryAt: later(day),
        counters: { settled: 950, waiting: 50 },
      });
      await settleAll(again, later(day));
      const results = await readAll(again, job.id);
      expect(results.map(({ position }) => position)).toEqual(
        Array.from({ length: 1_000 }, (_, index) => index + 1),
      );
      expect(new Set(results.map(({ row }) => row)).size).toBe(1_000);
      await opened.close();
    });
  });
};
