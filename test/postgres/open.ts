/** Stores on a real PostgreSQL for the suites of all stores, in databases whose clock the suites set. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TestClock } from 'pg-boss';
import type { JobStore, WebhookStore } from '../../src/jobs/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/index.ts';
import { muchLater, start } from '../store/list.ts';
import type { OpenStore } from '../store/open.ts';
import type { OpenUploads } from '../store/uploads-contract.ts';
import type { OpenMemory } from '../store/verification-contract.ts';
import type { PostgresServer } from './server.ts';

const leaseMs = 60_000;
const fail = (error: unknown): never => {
  throw error;
};

/** A clock that a test sets, for the database and for the process. */
export type SetClock = { readonly set: (now: Date) => Promise<void>; readonly now: () => Date };

/** One database a server has the schema already: making it takes four times as long as copying it. */
const templates = new WeakMap<PostgresServer, Promise<string>>();
export const createStoreDatabase = async (server: PostgresServer): Promise<string> => {
  const making =
    templates.get(server) ??
    (async () => {
      const url = await server.createDatabase();
      const options = { source: 'template', connections: 1, leaseMs, onError: fail };
      await (await openPostgresStore({ url, ...options })).close();
      await server.run(url, 'DELETE FROM rcpt.secret; DELETE FROM rcpt_queue.instance');
      await server.disconnect(url);
      return url;
    })();
  templates.set(server, making);
  return server.createDatabase(await making);
};

/** A store of its own whose clock says `start` until it is set. */
export const openSetStore = async (
  url: string,
  clock: TestClock = new TestClock(start),
): Promise<PostgresStore & { readonly clock: SetClock }> => {
  let setting: Promise<void> = Promise.resolve();
  const store = await openPostgresStore({
    url: `${url}?options=${encodeURIComponent('-c pgboss.test_clock=on')}`,
    source: '192.0.2.1',
    connections: 4,
    leaseMs,
    clock,
    now: () => new Date(clock.now()),
    onError: fail,
  });
  return {
    ...store,
    clock: {
      now: () => new Date(clock.now()),
      set(now) {
        // Calls that come at once set it one after the other.
        setting = setting.then(() => (clock.now() === now.getTime() ? undefined : clock.setTime(now)));
        return setting;
      },
    },
  };
};

/** The suites tell the time with each call: the database's clock is set to what they say. */
const tellTime = (
  store: JobStore,
  set: SetClock['set'],
  run: (sql: string) => Promise<unknown>,
): JobStore => {
  const at = async <Result>(now: Date, work: () => Promise<Result>): Promise<Result> => {
    await set(now);
    return work();
  };
  return {
    ...store,
    createJob: (job, rows) => at(job.createdAt, () => store.createJob(job, rows)),
    takeChunk: (now, until, except) => at(now, () => store.takeChunk(now, until, except)),
    settleRows: (chunk, outcome, now) => at(now, () => store.settleRows(chunk, outcome, now)),
    settleChunk: (chunk, outcome, now) => at(now, () => store.settleChunk(chunk, outcome, now)),
    keepChunks: (chunks, now) => at(now, () => store.keepChunks(chunks, now)),
    releaseChunks: (now) =>
      at(now, async () => {
        // pg-boss looks at a queue some times a minute at most, by the clock that jumps here.
        await run('UPDATE rcpt_queue.queue SET monitor_claim_on = NULL, monitor_on = NULL');
        const released = await store.releaseChunks(now);
        // The suites then go back in time, and a ticket that came back may be taken from that moment on.
        await run(`UPDATE rcpt_queue.job SET start_after = '${start.toISOString()}' WHERE state = 'retry'`);
        return released;
      }),
    pauseJob: (id, now) => at(now, () => store.pauseJob(id, now)),
    resumeJob: (id, now) => at(now, () => store.resumeJob(id, now)),
    cancelJob: (id, now) => at(now, () => store.cancelJob(id, now)),
    eraseExpired: (now) => at(now, () => store.eraseExpired(now)),
  };
};

/** Writes until there is no room, in pieces that leave none for a page of a table. */
const fill = (path: string): void => {
  const file = openSync(path, 'w');
  try {
    for (const size of [1 << 20, 4_096])
      try {
        for (let n = 0; n < 100_000; n += 1) writeSync(file, new Uint8Array(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
  } finally {
    closeSync(file);
  }
};

/** @param smallDisk a disk that may be filled, mounted as the tablespace `small`; null where there is none */
export const openForSuites = async (server: PostgresServer, smallDisk: string | null): Promise<OpenStore> => {
  const url = await createStoreDatabase(server);
  const run = (sql: string) => server.run(url, sql);
  const ballast = join(smallDisk ?? '', 'ballast');
  const begin = async (): Promise<OpenStore> => {
    const { jobs, webhooks, clock, close } = await openSetStore(url);
    const store = tellTime(jobs, clock.set, run);
    const timed: WebhookStore = {
      ...webhooks,
      async takeDelivery(now, leaseUntil) {
        await clock.set(now);
        return webhooks.takeDelivery(now, leaseUntil);
      },
    };
    return {
      store,
      webhooks: timed,
      fillDisk:
        smallDisk === null
          ? null
          : async () => {
              await run('ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small');
              fill(ballast);
            },
      makeRoom: async () => rmSync(ballast),
      async reopen() {
        await close();
        const again = await begin();
        // As time passes: nobody tells another process that the first is gone.
        await again.store.releaseChunks(muchLater);
        await run('UPDATE rcpt.delivery SET lease_until = NULL');
        return again;
      },
      async close() {
        await close();
        await server.dropDatabase(url);
      },
    };
  };
  return begin();
};

/** Uploads on the same. */
export const openUploadsForSuite = async (server: PostgresServer): Promise<OpenUploads> => {
  const url = await createStoreDatabase(server);
  const begin = async (): Promise<OpenUploads> => {
    const { uploads, clock, close } = await openSetStore(url);
    return {
      files: {
        ...uploads,
        async createUpload(upload) {
          await clock.set(upload.createdAt);
          return uploads.createUpload(upload);
        },
        async eraseExpiredUploads(now) {
          await clock.set(now);
          return uploads.eraseExpiredUploads(now);
        },
      },
      readKept: async () =>
        (await server.run(url, 'SELECT DISTINCT upload FROM rcpt.upload_piece')).map(({ upload }) =>
          String(upload),
        ),
      async reopen() {
        await close();
        return begin();
      },
      async close() {
        await close();
        await server.dropDatabase(url);
      },
    };
  };
  return begin();
};

/** The memory of verifications on the same. */
export const openMemoryForSuite = async (server: PostgresServer): Promise<OpenMemory> => {
  const url = await createStoreDatabase(server);
  const begin = async (): Promise<OpenMemory> => {
    const { verifications, clock, close } = await openSetStore(url);
    return {
      verifications,
      readKept: async () =>
        (await server.run(url, 'SELECT address FROM rcpt.verification ORDER BY address COLLATE "C"')).map(
          ({ address }) => String(address),
        ),
      setTime: clock.set,
      openAgain: begin,
      close,
    };
  };
  return begin();
};
