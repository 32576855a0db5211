/** Part of the contract: rows that wait for their time. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import { create, day, later, manyRows, muchLater, readJob, result, rowsOf, start, take } from './list.ts';
import type { OpenStore } from './open.ts';

export const describeWaiting = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('waiting', () => {
    it('keeps rows until their time, with the duplicates that share their fate', async () => {
      const job = await create(store, rowsOf(['a@x.example', 'b@x.example', 'a+1@x.example', 'c@x.example']));
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
      await store.releaseChunks(muchLater);
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
};
