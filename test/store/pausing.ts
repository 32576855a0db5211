/** Part of the contract: jobs are paused, resumed and hidden. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import {
  create,
  day,
  everyJob,
  firstResults,
  later,
  manyRows,
  muchLater,
  newJob,
  readAll,
  readJob,
  result,
  rowsOf,
  settleAll,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

export const describePausing = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('pausing', () => {
    it('gives none of its chunks, and goes on where it was', async () => {
      const job = await create(store, manyRows(1_100));
      expect(await store.pauseJob(job.id, later(1))).toMatchObject({ state: 'PAUSED', endedAt: null });
      expect(await store.pauseJob(job.id, later(2))).toMatchObject({ state: 'PAUSED' });
      expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
      expect(await store.nextChunkAt()).toBeNull();
      expect(await store.resumeJob(job.id, later(3))).toMatchObject({ state: 'QUEUED', startedAt: null });
      await take(store, later(4));
      expect(await store.pauseJob(job.id, later(5))).toMatchObject({ state: 'PAUSED', startedAt: later(4) });
      expect(await store.resumeJob(job.id, later(6))).toMatchObject({ state: 'RUNNING' });
      await store.releaseChunks(muchLater);
      await settleAll(store, later(7));
      expect(await readJob(store, job.id)).toMatchObject({
        state: 'COMPLETED',
        counters: { settled: 1_100 },
      });
    });

    it('lets what is under way settle; its rest goes back paused, released or given back', async () => {
      const job = await create(store, manyRows(1_500));
      const [settling, released, returned] = [await take(store), await take(store), await take(store)];
      await store.pauseJob(job.id, later(1));
      const settled = settling.rows.slice(0, 10).map((row) => result(row));
      const waiting = settling.rows.slice(10, 20).map(({ row }) => ({ row, retryAt: later(60_000) }));
      expect(await store.settleRows(settling, { settled, waiting: [] }, later(2))).toBe('settled');
      expect(await store.settleChunk(settling, { settled: [], waiting }, later(3))).toBe('settled');
      await store.returnChunk(returned);
      await store.releaseChunks(muchLater);
      expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
      expect(await store.nextChunkAt()).toBeNull();
      expect(await readJob(store, job.id)).toMatchObject({
        state: 'PAUSED',
        nextRetryAt: null,
        counters: { settled: 10, waiting: 10 },
      });
      expect(await store.resumeJob(job.id, later(4))).toMatchObject({ nextRetryAt: later(60_000) });
      await settleAll(store, later(5));
      expect((await readJob(store, job.id)).counters).toMatchObject({ settled: 1_490, waiting: 10 });
      expect(await store.takeChunk(later(59_999), later(day))).toBeNull();
      await settleAll(store, later(60_000));
      const positions = (await readAll(store, job.id)).map(({ position }) => position);
      expect(positions).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1));
      expect(released.id).not.toBe(returned.id);
    });

    it('completes with its last row though it is paused, and leaves ended jobs as they ended', async () => {
      const job = await create(store, rowsOf(['a@x.example']));
      const chunk = await take(store);
      await store.pauseJob(job.id, later(1));
      await store.settleChunk(
        chunk,
        { settled: chunk.rows.map((row) => result(row)), waiting: [] },
        later(2),
      );
      const ended = await readJob(store, job.id);
      expect(ended).toMatchObject({ state: 'COMPLETED', endedAt: later(2) });
      expect(await store.pauseJob(job.id, later(3))).toEqual(ended);
      expect(await store.resumeJob(job.id, later(3))).toEqual(ended);
      expect(await store.cancelJob(job.id, later(3))).toEqual(ended);
    });

    it('is cancelled as well', async () => {
      const job = await create(store, manyRows(600));
      await store.pauseJob(job.id, later(1));
      expect(await store.cancelJob(job.id, later(2))).toMatchObject({
        state: 'CANCELLED',
        endedAt: later(2),
      });
      expect(await store.resumeJob(job.id, later(3))).toMatchObject({ state: 'CANCELLED' });
      expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
    });

    it('starts rows that were never asked though the clock went back', async () => {
      const job = await create(store, manyRows(10));
      await store.pauseJob(job.id, later(1));
      await store.resumeJob(job.id, later(-day));
      expect((await take(store, later(-day))).jobId).toBe(job.id);
    });
  });

  describe('passing over', () => {
    it('takes of no job that is excepted', async () => {
      const [first, second] = [await create(store, manyRows(600)), await create(store, manyRows(600))];
      const others = await store.takeChunk(start(), later(1), [first.id]);
      expect(others?.jobId).toBe(second.id);
      expect(await store.takeChunk(start(), later(1), [first.id, second.id])).toBeNull();
      expect((await store.takeChunk(start(), later(1), [newJob().id]))?.jobId).toBe(first.id);
    });

    it('counts neither an attempt nor a crash of a chunk that is given back', async () => {
      await create(store, manyRows(10));
      const chunk = await take(store);
      await store.returnChunk(chunk);
      const again = await take(store);
      expect(again).toMatchObject({ id: chunk.id, attempt: 1, crashes: 0 });
      // With a lease that is no longer held.
      await store.returnChunk(chunk);
      expect(await store.takeChunk(start(), later(1))).toBeNull();
    });

    it('forgets no crash of a chunk that is given back, nor of one that is paused', async () => {
      const job = await create(store, manyRows(10));
      const died = await take(store);
      await store.releaseChunks(muchLater);
      const found = await take(store);
      expect(found).toMatchObject({ id: died.id, crashes: 1 });
      // As the worker does that runs it alone once all else has ended.
      await store.returnChunk(found);
      expect(await take(store)).toMatchObject({ id: died.id, crashes: 1 });
      await store.pauseJob(job.id, later(1));
      await store.releaseChunks(muchLater);
      expect(await store.takeChunk(start(), later(1))).toBeNull();
      await store.resumeJob(job.id, later(2));
      expect(await take(store, later(3))).toMatchObject({ id: died.id, crashes: 2 });
    });

    it('counts leases that ended without a word, until one ends with one', async () => {
      await create(store, manyRows(10));
      await take(store);
      await store.releaseChunks(muchLater);
      await take(store);
      await store.releaseChunks(later(day));
      const third = await take(store);
      expect(third).toMatchObject({ attempt: 3, crashes: 2 });
      await store.settleChunk(third, { settled: [], waiting: [] }, later(1));
      expect(await take(store)).toMatchObject({ attempt: 4, crashes: 0 });
    });
  });

  describe('hiding', () => {
    it('shows the job to nobody at once, and is erased with the next sweep', async () => {
      const job = await create(store, manyRows(1_100), { idempotencyKey: 'k', inputHash: 'h' });
      const chunk = await take(store);
      await store.settleRows(
        chunk,
        { settled: chunk.rows.slice(0, 5).map((row) => result(row)), waiting: [] },
        later(1),
      );
      expect(await store.hideJob(job.id)).toBe(true);
      expect(await store.hideJob(job.id)).toBe(false);
      expect(await store.readJob(job.id)).toBeNull();
      expect(await store.listJobs(everyJob)).toEqual({ items: [], hasNextPage: false });
      expect(await store.findByIdempotencyKey('k')).toBeNull();
      expect(await store.readResults(job.id, firstResults)).toEqual({ items: [], hasNextPage: false });
      expect(await store.readRows(job.id, { afterRow: 0, limit: 5 })).toEqual({
        items: [],
        hasNextPage: false,
      });
      expect(await store.takeChunk(later(day), later(2 * day))).toBeNull();
      expect(await store.settleChunk(chunk, { settled: [], waiting: [] }, later(2))).toBe('refused');
      for (const change of ['pauseJob', 'resumeJob', 'cancelJob'] as const)
        expect(await store[change](job.id, later(2))).toBeNull();
      expect(await store.eraseExpired(later(3))).toBe(1);
      await create(store, manyRows(10), { idempotencyKey: 'k', inputHash: 'h' });
    });
  });

  describe('a full disk', () => {
    it('settles nothing, and all of it once there is room', async (context) => {
      const { fillDisk, makeRoom } = opened();
      if (fillDisk === null) return context.skip('no disk can be had that may be filled');
      const job = await create(store, manyRows(2_000));
      const chunk = await take(store);
      const settled = chunk.rows.map((row) =>
        result(row, { reply: { code: 250, enhancedCode: null, text: 'x'.repeat(300) } }),
      );
      const before = await readJob(store, job.id);
      await fillDisk();
      for (const method of ['settleRows', 'settleChunk'] as const)
        await expect(store[method](chunk, { settled, waiting: [] }, later(1))).rejects.toMatchObject({
          isPassing: true,
        });
      expect(await readJob(store, job.id)).toEqual(before);
      expect(await readAll(store, job.id)).toEqual([]);
      await expect(store.createJob(newJob(), manyRows(5_000))).rejects.toMatchObject({ isPassing: true });
      await makeRoom();
      expect((await store.listJobs(everyJob)).items).toEqual([before]);
      expect(await store.settleChunk(chunk, { settled, waiting: [] }, later(1))).toBe('settled');
      await settleAll(store, later(2));
      expect((await readJob(store, job.id)).state).toBe('COMPLETED');
    });
  });
};

const start = () => later(0);
