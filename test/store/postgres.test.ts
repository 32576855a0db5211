/** The contract of every store, held by the one on a real PostgreSQL. */
import { TestClock } from 'pg-boss';
import { afterAll, beforeAll, describe } from 'vitest';
import type { JobStore } from '../../src/jobs/index.ts';
import { openPostgresStore } from '../../src/store/index.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../postgres/server.ts';
import { describeJobStore } from './contract.ts';
import { start } from './list.ts';
import type { OpenStore } from './open.ts';

describe.skipIf(whyNoPostgres !== null)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());

  /** The suites tell the time with each call: the database's clock is set to what they say. */
  const tellTime = (store: JobStore, clock: TestClock, url: string): JobStore => {
    let setting: Promise<void> = Promise.resolve();
    const at = async <Result>(now: Date, work: () => Promise<Result>): Promise<Result> => {
      setting = setting.then(() => clock.setTime(now));
      await setting;
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
          await server.run(url, 'UPDATE rcpt_queue.queue SET monitor_claim_on = NULL, monitor_on = NULL');
          const released = await store.releaseChunks(now);
          // The suites then go back in time, and a ticket that came back may be taken from that moment on.
          await server.run(
            url,
            `UPDATE rcpt_queue.job SET start_after = '${start.toISOString()}' WHERE state = 'retry'`,
          );
          return released;
        }),
      pauseJob: (id, now) => at(now, () => store.pauseJob(id, now)),
      resumeJob: (id, now) => at(now, () => store.resumeJob(id, now)),
      cancelJob: (id, now) => at(now, () => store.cancelJob(id, now)),
      eraseExpired: (now) => at(now, () => store.eraseExpired(now)),
    };
  };

  const open = async (): Promise<OpenStore> => {
    const url = await server.createDatabase();
    const clock = new TestClock(start);
    const store = await openPostgresStore({
      url: `${url}?options=${encodeURIComponent('-c pgboss.test_clock=on')}`,
      source: '192.0.2.1',
      connections: 4,
      leaseMs: 60_000,
      clock,
      onError: (error) => {
        throw error;
      },
    });
    return {
      store: tellTime(store.jobs, clock, url),
      webhooks: null as never,
      fillDisk: null as never,
      makeRoom: null as never,
      reopen: null,
      close: () => store.close(),
    };
  };

  describeJobStore('a database', open);
});
