/** What a cluster survives: real processes, a real PostgreSQL, real signals. Each time every row is there once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countExamples, exampleList } from '../../src/sandbox/index.ts';
import { whyNoPostgres } from '../postgres/server.ts';
import {
  countReasons,
  followResults,
  post,
  type Result,
  readJob,
  startJob,
  until,
  untilSettled,
  wait,
} from './client.ts';
import { type Cluster, type Node, startCluster } from './cluster.ts';

const minutes = 60_000;
/** So many rows a second to one exchange: the job must last longer than what happens to it. */
const pace = (perSecond: number) => ({ RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: String(perSecond) });
const leavesWork = { RCPT_WORKER_CHUNKS: '0' };

describe.skipIf(whyNoPostgres !== null)('a cluster', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster();
  }, minutes);
  afterEach(() => cluster.stop(), minutes);

  const expectWhole = (results: readonly Result[], list: readonly string[]): void => {
    expect(results.map(({ position }) => position)).toEqual(list.map((_, index) => index + 1));
    expect(results.toSorted((a, b) => a.row - b.row).map(({ address }) => address)).toEqual(list);
  };
  const endOf = async (gateway: Node, id: string) => {
    await until(async () => (await readJob(gateway, id)).state === 'COMPLETED');
    return readJob(gateway, id);
  };

  it('loses no row of a worker that is killed, three times', { timeout: 3 * minutes }, async () => {
    const rows = 3_000;
    const list = exampleList(rows);
    const gateway = await cluster.start('serve', 'gateway', leavesWork);
    const workers = [
      await cluster.start('worker', 'worker-0', pace(100)),
      await cluster.start('worker', 'worker-1', pace(100)),
    ];
    const id = await startJob(gateway, list);
    const following = followResults([gateway], id, rows);
    for (let kill = 0; kill < 3; kill += 1) {
      await untilSettled(gateway, id, 300 * (kill + 1));
      const victim = workers.shift();
      victim?.signal('SIGKILL');
      await victim?.ended;
      workers.push(await cluster.start('worker', `worker-${kill + 2}`, pace(100)));
    }
    const results = await following;
    expectWhole(results, list);
    expect(countReasons(results)).toEqual(countExamples(rows, { isRetried: true }));
    expect(await endOf(gateway, id)).toMatchObject({ progress: { settled: rows, waiting: 0 } });
  });

  it('goes on at another gateway where one is killed with its subscriptions', {
    timeout: 2 * minutes,
  }, async () => {
    const rows = 2_000;
    const list = exampleList(rows);
    const first = await cluster.start('serve', 'gateway-0', leavesWork);
    const second = await cluster.start('serve', 'gateway-1', leavesWork);
    await cluster.start('worker', 'worker-0', pace(200));
    const id = await startJob(first, list);
    let isKilled = false;
    const results = await followResults([first, second], id, rows, (count) => {
      if (isKilled || count < rows / 4) return;
      isKilled = true;
      first.signal('SIGKILL');
    });
    expect(isKilled).toBe(true);
    expectWhole(results, list);
    await endOf(second, id);
  });

  it('outlives a restart of PostgreSQL, and thirty seconds without it', {
    timeout: 4 * minutes,
  }, async () => {
    const rows = 3_000;
    const list = exampleList(rows);
    const gateway = await cluster.start('serve', 'gateway', leavesWork);
    const workers = [
      await cluster.start('worker', 'worker-0', pace(100)),
      await cluster.start('worker', 'worker-1', pace(100)),
    ];
    const id = await startJob(gateway, list);
    const following = followResults([gateway], id, rows);
    await untilSettled(gateway, id, 200);
    await cluster.postgres.halt();
    await cluster.postgres.resume();
    await until(async () => (await post(gateway, '{ gateway { version } }')).errors === undefined);
    await until(async () => {
      const { data } = await post<{ bulkJob: { progress: { settled: number } } }>(
        gateway,
        'query($id: ID!) { bulkJob(id: $id) { progress { settled } } }',
        { id },
      );
      return (data?.bulkJob?.progress.settled ?? 0) >= 600;
    });

    await cluster.postgres.crash();
    await wait(5_000);
    // Whoever asks meanwhile is told so, in time and by a code.
    const askedAt = performance.now();
    const { errors } = await post(gateway, 'query($id: ID!) { bulkJob(id: $id) { state } }', { id });
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['STORAGE_UNAVAILABLE']);
    const health = new URL('/health/ready', gateway.url);
    expect((await fetch(health)).status).toBe(503);
    expect((await fetch(new URL('/health/live', gateway.url))).status).toBe(200);
    // What needs no store is answered as ever.
    const { data } = await post<{ email: { syntax: { isValid: boolean } } }>(
      gateway,
      '{ email(address: "a@b.example") { syntax { isValid } } }',
    );
    expect(data?.email.syntax.isValid).toBe(true);
    await wait(25_000);
    await cluster.postgres.resume();

    const results = await following;
    expectWhole(results, list);
    await endOf(gateway, id);
    for (const { child } of [gateway, ...workers]) expect(child.exitCode).toBeNull();
    expect((await fetch(health)).status).toBe(200);
    // No password, and nobody's address, in what they logged.
    const said = [gateway, ...workers].flatMap(({ log }) => log).join('\n');
    expect(said).not.toMatch(/not-a-secret|@bulk|@full\.test/);
  });

  it('tells progress though the connections that listen are cut', { timeout: 2 * minutes }, async () => {
    const rows = 1_500;
    const list = exampleList(rows);
    const gateway = await cluster.start('serve', 'gateway', leavesWork);
    await cluster.start('worker', 'worker-0', pace(100));
    const id = await startJob(gateway, list);
    const cutting = setInterval(() => {
      cluster.postgres
        .run(
          cluster.databaseUrl,
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()`,
        )
        .catch(() => undefined);
    }, 500);
    try {
      expectWhole(await followResults([gateway], id, rows), list);
    } finally {
      clearInterval(cutting);
    }
    await endOf(gateway, id);
  });

  it('refuses what a worker brings that was stopped past its lease', { timeout: 3 * minutes }, async () => {
    const rows = 1_500;
    const list = exampleList(rows);
    const gateway = await cluster.start('serve', 'gateway', leavesWork);
    const sleeper = await cluster.start('worker', 'sleeper', pace(60));
    const id = await startJob(gateway, list);
    await untilSettled(gateway, id, 50);
    sleeper.signal('SIGSTOP');
    const other = await cluster.start('worker', 'other', pace(200));
    const following = followResults([gateway], id, rows);
    // Its heartbeats are missed, the other takes what it held.
    await untilSettled(gateway, id, rows);
    sleeper.signal('SIGCONT');
    const results = await following;
    expectWhole(results, list);
    // It lives, found its leases gone, and works on what comes next.
    other.signal('SIGTERM');
    expect(await other.ended).toBe(0);
    const next = exampleList(100);
    const nextId = await startJob(gateway, next);
    expectWhole(await followResults([gateway], nextId, next.length), next);
    expect(sleeper.child.exitCode).toBeNull();
  });

  it('agrees though clocks differ by an hour', { timeout: 2 * minutes }, async () => {
    const rows = 1_000;
    const list = exampleList(rows);
    const hour = 3_600_000;
    const gateway = await cluster.start('serve', 'gateway', leavesWork, -hour);
    await cluster.start('worker', 'ahead', pace(100), hour);
    await cluster.start('worker', 'behind', pace(100), -hour);
    const startedAt = performance.now();
    const id = await startJob(gateway, list);
    const results = await followResults([gateway], id, rows);
    expectWhole(results, list);
    // Greylisted rows were asked again when it was their time, and not an hour later or at once.
    expect(countReasons(results)).toEqual(countExamples(rows, { isRetried: true }));
    expect(performance.now() - startedAt).toBeLessThan(minutes);
    await endOf(gateway, id);
  });

  it('drains a worker on SIGTERM within ten seconds, and another one goes on', {
    timeout: 2 * minutes,
  }, async () => {
    const rows = 1_500;
    const list = exampleList(rows);
    const gateway = await cluster.start('serve', 'gateway', leavesWork);
    const leaver = await cluster.start('worker', 'leaver', pace(60));
    const id = await startJob(gateway, list);
    await untilSettled(gateway, id, 100);
    expect(await (await fetch(leaver.url)).json()).toEqual({ status: 'ready' });
    const toldAt = performance.now();
    leaver.signal('SIGTERM');
    expect(await leaver.ended).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(10_000);
    const before = await readJob(gateway, id);
    expect(before.progress.settled).toBeLessThan(rows);
    await cluster.start('worker', 'next', pace(200));
    expectWhole(await followResults([gateway], id, rows), list);
  });
});
