/** Two gateways on one PostgreSQL: the same keys, the same buckets, whichever of them is asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../command/ask.ts';
import { runRcpt } from '../command/process.ts';
import { whyNoPostgres } from '../postgres/server.ts';
import { type Cluster, type Node, startCluster } from './cluster.ts';

const minutes = 60_000;

describe.skipIf(whyNoPostgres !== null)('keys of a cluster', () => {
  let cluster: Cluster;
  let gateways: readonly Node[];
  beforeAll(async () => {
    cluster = await startCluster();
    const leavesWork = { RCPT_WORKER_CHUNKS: '0' };
    gateways = [
      await cluster.start('serve', 'one', leavesWork),
      await cluster.start('serve', 'two', leavesWork),
    ];
  }, minutes);
  afterAll(() => cluster?.stop(), minutes);

  const keys = async (...args: string[]) => {
    const { code, out, err } = await runRcpt(['keys', ...args], {
      env: { DATABASE_URL: cluster.databaseUrl },
    });
    expect({ code, err }).toMatchObject({ code: 0 });
    return out.trimEnd();
  };
  const statusesOf = (key: string | null) =>
    Promise.all(gateways.map(async (gateway) => (await post(gateway, '{ __typename }', { key })).status));
  /** A gateway looks for new keys every second. */
  const until = async (key: string | null, status: number): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!(await statusesOf(key)).every((each) => each === status))
      if (Date.now() > deadline) throw new Error(`they did not all answer ${status} within ten seconds`);
  };

  it('are made once and good at each, and end at each', { timeout: minutes }, async () => {
    expect(await statusesOf(null)).toEqual([200, 200]);
    const key = await keys('create', '--name', 'shared', '--scope', 'bulk');
    await until(key, 200);
    await until(null, 401);
    const [one, two] = gateways as [Node, Node];
    const started = await post(
      one,
      'mutation { startBulkJob(input: {source: {addresses: ["user1@accepts.test"]}}) { ... on BulkJob { id } } }',
      { key },
    );
    const { id } = (await started.json()).data.startBulkJob;
    const other = await keys('create', '--name', 'another', '--scope', 'bulk');
    await until(other, 200);
    const nameAt = async (as: string) =>
      (await (await post(two, `{ bulkJob(id: "${id}") { state } }`, { key: as })).json()).data.bulkJob;
    expect(await nameAt(key)).toEqual({ state: 'QUEUED' });
    expect(await nameAt(other)).toBeNull();
    const stream = await post(two, `subscription { bulkJobProgress(id: "${id}") { job { state } } }`, {
      key,
      headers: { accept: 'text/event-stream' },
    });
    await keys('revoke', key);
    expect(await stream.text()).toContain('"code":"UNAUTHENTICATED"');
    await until(key, 401);
    expect(await statusesOf(other)).toEqual([200, 200]);
  });

  it('pay from one bucket at both', { timeout: minutes }, async () => {
    const key = await keys('create', '--name', 'poor', '--scope', 'verify', '--per-minute', '60');
    await until(key, 200);
    const asking =
      '{ a: email(address: "a@accepts.test") { address } b: email(address: "b@accepts.test") { address } }';
    const answers: Response[] = [];
    const startedAt = Date.now();
    // Two points each: 60 and what comes back meanwhile, a point a second, buy about thirty of them at both together.
    while (!answers.some(({ status }) => status === 429))
      answers.push(...(await Promise.all(gateways.map((gateway) => post(gateway, asking, { key })))));
    const served = answers.filter(({ status }) => status === 200).length;
    const most = (60 + (Date.now() - startedAt) / 1_000 + 1) / 2;
    expect(served).toBeGreaterThan(20);
    expect(served).toBeLessThanOrEqual(most);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get('retry-after')).toMatch(/^[12]$/);
  });

  it('go on while the database is away, and limits with them', { timeout: minutes }, async () => {
    const key = await keys('create', '--name', 'steady', '--scope', 'verify', '--per-minute', '40');
    await until(key, 200);
    await cluster.postgres.halt();
    try {
      const [one] = gateways as [Node];
      const statuses: number[] = [];
      while (!statuses.includes(429) && statuses.length < 60)
        statuses.push((await post(one, '{ a: email(address: "a@b.test") { address } }', { key })).status);
      expect(statuses.slice(0, 10)).toEqual(Array(10).fill(200));
      expect(statuses.at(-1)).toBe(429);
      expect(await post(one, '{ __typename }')).toMatchObject({ status: 401 });
    } finally {
      await cluster.postgres.resume();
    }
    expect(gateways.flatMap(({ log }) => log).join('\n')).not.toContain(key);
  });
});
