/** Part of the contract: chunks are taken and settled. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobStore, SettledRow } from '../../src/jobs/index.ts';
import {
  create,
  day,
  later,
  manyRows,
  muchLater,
  readAll,
  readJob,
  result,
  rowsOf,
  start,
  take,
} from './list.ts';
import type { OpenStore } from './open.ts';

const nothing = { settled: [], waiting: [] };

export const describeSettling = (opened: () => OpenStore): void => {
  let store: JobStore;
  beforeEach(() => {
    store = opened().store;
  });

  describe('takeChunk', () => {
    it('gives each chunk to one taker, and starts the job', async () => {
      const job = await create(store, manyRows(1_100));
      const chunks = [await take(store, later(5)), await take(store, later(6)), await take(store, later(7))];
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
      expect(await store.settleChunk(chunk, { settled: [one, two], waiting: [] }, later(1))).toBe('settled');
      expect((await readJob(store, job.id)).state).toBe('COMPLETED');
    });

    it('refuses a lease that is no longer held, and writes nothing', async () => {
      const job = await create(store, rowsOf(['a@x.example']));
      const late = await take(store);
      expect(await store.releaseChunks(muchLater)).toBe(1);
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
      // Each for a minute, which is what the queue of a cluster is told before.
      const held = [await take(store, start), await take(store, later(1_000))];
      for (const now of [10, 20, 30, 40, 50].map((seconds) => later(1_000 * seconds)))
        expect(await store.keepChunks(held, now)).toEqual([]);
      expect(await store.releaseChunks(later(60_000))).toBe(0);
      expect(await store.releaseChunks(later(60_001))).toBe(1);
      expect(await store.takeChunk(later(60_001), later(180_000))).not.toBeNull();
      expect(await store.takeChunk(later(60_001), later(180_000))).toBeNull();
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
        if (random(12) === 0) await store.releaseChunks(random(2) === 0 ? muchLater : now);
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
    // A thousand steps and more, of some milliseconds each where every one is a transaction on a server.
  }, 60_000);
};
