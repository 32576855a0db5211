import { beforeEach, describe, expect, it } from 'vitest';
import {
  createJob,
  deliveriesOf,
  holdTime,
  openWorld,
  start,
  startReceiver,
  until,
  untilTried,
  verify,
} from './world.ts';

beforeEach(holdTime);

const none = { waiting: 0, undeliverable: 0, risky: 0, unknown: 0, duplicates: 0 };

describe('what arrives', () => {
  it('is one signed POST when the job ends, as the reference implementation reads it', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const name = 'Rundbrief – März 📬 "\\';
    const job = await createJob(world, `${receiver.url}?a=b&c`, { rows: 3, name });
    await job.settle();
    const delivery = await untilTried(world, job.id);
    expect(delivery).toEqual({
      id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      jobId: job.id,
      event: 'bulk_job.completed',
      state: 'DELIVERED',
      createdAt: start,
      nextAttemptAt: null,
      attempts: [{ at: start, durationMs: expect.any(Number), status: 204, error: null }],
    });
    const [request] = receiver.heard;
    if (request === undefined || receiver.heard.length > 1) throw new Error('not one request');
    expect(request.path).toBe('/hook?a=b&c');
    expect(request.headers).toEqual({
      host: `hooks.test:${receiver.port}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(request.body)),
      'user-agent': 'rcpt',
      connection: 'close',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(start.getTime() / 1_000),
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
    });
    expect(verify(request)).toEqual({
      type: 'bulk_job.completed',
      timestamp: start.toISOString(),
      data: {
        id: `global-${job.id}`,
        name,
        state: 'COMPLETED',
        progress: { total: 3, settled: 3, deliverable: 3, ...none },
      },
    });
    expect(request.body).not.toContain('@');
    expect(() => verify({ ...request, body: `${request.body} ` })).toThrow('No matching signature');
    expect(() => verify(request, `whsec_${Buffer.alloc(32, 'another').toString('base64')}`)).toThrow();
    expect(world.errors).toEqual([]);
  });

  it('comes over TLS, to a name or to an address', async () => {
    const receiver = await startReceiver(undefined, { isSecured: true });
    const world = await openWorld();
    for (const host of ['hooks.test', '127.0.0.1']) {
      const job = await createJob(world, `https://${host}:${receiver.port}/`);
      await job.settle();
      expect(await untilTried(world, job.id)).toMatchObject({ state: 'DELIVERED' });
    }
    expect(receiver.heard.map(({ headers }) => headers.host)).toEqual(
      ['hooks.test', '127.0.0.1'].map((host) => `${host}:${receiver.port}`),
    );
  });

  it('is told of each tenth of the rows when that was asked for, in order', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 40, tellsProgress: true });
    for (let row = 0; row < 40; row += 1) {
      await job.settle(1);
      // None of them is a moment's work, and what is told is where the job stood then.
      await untilQuiet(world, job.id);
    }
    expect(receiver.heard.map(({ body }) => readEvent(body))).toEqual([
      ...[4, 8, 12, 16, 20, 24, 28, 32, 36].map((settled) => ['bulk_job.progressed', 'RUNNING', settled]),
      ['bulk_job.completed', 'COMPLETED', 40],
    ]);
    expect(new Set(receiver.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(10);
    for (const request of receiver.heard) verify(request);
  });

  it('is in order and one at a time however many events wait', async () => {
    let underWay = 0;
    let mostUnderWay = 0;
    const receiver = await startReceiver((response) => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      setImmediate(() => {
        underWay -= 1;
        response.end();
      });
    });
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 10, tellsProgress: true });
    for (let row = 0; row < 10; row += 1) await job.settle(1);
    await untilTried(world, job.id);
    expect(receiver.heard.map(({ body }) => readEvent(body)[2])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(mostUnderWay).toBe(1);
  });

  it('is the end alone when progress was not asked for', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 10 });
    for (let row = 0; row < 10; row += 1) await job.settle(1);
    await untilTried(world, job.id);
    expect(receiver.heard.map(({ body }) => readEvent(body)[0])).toEqual(['bulk_job.completed']);
  });

  it('tells of a cancelled job where it stood', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const job = await createJob(world, receiver.url, { rows: 10 });
    await job.settle(2);
    await world.store.jobs.cancelJob(job.id, new Date());
    world.webhooks.wake();
    await untilTried(world, job.id);
    expect(receiver.heard.map(({ body }) => readEvent(body))).toEqual([
      ['bulk_job.cancelled', 'CANCELLED', 2],
    ]);
  });

  it('is nothing for a job that is erased before', async () => {
    const receiver = await startReceiver();
    const world = await openWorld();
    const erased = await createJob(world, receiver.url);
    await world.webhooks.close();
    await erased.settle();
    await world.store.jobs.hideJob(erased.id);
    await world.restart();
    const other = await createJob(world, receiver.url);
    await other.settle();
    await untilTried(world, other.id);
    expect(receiver.heard).toHaveLength(1);
  });
});

const readEvent = (body: string): unknown[] => {
  const { type, data } = JSON.parse(body);
  return [type, data.state, data.progress.settled];
};

const untilQuiet = (world: Parameters<typeof deliveriesOf>[0], jobId: string): Promise<void> =>
  until(async () => (await deliveriesOf(world, jobId)).every(({ state }) => state !== 'PENDING'));
