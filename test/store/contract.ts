/**
 * What every store of jobs promises, whatever it is made of. An implementation joins by calling `describeJobStore`
 * with a way to open an empty one, and, when it outlives its process, a way to open the same one again.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeCreating } from './creating.ts';
import { describeEnding } from './ending.ts';
import { create, day, later, manyRows, readAll, readJob, result, settleAll, take } from './list.ts';
import type { OpenStore } from './open.ts';
import { describeReading } from './reading.ts';
import { describeSettling } from './settling.ts';
import { describeWaiting } from './waiting.ts';

export const describeJobStore = (name: string, open: () => Promise<OpenStore>): void => {
  describe(name, () => {
    let opened: OpenStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    for (const part of [describeCreating, describeSettling, describeWaiting, describeReading, describeEnding])
      part(() => opened);
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
      const { store: again } = await reopen();
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
