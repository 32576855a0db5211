/** How processes open one PostgreSQL database: all at once, half-way, with another version. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/store/index.ts';
import { openDatabase } from '../../src/store/postgres/database.ts';
import { migrate, migrations } from '../../src/store/postgres/migrations.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { create, manyRows } from './list.ts';

const fail = (error: unknown): never => {
  throw error;
};
const child = join(import.meta.dirname, 'postgres-opening.child.ts');

describe.skipIf(whyNoPostgres !== null)('a PostgreSQL database', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const options = { source: '192.0.2.1', connections: 2, leaseMs: 60_000, onError: fail };
  const openRaw = (url: string) => openDatabase({ url, connections: 2, onError: () => undefined });
  const versionOf = async (url: string): Promise<unknown> =>
    (await server.run(url, 'SELECT max(version) AS version FROM rcpt.migration'))[0]?.version;

  it('is opened by several processes at once: all come in, with one schema and one secret', async () => {
    const url = await server.createDatabase();
    const secrets = await Promise.all(
      Array.from({ length: 4 }, async (_, n) => {
        const life = spawn(process.execPath, [child, url, `192.0.2.${n + 1}`], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        const ended = new Promise((resolve) => life.once('exit', resolve));
        const [line] = await Promise.all([
          createInterface(life.stdout)[Symbol.asyncIterator]().next(),
          // Each stays until all are in.
          new Promise((resolve) => life.stdout.once('data', resolve)),
        ]);
        life.stdin.end();
        expect(await ended).toBe(0);
        return String(line.value);
      }),
    );
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secrets).size).toBe(1);
    expect(await server.run(url, 'SELECT version FROM rcpt.migration ORDER BY version')).toEqual(
      migrations.map((_, index) => ({ version: index + 1 })),
    );
    expect(await server.run(url, 'SELECT count(DISTINCT name)::int AS n FROM rcpt_queue.instance')).toEqual([
      { n: 4 },
    ]);
  }, 40_000);

  it('is what it was after a step that fails, and goes on with the next start', async () => {
    const url = await server.createDatabase();
    const database = openRaw(url);
    const bad = [...migrations, 'CREATE TABLE extra (a int); INSERT INTO extra VALUES (1 / 0)'];
    await expect(migrate(database, bad)).rejects.toThrow('division by zero');
    expect(await server.run(url, `SELECT to_regclass('rcpt.job') AS job`)).toEqual([{ job: null }]);
    await migrate(database);
    await expect(migrate(database, bad)).rejects.toThrow('division by zero');
    expect(await versionOf(url)).toBe(migrations.length);
    expect(await server.run(url, `SELECT to_regclass('rcpt.extra') AS extra`)).toEqual([{ extra: null }]);
    await migrate(database, [...migrations, 'CREATE TABLE extra (a int)']);
    expect(await versionOf(url)).toBe(migrations.length + 1);
    await database.close();
  });

  it('is what it was when its migrator dies half-way; who waits behind it goes on at once', async () => {
    const url = await server.createDatabase();
    const [dying, waiting] = [openRaw(url), openRaw(url)];
    const died = migrate(dying, [...migrations, 'SELECT pg_sleep(30)']).then(
      () => null,
      (error: unknown) => error,
    );
    const activity = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    const sleeper = `${activity} AND query LIKE '%pg_sleep(30)%'`;
    await expect.poll(() => server.run(url, `SELECT 1 AS n ${sleeper}`)).toHaveLength(1);
    const migrated = migrate(waiting);
    await expect
      .poll(() => server.run(url, `SELECT 1 AS n ${activity} AND wait_event_type = 'Lock'`))
      .toHaveLength(1);
    await server.run(url, `SELECT pg_terminate_backend(pid) ${sleeper}`);
    expect(await died).toMatchObject({ code: 'UNREACHABLE' });
    await migrated;
    expect(await versionOf(url)).toBe(migrations.length);
    await Promise.all([dying.close(), waiting.close()]);
    const store = await openPostgresStore({ url, ...options });
    await create(store.jobs, manyRows(10));
    await store.close();
  });

  it('is given the time that a step takes, by whoever waits for it as well', async () => {
    const url = await server.createDatabase();
    const openHasty = () =>
      openDatabase({
        url,
        connections: 1,
        deadlines: { connectMs: 1_000, statementMs: 100, lockMs: 100 },
        onError: () => undefined,
      });
    const both = [openHasty(), openHasty()];
    await Promise.all(both.map((one) => migrate(one, [...migrations, 'SELECT pg_sleep(1.5)'])));
    expect(await versionOf(url)).toBe(migrations.length + 1);
    await Promise.all(both.map((one) => one.close()));
  });

  it('of a newer version is refused, and nothing of it is changed', async () => {
    const url = await server.createDatabase();
    await (await openPostgresStore({ url, ...options })).close();
    await server.run(url, 'INSERT INTO rcpt.migration (version) VALUES (1000)');
    await expect(openPostgresStore({ url, ...options })).rejects.toMatchObject({
      code: 'NEWER_VERSION',
      isPassing: false,
    });
    expect(await versionOf(url)).toBe(1000);
  });

  it('is done again what lost a race: two transactions that wait for each other', async () => {
    const url = await server.createDatabase();
    const database = openRaw(url);
    await server.run(url, 'CREATE TABLE public.pair (id int PRIMARY KEY, n int)');
    await server.run(url, 'INSERT INTO public.pair VALUES (1, 0), (2, 0)');
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    const work = (first: number, second: number) =>
      database.transaction(async ({ query }) => {
        const add = 'UPDATE public.pair SET n = n + 1 WHERE id = $1';
        await query(add, [first]);
        waiting += 1;
        if (waiting === 2) both.resolve();
        await both.promise;
        await query(add, [second]);
      });
    await Promise.all([work(1, 2), work(2, 1)]);
    expect(waiting).toBe(3);
    expect(await server.run(url, 'SELECT n FROM public.pair')).toEqual([{ n: 2 }, { n: 2 }]);
    await database.close();
  });

  it('that is closed says CLOSED, and closing twice is once', async () => {
    const store = await openPostgresStore({ url: await server.createDatabase(), ...options });
    await Promise.all([store.close(), store.close()]);
    for (const work of [
      () => store.jobs.readJob('x'),
      () => store.jobs.hideJob('x'),
      () => store.webhooks.nextDeliveryAt(),
      () => store.uploads.readUpload('x'),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'CLOSED', isPassing: false });
  });
});
