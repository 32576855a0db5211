import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportedJob } from '../../test/jobs/exported-job.ts';
import { openJobs } from '../../test/jobs/fakes.ts';
import { firstJobs, inlineList, noFilter } from '../../test/jobs/inputs.ts';
import { create, later, result, rowsOf, take } from '../../test/store/list.ts';
import { type DataDir, openDataDir } from '../store/index.ts';
import { createUploads, type Job, type Jobs, type JobsView, viewJobs, viewUploads } from './index.ts';

const never = new AbortController().signal;
const anyPage = { limit: 10, afterId: null };
const viewers = {
  a: { owner: 'a', seesAll: false },
  b: { owner: 'b', seesAll: false },
  nobody: { owner: null, seesAll: false },
  admin: { owner: 'admin', seesAll: true },
  keyless: { owner: null, seesAll: true },
} as const;

/** Real jobs on a real store, that nobody works on; how often a job was read. */
describe('a view', () => {
  let dir = '';
  let store: DataDir;
  let jobs: Jobs;
  let reads = 0;
  let ofA: Job;
  let ofB: Job;
  let ofNobody: Job;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rcpt-view-'));
    store = openDataDir(dir);
    const opened = openJobs(store.jobs, {
      verify: () => Promise.reject(new Error('nobody is asked')),
      concurrency: { chunks: 0, rowsPerChunk: 1 },
      webhooks: {
        store: store.webhooks,
        sender: { wake: () => undefined, check: () => null, close: async () => undefined },
      },
    });
    reads = 0;
    jobs = {
      ...opened.jobs,
      read: (id) => {
        reads += 1;
        return opened.jobs.read(id);
      },
    };
    const webhook = { url: 'https://hooks.example/', secret: 'whsec_x', tellsProgress: true };
    const make = async (owner: string | null): Promise<Job> => {
      const { id } = await create(store.jobs, rowsOf(['u@x.example', 'v@x.example']), { owner, webhook });
      const chunk = await take(store.jobs);
      const settled = chunk.rows.slice(0, 1).map((row) => result(row));
      await store.jobs.settleRows(chunk, { settled, waiting: [] }, later(1));
      const job = await store.jobs.readJob(id);
      if (job === null) throw new Error('the job is gone');
      return job;
    };
    ofA = await make('a');
    ofB = await make('b');
    ofNobody = await make(null);
  });
  afterEach(async () => {
    await jobs.close(0);
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** All that can be asked of a job, and what there is to hear where there is none. */
  const asks: Readonly<
    Record<string, readonly [ask: (view: JobsView, id: string) => Promise<unknown>, none: unknown]>
  > = {
    read: [(view, id) => view.read(id), null],
    results: [
      (view, id) => view.results(id, { ...noFilter, afterPosition: 0, limit: 10 }),
      { items: [], hasNextPage: false },
    ],
    countResults: [(view, id) => view.countResults(id, noFilter), 0],
    breakdown: [(view, id) => view.breakdown(id, 5), { byReason: [], byProvider: [], byDomain: [] }],
    rows: [(view, id) => view.rows(id, { afterRow: 0, limit: 10 }), { items: [], hasNextPage: false }],
    deliveries: [(view, id) => view.deliveries(id, anyPage), { items: [], hasNextPage: false }],
    watch: [(view, id) => view.watch(id, never), null],
    watchResults: [(view, id) => view.watchResults(id, 0, never), null],
    pause: [(view, id) => view.pause(id), null],
    resume: [(view, id) => view.resume(id), null],
    cancel: [(view, id) => view.cancel(id), null],
    erase: [(view, id) => view.erase(id), false],
  };

  describe.each(Object.entries(asks))('%s', (_name, [ask, none]) => {
    it('answers for somebody else’s job as for one that there is not, and does nothing to it', async () => {
      const before = [ofA, ofB, ofNobody];
      for (const [viewer, ids] of [
        [viewers.a, [ofB.id, ofNobody.id]],
        [viewers.b, [ofA.id, ofNobody.id]],
        [viewers.nobody, [ofA.id, ofB.id, ofNobody.id]],
      ] as const)
        for (const id of ids) {
          const view = viewJobs(jobs, viewer);
          expect(await ask(view, id)).toEqual(none);
          expect(await ask(view, '00000000-0000-4000-8000-999999999999')).toEqual(none);
          // Not the second time either, nor when its own were listed.
          await view.list(firstJobs);
          expect(await ask(view, id)).toEqual(none);
        }
      expect(await Promise.all(before.map(({ id }) => jobs.read(id)))).toEqual(before);
    });

    it('answers for one’s own, and for anybody’s whoever sees all', async () => {
      for (const [viewer, id] of [
        [viewers.a, ofA.id],
        [viewers.admin, ofB.id],
        [viewers.keyless, ofNobody.id],
      ] as const)
        expect(await ask(viewJobs(jobs, viewer), id)).not.toEqual(none);
    });

    it('reads a job once that it has not seen, and not at all one that it has', async () => {
      const listed = viewJobs(jobs, viewers.a);
      await listed.list(firstJobs);
      reads = 0;
      await ask(listed, ofA.id);
      expect(reads).toBe(ask === asks.read?.[0] ? 1 : 0);
      reads = 0;
      await ask(viewJobs(jobs, viewers.b), ofB.id);
      expect(reads).toBe(1);
    });
  });

  it('lists its viewer’s jobs alone', async () => {
    const listed = async (viewer: (typeof viewers)[keyof typeof viewers]) =>
      (await viewJobs(jobs, viewer).list(firstJobs)).items.map(({ id }) => id);
    expect(await listed(viewers.a)).toEqual([ofA.id]);
    expect(await listed(viewers.nobody)).toEqual([]);
    expect(await listed(viewers.admin)).toEqual([ofNobody.id, ofB.id, ofA.id]);
    expect(await viewJobs(jobs, viewers.a).list({ ...firstJobs, afterId: ofB.id })).toMatchObject({
      items: [],
    });
  });

  it.each(Object.entries(viewers))('starts jobs of its viewer’s: %s', async (_name, viewer) => {
    const view = viewJobs(jobs, viewer);
    const outcome = await view.start(inlineList(['x@x.example'], { owner: 'b', idempotencyKey: 'k' }));
    if (outcome.kind !== 'started') throw new Error(outcome.kind);
    expect(outcome.job.owner).toBe(viewer.owner);
    // One caller's idempotency keys say nothing to another.
    const other = await viewJobs(jobs, viewers.b).start(inlineList(['y@x.example'], { idempotencyKey: 'k' }));
    expect(other).toMatchObject({ kind: viewer === viewers.b ? 'idempotencyConflict' : 'started' });
    reads = 0;
    if (viewer === viewers.a) expect(await view.cancel(outcome.job.id)).toMatchObject({ state: 'CANCELLED' });
    expect(reads).toBe(0);
  });

  it('goes on to see what it saw when it has seen thousands, and nothing that is erased', async () => {
    const many = Array.from({ length: 2_500 }, (_, n) => ({ ...exportedJob(1), id: `j${n}`, owner: 'a' }));
    const view = viewJobs({ ...jobs, list: async () => ({ items: many, hasNextPage: false }) }, viewers.a);
    await view.list(firstJobs);
    reads = 0;
    expect(await view.pause('j0')).toBeNull();
    expect(reads).toBe(1);
    expect(await view.read(ofA.id)).toEqual(ofA);
    expect(await view.erase(ofA.id)).toBe(true);
    expect(await view.erase(ofA.id)).toBe(false);
    expect(await view.pause(ofA.id)).toBeNull();
  });

  it('passes on what is nobody’s', async () => {
    for (const viewer of [viewers.a, viewers.admin]) {
      const view = viewJobs(jobs, viewer);
      expect(view.progress(ofA)).toEqual(jobs.progress(ofA));
      expect((await view.storage()).databaseBytes).toBeGreaterThan(0);
    }
    expect(await jobs.start(inlineList(['x@x.example']))).toMatchObject({ kind: 'started' });
  });

  it('of uploads: makes its viewer’s, and shows those alone', async () => {
    const uploads = createUploads({
      store: store.uploads,
      now: () => new Date(),
      maxBytes: 1_000,
      lifeMs: 60_000,
      onError: (error) => {
        throw error;
      },
    });
    const [a, b, admin] = [viewers.a, viewers.b, viewers.admin].map((viewer) => viewUploads(uploads, viewer));
    const made = await a?.create({ fileName: 'l.csv', sizeBytes: 5 });
    if (made?.kind !== 'created') throw new Error(made?.kind);
    const { upload } = made;
    expect(upload.owner).toBe('a');
    expect(await a?.read(upload.id)).toEqual(upload);
    expect(await b?.read(upload.id)).toBeNull();
    expect(await admin?.read(upload.id)).toEqual(upload);
    await uploads.close();
  });
});
