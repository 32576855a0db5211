/** What processes share beside jobs: verdicts, uploads, the secret. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NormalizedAddress } from '../../src/address/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/index.ts';
import { openDatabase } from '../../src/store/postgres/database.ts';
import { createPostgresVerifications } from '../../src/store/postgres/verifications.ts';
import { createStoreDatabase } from '../postgres/open.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { addressOf, verificationOf } from './verification.ts';

const fail = (error: unknown): never => {
  throw error;
};
const minute = 60_000;
const hour = 60 * minute;

describe.skipIf(whyNoPostgres !== null)('what processes share on PostgreSQL', () => {
  let server: PostgresServer;
  let url = '';
  let opened: PostgresStore[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await createStoreDatabase(server);
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
    await server.dropDatabase(url);
  });
  /** @param aheadMs how far its clock is ahead */
  const open = async (source: string, aheadMs = 0): Promise<PostgresStore> => {
    const store = await openPostgresStore({
      url,
      source,
      connections: 3,
      leaseMs: minute,
      now: () => new Date(Date.now() + aheadMs),
      onError: fail,
    });
    opened.push(store);
    return store;
  };
  const keyOf = (text: string): NormalizedAddress => addressOf(text).normalized;
  /** A verdict of this moment, by a clock that is so far ahead. */
  const verdictAt = (text: string, aheadMs = 0, over: Parameters<typeof verificationOf>[1] = {}) => {
    const now = Date.now() + aheadMs;
    const times = {
      checkedAt: new Date(now),
      expiresAt: new Date(now + 10 * minute),
    };
    return verificationOf(text, { ...times, ...over });
  };

  describe('verdicts', () => {
    it('are everybody’s; an UNKNOWN is told to the source alone that got it', async () => {
      const [one, two] = [await open('192.0.2.1'), await open('192.0.2.2')];
      const key = keyOf('a@x.example');
      const unknown = verdictAt('a@x.example', 0, { code: 554, meaning: 'IP_BLOCKED' });
      await one.verifications.remember(key, unknown);
      expect(await one.verifications.recall(key)).toEqual(unknown);
      expect(await two.verifications.recall(key)).toBeNull();
      const found = verdictAt('a@x.example', 1);
      await two.verifications.remember(key, found);
      expect(await two.verifications.recall(key)).toEqual(found);
      // The newest of both.
      expect(await one.verifications.recall(key)).toEqual(found);
      const later = verdictAt('a@x.example', 1_000, { code: 451, meaning: 'TEMPORARY' });
      await one.verifications.remember(key, later);
      expect(await one.verifications.recall(key)).toEqual(later);
      expect(await two.verifications.recall(key)).toEqual(found);
    });

    it('are told in the time of who asks, though clocks differ by an hour', async () => {
      const [one, ahead] = [await open('192.0.2.1'), await open('192.0.2.2', hour)];
      const key = keyOf('a@x.example');
      const verdict = verdictAt('a@x.example', hour);
      await ahead.verifications.remember(key, verdict);
      expect(await ahead.verifications.recall(key)).toEqual(verdict);
      const told = await one.verifications.recall(key);
      expect(Math.abs((told?.checkedAt.getTime() ?? 0) - Date.now())).toBeLessThan(10_000);
      expect(Math.abs((told?.expiresAt.getTime() ?? 0) - Date.now() - 10 * minute)).toBeLessThan(10_000);
      // It is newer than this one, whose clock says the opposite.
      await one.verifications.remember(key, verdictAt('a@x.example', -minute, { code: 251 }));
      expect((await one.verifications.recall(key))?.evidence).toMatchObject({
        probe: { reply: { code: 250 } },
      });
    });

    it('are written by many at once without waiting for each other, and read in one query a turn', async () => {
      const stores = await Promise.all(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((source) => open(source)));
      const texts = Array.from({ length: 600 }, (_, n) => `u${n}@x.example`);
      await Promise.all(
        stores.flatMap(({ verifications }, n) =>
          (n % 2 === 0 ? texts : texts.toReversed()).map((text) =>
            verifications.remember(keyOf(text), verdictAt(text)),
          ),
        ),
      );
      const [store] = stores;
      const read = async () => store?.verifications.recall(keyOf('u1@x.example'));
      expect(await read()).not.toBeNull();
      const answers = await Promise.all(
        texts.map((text) => store?.verifications.recall(keyOf(text)) ?? null),
      );
      expect(answers.every((answer) => answer !== null)).toBe(true);
      expect(
        await server.run(
          url,
          'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
        ),
      ).toEqual([{ deadlocks: 0 }]);
    });

    it('stay below their ceiling, those that end first go first', async () => {
      const database = openDatabase({ url, connections: 2, onError: fail });
      let now = Date.now();
      const memory = createPostgresVerifications({
        database,
        source: '192.0.2.1',
        now: () => new Date(now),
        onError: fail,
        mostKept: 50,
      });
      const lasting = (minutes: number) => ({ expiresAt: new Date(Date.now() + minutes * minute) });
      const texts = Array.from({ length: 120 }, (_, n) => `u${n}@x.example`);
      await Promise.all(
        texts.map((text, n) => memory.remember(keyOf(text), verdictAt(text, 0, lasting(10 + n)))),
      );
      now += 2 * minute;
      await memory.remember(keyOf('last@x.example'), verdictAt('last@x.example', 0, lasting(1_000)));
      const count = async () =>
        (await server.run(url, 'SELECT count(*)::int AS n FROM rcpt.verification'))[0]?.n;
      await expect.poll(count).toBe(50);
      expect(await memory.recall(keyOf('last@x.example'))).not.toBeNull();
      expect(await memory.recall(keyOf('u119@x.example'))).not.toBeNull();
      expect(await memory.recall(keyOf('u0@x.example'))).toBeNull();
      await memory.close();
      await database.close();
    });
  });

  describe('uploads', () => {
    const newUpload = (id: string, aheadMs = 0) => {
      const createdAt = new Date(Date.now() + aheadMs);
      const expiresAt = new Date(createdAt.getTime() + 30 * minute);
      return { id, owner: 'key-1', fileName: 'list\0.csv', sizeBytes: null, createdAt, expiresAt };
    };
    const lengthOf = async (octets: AsyncIterable<Uint8Array>) => {
      let length = 0;
      let longest = 0;
      for await (const piece of octets) {
        length += piece.length;
        longest = Math.max(longest, piece.length);
      }
      return { length, longest };
    };

    it('go on at one gateway and become a job at another, in pieces of bounded size', async () => {
      const [one, two] = [await open('192.0.2.1'), await open('192.0.2.2')];
      const id = crypto.randomUUID();
      const made = await one.uploads.createUpload(newUpload(id));
      expect(await two.uploads.readUpload(id)).toEqual(made);
      const octets = async function* (pieces: number, size: number) {
        for (let n = 0; n < pieces; n += 1) yield Buffer.alloc(size, n);
      };
      expect(await one.uploads.appendToUpload(id, 0, octets(3, 2_000_000))).toBe('appended');
      expect(await two.uploads.appendToUpload(id, 6_000_000, octets(40, 9_999))).toBe('appended');
      expect(await two.uploads.appendToUpload(id, 5, octets(1, 1))).toBe('misplaced');
      const all = 6_000_000 + 40 * 9_999;
      expect((await one.jobs.readStorage()).uploadBytes).toBe(all);
      expect(await one.uploads.completeUpload(id)).toMatchObject({ state: 'COMPLETE', sizeBytes: all });
      expect(await lengthOf(two.uploads.openUpload(id))).toEqual({ length: all, longest: 512 * 1_024 });
      await two.uploads.useUpload(id, 'hash');
      expect(await one.uploads.readUpload(id)).toMatchObject({
        state: 'USED',
        sha256: 'hash',
        receivedBytes: all,
      });
      expect(await server.run(url, 'SELECT count(*)::int AS n FROM rcpt.upload_piece')).toEqual([{ n: 0 }]);
      expect((await one.jobs.readStorage()).uploadBytes).toBe(0);
      await expect(lengthOf(one.uploads.openUpload(id))).rejects.toThrow('gone');
    });

    it('go on at another gateway at once when the first is killed', async () => {
      const two = await open('192.0.2.2');
      const id = crypto.randomUUID();
      await two.uploads.createUpload(newUpload(id));
      const child = join(import.meta.dirname, 'postgres-uploads.child.ts');
      const life = spawn(process.execPath, [child, url, id], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface(life.stdout)[Symbol.asyncIterator]();
      let handed = 0;
      while (handed < 3_000_000) handed = Number((await lines.next()).value);
      const octets = async function* () {
        yield Buffer.from('the rest');
      };
      expect(await two.uploads.appendToUpload(id, 0, octets())).toBe('busy');
      life.kill('SIGKILL');
      await new Promise((resolve) => life.once('exit', resolve));
      const received = async () => (await two.uploads.readUpload(id))?.receivedBytes ?? 0;
      await expect
        .poll(async () => two.uploads.appendToUpload(id, await received(), octets()))
        .toBe('appended');
      const length = await received();
      // What was gathered of a piece went along.
      expect(length).toBeGreaterThan(handed - 2 * 512 * 1_024);
      expect(await lengthOf(two.uploads.openUpload(id))).toMatchObject({ length });
    }, 30_000);

    it('expire by one time though clocks differ by an hour', async () => {
      const [one, ahead] = [await open('192.0.2.1'), await open('192.0.2.2', hour)];
      const id = crypto.randomUUID();
      const { expiresAt } = await ahead.uploads.createUpload(newUpload(id, hour));
      expect(Math.abs(expiresAt.getTime() - Date.now() - 90 * minute)).toBeLessThan(10_000);
      expect(await one.uploads.eraseExpiredUploads(new Date())).toBe(0);
      const told = await one.uploads.readUpload(id);
      expect(Math.abs((told?.expiresAt.getTime() ?? 0) - Date.now() - 30 * minute)).toBeLessThan(10_000);
      expect(await ahead.uploads.eraseExpiredUploads(new Date(Date.now() + hour))).toBe(0);
    });
  });

  it('the secret is one', async () => {
    const stores = await Promise.all(['192.0.2.1', '192.0.2.2'].map((source) => open(source)));
    const secrets = stores.map(({ secret }) => Buffer.from(secret).toString('hex'));
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secrets).size).toBe(1);
  });
});
