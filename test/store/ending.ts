/** Part of the contract: jobs are cancelled and erased. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import {
  create,
  day,
  firstResults,
  later,
  manyRows,
  readAll,
  readJob,
  result,
  rowsOf,
  settleAll,
  start,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

const nothing = { settled: [], waiting: [] };

export const describeEnding = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
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
        expect(await store.readResults(id, firstResults)).toEqual({ items: [], hasNextPage: false });
      }
      expect(await store.findByIdempotencyKey('k')).toBeNull();
      expect(await store.settleChunk(chunk, nothing, later(day))).toBe('refused');
      await settleAll(store, later(day));
      expect((await readJob(store, young.id)).state).toBe('COMPLETED');
    });
  });
};
