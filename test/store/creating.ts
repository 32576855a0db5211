/** Part of the contract: lists become jobs. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { IntakeRow, JobStore } from '../../src/jobs/index.ts';
import {
  create,
  day,
  everyJob,
  later,
  manyRows,
  newJob,
  readJob,
  rowsOf,
  settleAll,
  start,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

export const describeCreating = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

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
      expect(await store.listJobs({ ...everyJob, limit: 10 })).toEqual({ items: [], hasNextPage: false });
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
      expect((await store.listJobs({ ...everyJob, limit: 10 })).items).toHaveLength(1);
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
      expect(await store.createJob(newJob({ idempotencyKey: 'k', inputHash: 'h2' }), manyRows(600))).toEqual({
        kind: 'keyTaken',
      });
      expect(await store.findByIdempotencyKey('k')).toEqual({ job: first, inputHash: 'h1' });
      expect((await store.listJobs({ ...everyJob, limit: 10 })).items).toHaveLength(1);
      const both = await Promise.all(
        ['x', 'y'].map((inputHash) =>
          store.createJob(newJob({ idempotencyKey: 'two', inputHash }), manyRows(600)),
        ),
      );
      expect(both.map(({ kind }) => kind).sort()).toEqual(['created', 'keyTaken']);
    });
  });
};
