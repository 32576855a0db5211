/** Part of the contract: what webhooks are told comes to be with what happened. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore, WebhookStore } from '../../src/jobs/index.ts';
import { create, day, later, manyRows, result, settleAll, take } from './list.ts';
import type { OpenStore } from './open.ts';

export const webhook = (tellsProgress: boolean) => ({
  url: 'https://hooks.example/',
  secret: 'whsec_c2VjcmV0',
  tellsProgress,
});
const failed = { at: later(5), durationMs: 12, status: 503, error: 'The receiver said 503.' };
const page = { limit: 50, afterId: null };

export const describeAnnouncing = (opened: () => OpenStore): void => {
  let store: JobStore;
  let webhooks: WebhookStore;
  beforeEach(() => {
    ({ store, webhooks } = opened());
  });
  const events = async (jobId: string): Promise<readonly (readonly [string, string])[]> =>
    (await webhooks.listDeliveries(jobId, page)).items.map(({ event, state }) => [event, state] as const);
  const takeOne = (now = later(10)) => webhooks.takeDelivery(now, new Date(now.getTime() + 30_000));
  /** Settles the next `count` rows of the only job. */
  const settleSome = async (count: number, now = later(1)) => {
    const chunk = await take(store, now);
    const settled = chunk.rows.slice(0, count).map((row) => result(row));
    await store.settleChunk(chunk, { settled, waiting: [] }, now);
  };

  describe('webhooks', () => {
    it('hear the end once, with what was counted then', async () => {
      const job = await create(store, manyRows(20), { name: 'mine', webhook: webhook(false) });
      await settleSome(5);
      expect(await webhooks.nextDeliveryAt()).toBeNull();
      await settleAll(store, later(7));
      expect(await webhooks.nextDeliveryAt()).toEqual(later(7));
      expect(await webhooks.takeDelivery(later(6), later(9))).toBeNull();
      const due = await takeOne();
      expect(due).toMatchObject({
        id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
        jobId: job.id,
        event: 'bulk_job.completed',
        state: 'PENDING',
        createdAt: later(7),
        nextAttemptAt: later(7),
        attempts: [],
        url: 'https://hooks.example/',
        secret: 'whsec_c2VjcmV0',
        jobName: 'mine',
        jobState: 'COMPLETED',
        counters: { total: 20, settled: 20, deliverable: 20, waiting: 0, duplicates: 0 },
      });
      expect((await webhooks.listDeliveries(job.id, page)).items).toHaveLength(1);
      expect(JSON.stringify(await webhooks.listDeliveries(job.id, page))).not.toContain('whsec_');
    });

    it('hear of an empty list, of a cancelled one, and not of jobs that have none', async () => {
      const empty = await create(store, [], { webhook: webhook(false) });
      const cancelled = await create(store, manyRows(20), { webhook: webhook(false) });
      await store.pauseJob(cancelled.id, later(1));
      await store.cancelJob(cancelled.id, later(2));
      await store.cancelJob(cancelled.id, later(3));
      const silent = await create(store, []);
      expect(await events(empty.id)).toEqual([['bulk_job.completed', 'PENDING']]);
      expect(await events(cancelled.id)).toEqual([['bulk_job.cancelled', 'PENDING']]);
      expect(await events(silent.id)).toEqual([]);
    });

    it('hear of each tenth that is crossed, once, when they asked to', async () => {
      const job = await create(store, manyRows(100), { webhook: webhook(true) });
      for (const rows of [9, 1, 1, 24, 4]) await settleSome(rows);
      const { items } = await webhooks.listDeliveries(job.id, page);
      // At 10 and 35 rows; at 9, 11 and 39 no other tenth was full.
      expect(items.map(({ event }) => event)).toEqual(['bulk_job.progressed', 'bulk_job.progressed']);
      await settleAll(store, later(2));
      expect((await events(job.id))[0]?.[0]).toBe('bulk_job.completed');
      const first = await takeOne();
      expect(first).toMatchObject({ jobState: 'RUNNING', counters: { settled: 10, total: 100 } });
    });

    it('keep the newest of endless attempts', async () => {
      const job = await create(store, [], { webhook: webhook(false) });
      const { id = '' } = (await takeOne()) ?? {};
      for (let n = 0; n < 120; n += 1)
        await webhooks.noteAttempt(id, { ...failed, at: later(n) }, { retryAt: later(n) });
      const attempts = (await webhooks.listDeliveries(job.id, page)).items[0]?.attempts ?? [];
      expect(attempts.length).toBeLessThanOrEqual(100);
      expect(attempts.at(-1)?.at).toEqual(later(119));
    });

    it('are told nothing of a job that is hidden, and forget it', async () => {
      const job = await create(store, [], { webhook: webhook(false) });
      const due = await takeOne();
      await store.hideJob(job.id);
      await webhooks.noteAttempt(due?.id ?? '', failed, { retryAt: later(20) });
      expect(await takeOne(later(day))).toBeNull();
      expect(await events(job.id)).toEqual([]);
      await store.eraseExpired(later(0));
      expect(await webhooks.nextDeliveryAt()).toBeNull();
    });
  });
};
