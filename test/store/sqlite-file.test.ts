import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/index.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { createSqliteJobStore } from '../../src/store/sqlite/jobs.ts';
import { createTemporaryStorage } from '../../src/store/sqlite/storage.ts';
import { createSqliteWebhooks } from '../../src/store/sqlite/webhooks.ts';
import { create, day, later, manyRows, newJob, rowsOf, settleAll } from './list.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-file-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const newPath = (): string => {
  made += 1;
  return join(root, `${made}.sqlite`);
};

describe('the secret', () => {
  it('is 32 octets, the same when it is opened again, and another one elsewhere', () => {
    const path = newPath();
    const secrets = [path, path, newPath(), ''].map((at) => {
      const store = openSqliteStore({ path: at });
      store.close();
      return Buffer.from(store.secret).toString('hex');
    });
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets[1]).toBe(secrets[0]);
    expect(new Set(secrets).size).toBe(3);
  });
});

describe('the file', () => {
  const addressesIn = (path: string): boolean =>
    ['', '-wal'].some((suffix) => readFileSync(path + suffix).includes('secret-person'));

  it('holds no erased address, and gives its pages back', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    const texts = Array.from({ length: 5_000 }, (_, n) => `secret-person${n}@d${n % 50}.example`);
    await create(store.jobs, rowsOf(texts), { expiresAt: later(day) });
    await settleAll(store.jobs, later(0), {
      reply: { code: 550, enhancedCode: null, text: 'secret-person unknown' },
    });
    expect(addressesIn(path)).toBe(true);
    const before = statSync(path).size;
    await store.jobs.eraseExpired(later(day));
    expect(addressesIn(path)).toBe(false);
    expect(statSync(path).size).toBeLessThan(Math.max(before / 2, 200_000));
    store.close();
  });

  it('is searched by key, whatever is asked of the tables that grow', () => {
    const db = openDatabase('');
    const statements: string[] = [];
    const watched = new Proxy(db, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (name === 'prepare') statements.push(String(args[0]));
          return member.apply(target, args);
        };
      },
    });
    createSqliteJobStore(watched, 'x', createTemporaryStorage(db));
    createSqliteWebhooks(watched, 'x');
    const queries = statements.filter((sql) => /^\s*(SELECT|UPDATE|DELETE)/.test(sql));
    expect(queries.length).toBeGreaterThan(30);
    const lists = queries.filter((sql) => sql.includes('owner = :owner'));
    expect(lists).toHaveLength(1);
    for (const sql of lists)
      expect(db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()[0]?.detail).toBe(
        'SEARCH job USING INDEX job_by_owner (owner=? AND rowid<?)',
      );
    for (const sql of queries) {
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail));
      // A list and its results are millions; jobs are thousands, leased chunks as many as are run at once, and pending
      // deliveries are looked through in the order of their times.
      for (const step of plan)
        expect(step, sql).not.toMatch(
          /SCAN (l|r|list_row|result|tally|upload|chunk$|(d|delivery)(?! USING INDEX delivery_by_time))\b/,
        );
    }
    db.close();
  });

  it('drops a list that a killed process had half read', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    async function* endless() {
      yield* manyRows(1_000);
      await new Promise(() => {});
    }
    void store.jobs.createJob(newJob({ idempotencyKey: 'k', inputHash: 'h' }), endless());
    const peek = () =>
      Number(
        new DatabaseSync(path, { readOnly: true }).prepare('SELECT count(*) AS n FROM list_row').get()?.n,
      );
    await expect.poll(peek).toBe(1_000);
    store.close();
    const again = openSqliteStore({ path });
    expect(await again.jobs.takeChunk(later(day), later(2 * day))).toBeNull();
    await again.jobs.eraseExpired(later(0));
    expect(peek()).toBe(0);
    again.close();
  });
});
