import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createRawServer, listen, openSockets } from '../../dns/peers.ts';
import {
  createJob,
  deliveriesOf,
  holdTime,
  hour,
  minute,
  openWorld,
  passToNextAttempt,
  start,
  startReceiver,
  until,
  untilTried,
  verify,
  type World,
} from './world.ts';

beforeEach(holdTime);

/** Attempts until nothing is left to try. */
const passToEnd = async (world: World, jobId: string) => {
  let last = await untilTried(world, jobId);
  while (last.state === 'PENDING') last = await passToNextAttempt(world, jobId);
  return last;
};

describe('a receiver that is down', () => {
  it('for an hour hears of the end when it is back, under the same id and with a new signature', async () => {
    const upAt = start.getTime() + hour;
    const receiver = await startReceiver((response) =>
      response.writeHead(Date.now() < upAt ? 503 : 204).end(),
    );
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    const delivery = await passToEnd(world, job.id);
    expect(delivery.state).toBe('DELIVERED');
    expect(delivery.attempts.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503, 503, 204]);
    expect(receiver.heard.map(({ headers }) => headers['webhook-id'])).toEqual(Array(7).fill(delivery.id));
    expect(new Set(receiver.heard.map(({ body }) => body)).size).toBe(1);
    const timestamps = receiver.heard.map(({ headers }) => Number(headers['webhook-timestamp']) * 1_000);
    for (const [index, { at }] of receiver.heard.entries())
      expect(at.getTime() - (timestamps[index] ?? 0)).toBeLessThan(2_000);
    expect(new Set(timestamps).size).toBe(7);
    const last = receiver.heard.at(-1);
    if (last) verify(last);
    expect(Date.now() - upAt).toBeLessThan(hour);
  });

  it('for ever is given up after a day', async () => {
    const receiver = await startReceiver((response) => response.writeHead(500).end());
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    const delivery = await passToEnd(world, job.id);
    expect(delivery).toMatchObject({ state: 'FAILED', nextAttemptAt: null });
    expect(delivery.attempts).toHaveLength(11);
    const took = (delivery.attempts.at(-1)?.at.getTime() ?? 0) - start.getTime();
    expect(took).toBeGreaterThan(23 * hour);
    expect(took).toBeLessThan(25 * hour);
    await vi.advanceTimersByTimeAsync(hour);
    expect(receiver.heard).toHaveLength(11);
    expect(await world.store.webhooks.nextDeliveryAt()).toBeNull();
  });

  it('is not asked before its time, and the timer alone asks then', async () => {
    let isUp = false;
    const receiver = await startReceiver((response) => response.writeHead(isUp ? 204 : 500).end());
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    await untilTried(world, job.id);
    isUp = true;
    await vi.advanceTimersByTimeAsync(4_900);
    world.webhooks.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(receiver.heard).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(await untilTried(world, job.id, 2)).toMatchObject({ state: 'DELIVERED' });
  });

  it('is not asked later because the clock was set back', async () => {
    const receiver = await startReceiver((response, count) =>
      response.writeHead(count === 1 ? 500 : 204).end(),
    );
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    await untilTried(world, job.id);
    vi.setSystemTime(start.getTime() - 3 * hour);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await untilTried(world, job.id, 2)).toMatchObject({ state: 'DELIVERED' });
    // The receiver compares with the time of day, whatever it was before.
    expect(Number(receiver.heard[1]?.headers['webhook-timestamp']) * 1_000).toBeLessThan(
      start.getTime() - 2 * hour,
    );
  });

  it('for one job holds up no other, and what is stale of its own is dropped for what is new', async () => {
    let isUp = false;
    const down = await startReceiver((response) => response.writeHead(isUp ? 204 : 500).end());
    const up = await startReceiver();
    const world = await openWorld();
    const job = await createJob(world, down.url, { rows: 10, tellsProgress: true });
    await job.settle(1);
    await untilTried(world, job.id);
    const other = await createJob(world, up.url);
    await other.settle();
    expect(await untilTried(world, other.id)).toMatchObject({ state: 'DELIVERED' });
    await job.settle(1);
    await untilTried(world, job.id);
    isUp = true;
    await job.settle(8);
    await untilTried(world, job.id);
    const told = await deliveriesOf(world, job.id);
    expect(told.slice(0, 2)).toMatchObject([
      { event: 'bulk_job.progressed', state: 'FAILED', attempts: [{ status: 500 }] },
      { event: 'bulk_job.progressed', state: 'FAILED', attempts: [{ status: 500 }] },
    ]);
    expect(told.at(-1)).toMatchObject({ event: 'bulk_job.completed', state: 'DELIVERED' });
    // No time passed: nobody waited behind what had failed.
    expect(Date.now() - start.getTime()).toBeLessThan(minute);
  });

  it('while something newer came to be told of is not told the old again', async () => {
    let fail = (): void => {};
    const receiver = await startReceiver((response, count) => {
      if (count > 1) response.writeHead(204).end();
      else fail = () => response.writeHead(500).end();
    });
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 10, tellsProgress: true });
    await job.settle(1);
    await until(() => receiver.heard.length === 1);
    await job.settle(9);
    fail();
    await until(async () => (await deliveriesOf(world, job.id)).at(-1)?.state === 'DELIVERED');
    expect(await deliveriesOf(world, job.id)).toMatchObject([
      { event: 'bulk_job.progressed', state: 'FAILED', attempts: [{ status: 500 }] },
      { event: 'bulk_job.completed', state: 'DELIVERED', attempts: [{ status: 204 }] },
    ]);
    expect(receiver.heard).toHaveLength(2);
  });

  it('that said 410 is told nothing more of the job', async () => {
    const receiver = await startReceiver((response) => response.writeHead(410).end());
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 10, tellsProgress: true });
    await job.settle(1);
    await untilTried(world, job.id);
    await job.settle(9);
    expect(await untilTried(world, job.id)).toMatchObject({
      event: 'bulk_job.completed',
      state: 'FAILED',
      attempts: [{ status: null, error: 'The receiver answered 410 to an earlier event.' }],
    });
    expect(receiver.heard).toHaveLength(1);
  });
});

describe('our own trouble', () => {
  it('with making an attempt is reported, and counts, so that it ends', async () => {
    const receiver = await startReceiver();
    let isBroken = true;
    const world = await openWorld({
      printJobId: (id) => {
        if (isBroken) throw new Error('a bug');
        return id;
      },
    });
    const job = await createJob(world, receiver.url);
    await job.settle();
    expect(await untilTried(world, job.id)).toMatchObject({
      state: 'PENDING',
      attempts: [{ status: null, error: 'The gateway could not make the attempt.' }],
    });
    expect(world.errors).toEqual([new Error('a bug')]);
    isBroken = false;
    expect(await passToNextAttempt(world, job.id)).toMatchObject({ state: 'DELIVERED' });
  });

  it('with the store is reported, and what could not be taken is taken later', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const { takeDelivery } = world.store.webhooks;
    let failures = 0;
    Object.assign(world.store.webhooks, {
      takeDelivery: async (...times: Parameters<typeof takeDelivery>) => {
        failures += 1;
        if (failures <= 2) throw new Error('the disk is busy');
        return takeDelivery(...times);
      },
    });
    const job = await createJob(world, receiver.url);
    await job.settle();
    await until(() => failures >= 1);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await untilTried(world, job.id)).toMatchObject({ state: 'DELIVERED' });
    expect(world.errors).toEqual(Array(2).fill(new Error('the disk is busy')));
  });
});

describe('the end of the process', () => {
  it('between two attempts forgets none of them', async () => {
    const receiver = await startReceiver((response, count) =>
      response.writeHead(count < 3 ? 500 : 204).end(),
    );
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    await untilTried(world, job.id);
    await world.restart();
    await passToNextAttempt(world, job.id);
    await world.restart();
    const delivery = await passToNextAttempt(world, job.id);
    expect(delivery.state).toBe('DELIVERED');
    expect(delivery.attempts.map(({ status }) => status)).toEqual([500, 500, 204]);
  });

  it('cuts off an attempt that hangs; it counts as not made and is made again at once', async () => {
    let isHanging = true;
    const ids: unknown[] = [];
    const receiver = await startReceiver((response) => {
      ids.push(receiver.heard.at(-1)?.headers['webhook-id']);
      if (!isHanging) response.writeHead(204).end();
    });
    const world = await openWorld();
    const job = await createJob(world, receiver.url);
    await job.settle();
    await until(() => ids.length === 1);
    isHanging = false;
    const before = Date.now();
    await world.restart();
    // The harness lets ten seconds pass for the end, which needs less than two.
    expect(Date.now() - before).toBeLessThan(11_000);
    expect(await untilTried(world, job.id)).toMatchObject({
      state: 'DELIVERED',
      attempts: [{ status: 204 }],
    });
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(world.errors).toEqual([]);
  });

  it('leaves no timer and no socket', async () => {
    const hanging = await listen(createRawServer('', 'silence'));
    const world = await openWorld();
    const job = await createJob(world, `http://hooks.test:${hanging}/`);
    await job.settle();
    await until(() => openSockets() === 1);
    const closing = world.webhooks.close();
    await vi.advanceTimersByTimeAsync(2_000);
    await closing;
    await until(() => openSockets() === 0);
    world.webhooks.wake();
    expect(vi.getTimerCount()).toBe(0);
  });
});
