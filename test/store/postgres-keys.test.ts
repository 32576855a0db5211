/** Keys and their buckets on a real PostgreSQL, as the gateways of a cluster and `rcpt keys` have them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BucketStore, Draught } from '../../src/keys/index.ts';
import { openPostgresKeys, openPostgresStore, type PostgresStore } from '../../src/store/index.ts';
import { createPostgresBuckets } from '../../src/store/postgres/buckets.ts';
import { openDatabase } from '../../src/store/postgres/database.ts';
import { faultOf } from '../postgres/faults.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { openRelay } from '../postgres/proxy.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { drawAnyKey } from './any-key.ts';
import { describeKeyStore, type OpenKeys } from './keys-contract.ts';
import { later } from './list.ts';

const fail = (error: unknown): never => {
  throw error;
};

describe.skipIf(whyNoPostgres !== null)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const openStore = (url: string, over: Partial<Parameters<typeof openPostgresStore>[0]> = {}) =>
    openPostgresStore({
      url,
      source: '192.0.2.1',
      connections: 2,
      leaseMs: 60_000,
      onError: fail,
      ...over,
    });

  /** A gateway, and the command line beside it. */
  const open = async (url: string): Promise<OpenKeys> => {
    const [gateway, command] = [await openStore(url), await openPostgresKeys({ url, onError: fail })];
    const close = async () => void (await Promise.all([gateway.close(), command.close()]));
    return {
      keys: gateway.keys,
      others: command.keys,
      async reopen() {
        await close();
        return open(url);
      },
      close,
    };
  };
  describeKeyStore('keys in a database', async () => open(await createStoreDatabase(server)));

  describe('the command line', () => {
    it('comes first to an empty database, makes a key there, and joins no cluster', async () => {
      const url = await server.createDatabase();
      const { keys, close } = await openPostgresKeys({ url, onError: fail });
      const { key } = drawAnyKey();
      await keys.createKey(key);
      expect(await server.run(url, `SELECT to_regnamespace('rcpt_queue') AS queue`)).toEqual([
        { queue: null },
      ]);
      await close();
      await close();
      expect(await faultOf(keys.readKeys())).toMatchObject({ code: 'CLOSED' });
      const store = await openStore(url);
      expect(await store.keys.readKeys()).toEqual([key]);
      await store.close();
    });

    it('is refused by a newer version and by nobody there, in a line without the password', async () => {
      const url = await createStoreDatabase(server);
      await server.run(url, 'INSERT INTO rcpt.migration (version) VALUES (1000)');
      expect(await faultOf(openPostgresKeys({ url, onError: fail }))).toMatchObject({
        code: 'NEWER_VERSION',
      });
      const gone = url.replace(/:\d+\//, ':1/');
      expect(await faultOf(openPostgresKeys({ url: gone, onError: fail }))).toMatchObject({
        code: 'UNREACHABLE',
        isPassing: true,
      });
    });
  });

  describe('a gateway', () => {
    it('knows its keys while all connections of the chunks are busy', async () => {
      const url = await createStoreDatabase(server);
      const store = await openStore(url, { connections: 1 });
      const { key } = drawAnyKey();
      await store.keys.createKey(key);
      await server.run(url, 'BEGIN; LOCK TABLE rcpt.job');
      const stuck = store.jobs.readJob('x');
      expect(await store.keys.readKeys()).toEqual([key]);
      expect(
        await store.buckets.draw('a', { points: 1, unused: 0, capacity: 1, refillPerSecond: 1 }),
      ).toEqual({
        isTaken: true,
        left: 0,
      });
      await server.run(url, 'ROLLBACK');
      await stuck;
      await store.close();
      for (const work of [() => store.keys.readVersion(), () => store.buckets.draw('a', one)])
        expect(await faultOf(work())).toMatchObject({ code: 'CLOSED', isPassing: false });
    });

    it('hears soon that a look or a draw takes too long, and of a server that is gone', async () => {
      const url = await createStoreDatabase(server);
      const relay = await openRelay(url);
      const faults: unknown[] = [];
      const store = await openStore(relay.url, {
        deadlines: { statementMs: 300, connectMs: 1_000 },
        onError: (error) => faults.push(error),
      });
      await store.buckets.draw('a', one);
      await server.run(url, 'BEGIN; LOCK TABLE rcpt.api_key; LOCK TABLE rcpt.bucket');
      for (const work of [
        () => store.keys.readVersion(),
        () => store.keys.revokeKey('x', later(1)),
        () => store.buckets.draw('a', one),
      ])
        expect(await faultOf(work())).toMatchObject({ code: 'TIMED_OUT', isPassing: true });
      await server.run(url, 'ROLLBACK');
      expect(await store.buckets.draw('a', one)).toMatchObject({ isTaken: true });
      await relay.close();
      for (const work of [() => store.keys.readVersion(), () => store.buckets.draw('a', one)])
        expect(await faultOf(work())).toMatchObject({ code: 'UNREACHABLE', isPassing: true });
      await store.close();
    });
  });

  const one: Draught = { points: 1, unused: 0, capacity: 20, refillPerSecond: 0 };
  /** A day and more: what the suite itself takes of it does not count. */
  const slowly = { ...one, refillPerSecond: 1e-6 };

  describe('buckets', () => {
    let url = '';
    let stores: readonly PostgresStore[] = [];
    let buckets: BucketStore;
    let others: BucketStore;
    beforeEach(async () => {
      url = await createStoreDatabase(server);
      stores = await Promise.all([openStore(url), openStore(url, { source: '192.0.2.2' })]);
      [buckets, others] = stores.map((store) => store.buckets) as [BucketStore, BucketStore];
    });
    afterEach(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await server.dropDatabase(url);
    });
    /** As if so many seconds passed. */
    const pass = (seconds: number) =>
      server.run(
        url,
        `UPDATE rcpt.bucket SET filled_at = filled_at - ${seconds} * interval '1 second', full_at = full_at - ${seconds} * interval '1 second'`,
      );
    const count = async () => (await server.run(url, 'SELECT count(*)::int AS n FROM rcpt.bucket'))[0]?.n;

    it('are full at first, and give no more than they hold', async () => {
      expect(await buckets.draw('a', { ...one, points: 15 })).toEqual({ isTaken: true, left: 5 });
      expect(await buckets.draw('a', { ...one, points: 6 })).toEqual({ isTaken: false, left: 5 });
      expect(await buckets.draw('a', { ...one, points: 5 })).toEqual({ isTaken: true, left: 0 });
      expect(await buckets.draw('a', { ...one, points: 0 })).toEqual({ isTaken: true, left: 0 });
      expect(await buckets.draw('a', one)).toEqual({ isTaken: false, left: 0 });
      expect(await buckets.draw('b', { ...one, points: 20.5 })).toEqual({ isTaken: false, left: 20 });
      expect(await buckets.draw('b', { ...one, points: 0.5 })).toEqual({ isTaken: true, left: 19.5 });
      expect(await buckets.draw('', one)).toEqual({ isTaken: true, left: 19 });
    });

    it('give fifty who come at once to twenty points exactly twenty, through two gateways', async () => {
      for (let round = 0; round < 5; round += 1) {
        const drawn = await Promise.all(
          Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? buckets : others).draw(`round ${round}`, one)),
        );
        const taken = drawn.filter(({ isTaken }) => isTaken).map(({ left }) => left);
        expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
        expect(drawn.filter(({ isTaken }) => !isTaken).every(({ left }) => left === 0)).toBe(true);
      }
    });

    it('never take more than there is, whatever is drawn and given back at once', async () => {
      const wishes = Array.from({ length: 200 }, (_, n) => ({
        ...one,
        capacity: 100,
        points: n % 7,
        unused: n % 5 === 0 ? 1 : 0,
      }));
      const drawn = await Promise.all(
        wishes.map(async (wish, n) => ({
          wish,
          level: await (n % 2 === 0 ? buckets : others).draw('a', wish),
        })),
      );
      const taken = drawn
        .filter(({ level }) => level.isTaken)
        .reduce((sum, { wish }) => sum + wish.points, 0);
      const given = wishes.reduce((sum, { unused }) => sum + unused, 0);
      const { left } = await buckets.draw('a', { ...one, capacity: 100, points: 0 });
      expect(Math.min(...drawn.map(({ level }) => level.left))).toBeGreaterThanOrEqual(0);
      expect(taken + left).toBeLessThanOrEqual(100 + given);
      expect(taken).toBeGreaterThanOrEqual(90);
    });

    it('fill again with time, up to what they hold', async () => {
      const tenth = { ...slowly, refillPerSecond: 0.1 };
      await buckets.draw('a', { ...tenth, points: 20 });
      await pass(50);
      const level = await others.draw('a', tenth);
      expect(level.isTaken).toBe(true);
      expect(level.left).toBeGreaterThanOrEqual(4);
      expect(level.left).toBeLessThan(6);
      await pass(10_000);
      expect(await buckets.draw('a', tenth)).toEqual({ isTaken: true, left: 19 });
      // A smaller one from now on, and a larger one.
      expect((await buckets.draw('a', { ...slowly, capacity: 10 })).left).toBe(9);
      expect((await buckets.draw('a', { ...slowly, capacity: 30 })).left).toBeCloseTo(8, 2);
    });

    it('lose nothing when the clock is set back', async () => {
      await buckets.draw('a', { ...slowly, points: 10 });
      await pass(-3_600);
      const tenth = { ...one, refillPerSecond: 0.1 };
      expect((await buckets.draw('a', tenth)).left).toBe(9);
      await pass(10);
      expect((await buckets.draw('a', tenth)).left).toBeCloseTo(9, 0);
    });

    it('take back what was not needed, whether or not the points are there', async () => {
      await buckets.draw('a', { ...one, points: 20 });
      expect(await others.draw('a', { ...one, points: 3, unused: 5 })).toEqual({ isTaken: true, left: 2 });
      expect(await buckets.draw('a', { ...one, points: 9, unused: 4 })).toEqual({ isTaken: false, left: 6 });
      expect(await buckets.draw('a', { ...one, points: 0, unused: 1_000 })).toEqual({
        isTaken: true,
        left: 20,
      });
      // Of a bucket that nobody knows any more.
      expect(await buckets.draw('b', { ...one, unused: 7 })).toEqual({ isTaken: true, left: 19 });
    });

    it('keep no name, and none is in what the database may write to its log', async () => {
      const name = 'key 3f0c at 203.0.113.77';
      await buckets.draw(name, one);
      const kept = await server.run(url, 'SELECT b.*, b::text AS printed FROM rcpt.bucket b');
      expect(JSON.stringify(kept)).not.toContain('203.0.113');
      expect(kept[0]?.name).toHaveLength(16);
      await server.run(url, 'ALTER TABLE rcpt.bucket ADD CHECK (level > 100) NOT VALID');
      const fault = await buckets.draw(name, one).catch((error: unknown) => error);
      expect(JSON.stringify(fault, Object.getOwnPropertyNames(fault))).not.toContain('203.0.113');
    });

    it('that are full again are erased when somebody draws a minute later, and no others', async () => {
      const database = openDatabase({ url, connections: 2, onError: fail });
      let now = 0;
      const swept = createPostgresBuckets({ database, onError: fail, now: () => now });
      await swept.draw('first', slowly);
      await server.run(
        url,
        `INSERT INTO rcpt.bucket SELECT decode(lpad(n::text, 32, '0'), 'hex'), 1, now(), now() - interval '1 second', true
         FROM generate_series(1, 12000) AS n`,
      );
      for (const refillPerSecond of [1e-6, 0])
        await swept.draw(`slow ${refillPerSecond}`, { ...one, refillPerSecond });
      await swept.draw('soon', { ...one, refillPerSecond: 1e6 });
      now = 59_999;
      await swept.draw('slow 0', one);
      expect(await count()).toBe(12_004);
      now = 60_000;
      await swept.draw('slow 0', one);
      // What is not full yet: the first, both slow ones.
      await expect.poll(count).toBe(3);
      expect(await swept.draw('slow 0', one)).toEqual({ isTaken: true, left: 16 });
      await swept.close();
      await database.close();
    });

    it('are drawn from while they are erased, and are never fuller for it', async () => {
      const database = openDatabase({ url, connections: 4, onError: fail });
      let now = 0;
      const swept = createPostgresBuckets({ database, onError: fail, now: () => now });
      const draw = async (n: number): Promise<boolean> => {
        // Each of these erases what is full, which is this bucket until somebody has drawn from it.
        now += 60_000;
        return (await (n % 2 === 0 ? swept : others).draw('a', slowly)).isTaken;
      };
      await draw(0);
      for (let round = 0; round < 20; round += 1) {
        await pass(1e9);
        const drawn = await Promise.all(Array.from({ length: 40 }, (_, n) => draw(n)));
        expect(drawn.filter((isTaken) => isTaken)).toHaveLength(20);
      }
      await swept.close();
      await database.close();
    });
  });
});
