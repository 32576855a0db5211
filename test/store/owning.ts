/** Part of the contract: whose a job is. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import { create, everyJob, later, manyRows, readJob, settleAll, start, take } from './list.ts';
import type { OpenStore } from './open.ts';

export const describeOwning = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('the owner', () => {
    it('is kept with the job, whatever it is called, and told with each of its chunks', async () => {
      for (const owner of ['3f0c', null, 'key \0"%жук', '']) {
        const idempotencyKey = JSON.stringify([owner, 'k']);
        const job = await create(store, manyRows(2), { owner, idempotencyKey });
        expect(job.owner).toBe(owner);
        expect(await readJob(store, job.id)).toEqual(job);
        expect((await store.findByIdempotencyKey(idempotencyKey))?.job.owner).toBe(owner);
        const chunk = await take(store);
        expect(chunk).toMatchObject({ jobId: job.id, owner });
        await store.settleRows(
          chunk,
          { settled: [], waiting: chunk.rows.map(({ row }) => ({ row, retryAt: later(1_000) })) },
          start,
        );
        expect(await take(store, later(1_000))).toMatchObject({ jobId: job.id, owner });
        expect(await store.pauseJob(job.id, later(1))).toMatchObject({ owner });
        expect(await store.cancelJob(job.id, later(1))).toMatchObject({ owner, state: 'CANCELLED' });
      }
    });

    it('has its own listed, newest first, page after page; null is whoever’s', async () => {
      const owners = ['a', 'b', null, 'a', 'a', 'A', 'b', null, 'a', ''];
      const ids: string[] = [];
      for (const owner of owners)
        ids.push((await create(store, manyRows(2), { owner, name: `of ${owner}` })).id);
      const found = async (over: Partial<typeof everyJob> | object) => {
        const { items, hasNextPage } = await store.listJobs({ ...everyJob, ...over });
        return [items.map(({ id }) => ids.indexOf(id)), hasNextPage];
      };
      expect(await found({})).toEqual([[9, 8, 7, 6, 5, 4, 3, 2, 1, 0], false]);
      expect(await found({ owner: 'a' })).toEqual([[8, 4, 3, 0], false]);
      expect(await found({ owner: 'A' })).toEqual([[5], false]);
      expect(await found({ owner: '' })).toEqual([[9], false]);
      expect(await found({ owner: 'nobody' })).toEqual([[], false]);
      expect(await found({ owner: 'a', limit: 3 })).toEqual([[8, 4, 3], true]);
      expect(await found({ owner: 'a', limit: 3, afterId: ids[3] })).toEqual([[0], false]);
      expect(await found({ owner: 'a', limit: 1, afterId: ids[8] })).toEqual([[4], true]);
      // A cursor of somebody else's tells as much as one of nobody's.
      expect(await found({ owner: 'a', afterId: ids[6] })).toEqual([[], false]);
      expect(await found({ afterId: ids[6] })).toEqual([[5, 4, 3, 2, 1, 0], false]);
      await store.cancelJob(ids[4] ?? '', later(1));
      await settleAll(store, later(1));
      expect(await found({ owner: 'a', states: ['CANCELLED'] })).toEqual([[4], false]);
      expect(await found({ owner: 'a', states: ['COMPLETED'], search: 'OF A', limit: 2 })).toEqual([
        [8, 3],
        true,
      ]);
      expect(await found({ owner: 'b', search: 'of a' })).toEqual([[], false]);
      await store.hideJob(ids[8] ?? '');
      expect(await found({ owner: 'a' })).toEqual([[4, 3, 0], false]);
    });
  });
};
