/**
 * What every store of jobs promises, whatever it is made of. An implementation joins by calling `describeJobStore`
 * with a way to open an empty one, and, when it outlives its process, a way to open the same one again.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAnnouncing, webhook } from './announcing.ts';
import { describeCreating } from './creating.ts';
import { describeEnding } from './ending.ts';
import {
  create,
  day,
  later,
  manyRows,
  muchLater,
  readAll,
  readJob,
  result,
  settleAll,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';
import { describeOwning } from './owning.ts';
import { describePausing } from './pausing.ts';
import { describeReading } from './reading.ts';
import { describeSearching } from './searching.ts';
import { describeSettling } from './settling.ts';
import { describeWaiting } from './waiting.ts';

export const describeJobStore = (name: string, open: () => Promise<OpenStore>): void => {
  describe(name, () => {
    let opened: OpenStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    for (const part of [
      describeCreating,
      describeSettling,
      describeWaiting,
      describeReading,
      describeSearching,
      describePausing,
      describeOwning,
      describeEnding,
      describeAnnouncing,
    ])
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
      const reopened = await reopen();
      const { store: again } = reopened;
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
      await reopened.close();
    });

    it('stays as it was in each state', async () => {
      const opened = await open();
      const { store, webhooks, reopen } = opened;
      if (reopen === null) throw new Error('this store leaves nothing');
      const paused = await create(store, manyRows(600), { webhook: webhook(true) });
      const chunk = await take(store);
      await store.pauseJob(paused.id, later(1));
      const hidden = await create(store, manyRows(600));
      await store.hideJob(hidden.id);
      const cancelled = await create(store, manyRows(600), { webhook: webhook(false) });
      await store.cancelJob(cancelled.id, later(2));
      const due = await webhooks.takeDelivery(later(3), later(day));
      const before = await readJob(store, paused.id);
      const again = await reopen();
      expect(await readJob(again.store, paused.id)).toEqual(before);
      expect(await again.store.readJob(hidden.id)).toBeNull();
      expect(await again.store.takeChunk(later(day), later(2 * day))).toBeNull();
      // The lease of the dead sender is over.
      expect(await again.webhooks.takeDelivery(later(3), later(day))).toEqual(due);
      expect(await again.store.eraseExpired(later(4))).toBe(1);
      await again.store.resumeJob(paused.id, later(5));
      const taken = [await take(again.store, later(6)), await take(again.store, later(6))];
      expect(taken.find(({ id }) => id === chunk.id)).toMatchObject({ attempt: 2, crashes: 1 });
      await again.store.releaseChunks(muchLater);
      await settleAll(again.store, later(6));
      expect((await readJob(again.store, paused.id)).state).toBe('COMPLETED');
      await again.close();
    });
  });
};
