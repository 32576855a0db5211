/** What every store promises of webhooks' deliveries; an implementation joins by calling `describeWebhookStore`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryAttempt, Job, JobStore, WebhookStore } from '../../src/jobs/index.ts';
import { create, later, manyRows, result, take } from './list.ts';
import type { OpenStore } from './open.ts';

const webhook = { url: 'https://hooks.example/', secret: 'whsec_x', tellsProgress: true };
const attempt = (over: Partial<DeliveryAttempt> = {}): DeliveryAttempt => ({
  at: later(0),
  durationMs: 12,
  status: 500,
  error: 'The receiver answered 500.',
  ...over,
});
const all = { limit: 100, afterId: null };

export const describeWebhookStore = (name: string, open: () => Promise<OpenStore>): void => {
  describe(name, () => {
    let opened: OpenStore;
    let store: JobStore;
    let webhooks: WebhookStore;
    beforeEach(async () => {
      opened = await open();
      ({ store, webhooks } = opened);
    });
    afterEach(() => opened.close());

    /** A job of ten rows, of which so many are settled, one after the other, at `later(atMs)`. */
    const tell = async (settled: number, atMs = 0, over: object = {}): Promise<Job> => {
      const job = await create(store, manyRows(10, 1), { webhook, ...over });
      const chunk = await take(store);
      for (const row of chunk.rows.slice(0, settled))
        await store.settleRows(chunk, { settled: [result(row)], waiting: [] }, later(atMs));
      return job;
    };
    const takeAt = (atMs: number, leaseMs = 60_000) =>
      webhooks.takeDelivery(later(atMs), later(atMs + leaseMs));

    it('has nothing to deliver at first, nor of a job without a webhook', async () => {
      await tell(10, 0, { webhook: null });
      expect(await takeAt(1_000)).toBeNull();
      expect(await webhooks.nextDeliveryAt()).toBeNull();
    });

    it('gives what an event was, with where to and how to sign it', async () => {
      const job = await tell(10, 0, { name: 'März', webhook: { ...webhook, tellsProgress: false } });
      expect(await takeAt(0)).toEqual({
        id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
        jobId: job.id,
        event: 'bulk_job.completed',
        state: 'PENDING',
        createdAt: later(0),
        nextAttemptAt: later(0),
        attempts: [],
        url: webhook.url,
        secret: webhook.secret,
        jobName: 'März',
        jobState: 'COMPLETED',
        counters: expect.objectContaining({ total: 10, settled: 10, deliverable: 10 }),
      });
    });

    it('gives it to one taker until its lease ends', async () => {
      await tell(1);
      const first = await takeAt(0);
      expect(await takeAt(59_999)).toBeNull();
      expect(await webhooks.nextDeliveryAt()).toBeNull();
      expect((await takeAt(60_000))?.id).toBe(first?.id);
    });

    it('gives the events of a job in order, each when the one before has ended', async () => {
      const job = await tell(10);
      const settled: unknown[] = [];
      for (let due = await takeAt(0); due !== null; due = await takeAt(0)) {
        settled.push([due.event, due.jobState, due.counters.settled]);
        expect(await takeAt(0)).toBeNull();
        await webhooks.noteAttempt(due.id, attempt({ status: 204, error: null }), 'DELIVERED');
      }
      expect(settled).toEqual([
        ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ['bulk_job.progressed', 'RUNNING', n]),
        ['bulk_job.completed', 'COMPLETED', 10],
      ]);
      expect((await webhooks.listDeliveries(job.id, all)).items.map(({ state }) => state)).toEqual(
        Array(10).fill('DELIVERED'),
      );
    });

    it('gives the one of another job meanwhile, the longest due first', async () => {
      const one = await tell(10, 5_000);
      const other = await tell(10, 1_000);
      expect((await takeAt(9_000))?.jobId).toBe(other.id);
      expect((await takeAt(9_000))?.jobId).toBe(one.id);
      expect(await takeAt(9_000)).toBeNull();
    });

    it('keeps what was tried, and gives it again at its time', async () => {
      const job = await tell(10, 0, { webhook: { ...webhook, tellsProgress: false } });
      const due = await takeAt(0);
      const noted = attempt({ at: later(10) });
      await webhooks.noteAttempt(due?.id ?? '', noted, { retryAt: later(5_000) });
      expect(await webhooks.nextDeliveryAt()).toEqual(later(5_000));
      expect(await takeAt(4_999)).toBeNull();
      expect(await takeAt(5_000)).toMatchObject({ id: due?.id, attempts: [noted] });
      const last = attempt({ at: later(5_010), status: null, error: 'The receiver hung up.' });
      await webhooks.noteAttempt(due?.id ?? '', last, 'FAILED');
      expect((await webhooks.listDeliveries(job.id, all)).items).toMatchObject([
        { state: 'FAILED', nextAttemptAt: null, attempts: [noted, last] },
      ]);
      expect(await takeAt(1_000_000)).toBeNull();
      expect(await webhooks.nextDeliveryAt()).toBeNull();
    });

    it('leaves alone what has ended or is not there', async () => {
      const job = await tell(10, 0, { webhook: { ...webhook, tellsProgress: false } });
      const due = await takeAt(0);
      await webhooks.noteAttempt(due?.id ?? '', attempt({ status: 204, error: null }), 'DELIVERED');
      await webhooks.noteAttempt(due?.id ?? '', attempt(), { retryAt: later(1) });
      await webhooks.noteAttempt('msg_none', attempt(), 'FAILED');
      expect((await webhooks.listDeliveries(job.id, all)).items).toMatchObject([
        { state: 'DELIVERED', attempts: [{ status: 204 }] },
      ]);
    });

    it('ends a progress event that waits for another attempt once there is a newer one', async () => {
      const job = await create(store, manyRows(10, 1), { webhook });
      const chunk = await take(store);
      const settle = (from: number, to: number) =>
        store.settleRows(
          chunk,
          { settled: chunk.rows.slice(from, to).map((row) => result(row)), waiting: [] },
          later(0),
        );
      await settle(0, 1);
      const due = await takeAt(0);
      await webhooks.noteAttempt(due?.id ?? '', attempt(), { retryAt: later(1_000_000) });
      await settle(1, 10);
      expect(await takeAt(0)).toMatchObject({ event: 'bulk_job.completed' });
      expect((await webhooks.listDeliveries(job.id, all)).items).toMatchObject([
        { event: 'bulk_job.completed', state: 'PENDING' },
        { event: 'bulk_job.progressed', state: 'FAILED', nextAttemptAt: null },
      ]);
    });

    it('pages through the log, newest first', async () => {
      const job = await tell(10);
      const { items } = await webhooks.listDeliveries(job.id, all);
      expect(items).toHaveLength(10);
      const first = await webhooks.listDeliveries(job.id, { limit: 4, afterId: null });
      expect(first).toEqual({ items: items.slice(0, 4), hasNextPage: true });
      expect(await webhooks.listDeliveries(job.id, { limit: 6, afterId: items[3]?.id ?? '' })).toEqual({
        items: items.slice(4),
        hasNextPage: false,
      });
      expect(await webhooks.listDeliveries(job.id, { limit: 4, afterId: 'msg_none' })).toEqual({
        items: [],
        hasNextPage: false,
      });
    });

    it('gives nothing of a job that is hidden, and forgets it when that is erased', async () => {
      const job = await tell(10);
      await store.hideJob(job.id);
      // Nobody waits for what is not given.
      expect(await webhooks.nextDeliveryAt()).toBeNull();
      expect(await takeAt(0)).toBeNull();
      expect((await webhooks.listDeliveries(job.id, all)).items).toEqual([]);
      await store.eraseExpired(later(0));
      expect(await webhooks.nextDeliveryAt()).toBeNull();
    });
  });
};
