import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobStore, Jobs, JobsOptions, StartJob, Upload, UploadStore } from '../../src/jobs/index.ts';
import { openSqliteStore, type SqliteStore, StoreError } from '../../src/store/index.ts';
import { fakeVerify, openJobs } from './fakes.ts';
import { firstJobs, inlineList } from './inputs.ts';
import { addresses } from './verdicts.ts';

const day = 86_400_000;

/** The port of uploads, in memory: what a start needs of it. */
const createFakeUploads = () => {
  const kept = new Map<string, { upload: Upload; content: Uint8Array | null }>();
  const used: (string | null)[] = [];
  let trouble: Error | null = null;
  const never = () => Promise.reject(new Error('a start does not need it'));
  const store: UploadStore = {
    createUpload: never,
    appendToUpload: never,
    truncateUpload: never,
    completeUpload: never,
    eraseExpiredUploads: never,
    readUpload: async (id) => kept.get(id)?.upload ?? null,
    async *openUpload(id) {
      const content = kept.get(id)?.content ?? null;
      if (content === null) throw new Error('the file is gone');
      yield content;
    },
    async useUpload(id, sha256) {
      if (trouble !== null) throw trouble;
      used.push(sha256);
      const found = kept.get(id);
      if (found !== undefined)
        kept.set(id, { upload: { ...found.upload, state: 'USED', sha256 }, content: null });
    },
  };
  return {
    store,
    used,
    fail: (error: Error | null) => {
      trouble = error;
    },
    put(text: string, over: Partial<Upload> = {}): string {
      const id = randomUUID();
      const content = new TextEncoder().encode(text);
      const upload: Upload = {
        id,
        owner: null,
        fileName: 'list.csv',
        state: 'COMPLETE',
        sizeBytes: content.length,
        receivedBytes: content.length,
        createdAt: new Date(),
        expiresAt: new Date(Date.now() + day),
        sha256: null,
        ...over,
      };
      kept.set(id, { upload, content });
      return id;
    },
  };
};

const csv = 'name,email,score\nAnn,ann@x.example,1\nBob,bob@y.example,=2\n,,\n';
const fromUpload = (uploadId: string, over: Partial<StartJob> = {}): StartJob =>
  inlineList([], { source: { kind: 'upload', uploadId }, ...over });
const fromFile = (text: string, fileName: string | null, over: Partial<StartJob> = {}): StartJob =>
  inlineList([], {
    source: {
      kind: 'file',
      fileName,
      readContent: async function* () {
        yield new TextEncoder().encode(text);
      },
    },
    ...over,
  });

describe('starting a job', () => {
  let store: SqliteStore;
  let uploads: ReturnType<typeof createFakeUploads>;
  let jobs: Jobs;
  let errors: unknown[];
  let open: Jobs[];
  const openWith = (over: Partial<JobsOptions> = {}, on: JobStore = store.jobs) => {
    const { verify } = fakeVerify(() => 'MAILBOX_EXISTS');
    const opened = openJobs(on, { verify, uploads: uploads.store, maxRows: 1_000, ...over });
    open.push(opened.jobs);
    return opened;
  };
  beforeEach(() => {
    store = openSqliteStore({ path: '' });
    uploads = createFakeUploads();
    open = [];
    ({ jobs, errors } = openWith());
  });
  afterEach(async () => {
    for (const opened of open) await opened.close(100);
    store.close();
  });
  const countJobs = async () => (await jobs.list(firstJobs)).items.length;

  describe('from', () => {
    it('a file: its columns, the address column and each row as it was', async () => {
      const outcome = await jobs.start(fromFile(csv, 'C:\\people\\../list.csv', { name: 'people' }));
      if (outcome.kind !== 'started') throw new Error(outcome.kind);
      expect(outcome.job).toMatchObject({
        name: 'people',
        list: {
          format: 'CSV',
          fileName: 'list.csv',
          columns: ['name', 'email', 'score'],
          addressColumn: 1,
        },
        counters: { total: 3 },
      });
      const { items } = await jobs.rows(outcome.job.id, { afterRow: 0, limit: 10 });
      expect(items.map(({ address, cells }) => ({ address, cells }))).toEqual([
        { address: 'ann@x.example', cells: ['Ann', 'ann@x.example', '1'] },
        { address: 'bob@y.example', cells: ['Bob', 'bob@y.example', '=2'] },
        { address: '', cells: ['', '', ''] },
      ]);
    });

    it('NDJSON, whose columns are known when it was read', async () => {
      const text = '{"mail":"a@x.example"}\n{"mail":"b@x.example","tags":["x",{"y":null}]}\n';
      const outcome = await jobs.start(fromFile(text, null, { column: 'MAIL' }));
      if (outcome.kind !== 'started') throw new Error(outcome.kind);
      expect(outcome.job.list).toEqual({
        format: 'NDJSON',
        fileName: null,
        columns: ['mail', 'tags'],
        addressColumn: 0,
      });
      const { items } = await jobs.rows(outcome.job.id, { afterRow: 1, limit: 10 });
      expect(items[0]?.cells).toEqual(['b@x.example', ['x', { y: null }]]);
    });

    it('lines and inline addresses: the address is all there is', async () => {
      for (const [input, format] of [
        [fromFile('a@x.example\nb@x.example\n', 'list.txt'), 'TXT'],
        [inlineList(['a@x.example', 'b@x.example']), 'INLINE'],
      ] as const) {
        const outcome = await jobs.start(input);
        if (outcome.kind !== 'started') throw new Error(outcome.kind);
        expect(outcome.job.list).toMatchObject({ format, columns: ['address'], addressColumn: 0 });
        const { items } = await jobs.rows(outcome.job.id, { afterRow: 0, limit: 10 });
        expect(items.map(({ cells }) => cells)).toEqual([null, null]);
      }
    });

    it('an upload, once: it is erased when the job is there', async () => {
      const id = uploads.put(csv);
      expect((await jobs.start(fromUpload(id))).kind).toBe('started');
      expect(uploads.used).toEqual([null]);
      expect(await jobs.start(fromUpload(id))).toEqual({ kind: 'noUpload' });
      expect(await countJobs()).toBe(1);
    });

    it('one upload, asked for twice at once: one job', async () => {
      const id = uploads.put(csv);
      const kinds = await Promise.all([1, 2, 3].map(() => jobs.start(fromUpload(id))));
      expect(kinds.map(({ kind }) => kind).sort()).toEqual(['noUpload', 'noUpload', 'started']);
      expect(await countJobs()).toBe(1);
    });
  });

  describe('refuses, and leaves nothing of it:', () => {
    const refusals: readonly {
      readonly what: string;
      readonly input: () => StartJob;
      readonly outcome: object;
    }[] = [
      {
        what: 'an upload that does not exist',
        input: () => fromUpload(randomUUID()),
        outcome: { kind: 'noUpload' },
      },
      {
        what: "somebody else's upload",
        input: () => fromUpload(uploads.put(csv, { owner: 'ann' }), { owner: 'bob' }),
        outcome: { kind: 'noUpload' },
      },
      {
        what: "an owner's upload when nobody says who asks",
        input: () => fromUpload(uploads.put(csv, { owner: 'ann' })),
        outcome: { kind: 'noUpload' },
      },
      {
        what: 'an upload past its time',
        input: () => fromUpload(uploads.put(csv, { expiresAt: new Date(Date.now() - 1) })),
        outcome: { kind: 'noUpload' },
      },
      {
        what: 'half an upload',
        input: () => fromUpload(uploads.put(csv, { state: 'OPEN', receivedBytes: 7 })),
        outcome: { kind: 'uploadIncomplete', receivedBytes: 7 },
      },
      {
        what: 'a column that is not there',
        input: () => fromUpload(uploads.put(csv), { column: 'phone' }),
        outcome: { kind: 'badFile', code: 'UNKNOWN_COLUMN' },
      },
      {
        what: 'a file that is no list',
        input: () => fromFile('%PDF-1.7', 'list.csv'),
        outcome: { kind: 'badFile', code: 'BINARY_FILE' },
      },
      {
        what: 'a file that is broken further down',
        input: () => fromFile(`${addresses(900).join('\n')}\n${'x'.repeat(100_000)}`, 'list.txt'),
        outcome: { kind: 'badFile', code: 'LINE_TOO_LONG' },
      },
      {
        what: 'more octets than the limit',
        input: () => fromFile(addresses(999, `${'x'.repeat(200)}.example`).join('\n'), 'list.txt'),
        outcome: { kind: 'badFile', code: 'TOO_LARGE' },
      },
      {
        what: 'a header alone',
        input: () => fromFile('name,email\n', 'list.csv'),
        outcome: { kind: 'emptyList' },
      },
      {
        what: 'more rows than the limit',
        input: () => fromFile(addresses(1_001).join('\n'), 'list.txt'),
        outcome: { kind: 'tooManyRows', limit: 1_000 },
      },
      {
        what: 'a webhook, where there are none',
        input: () =>
          inlineList(['a@x.example'], {
            webhook: { url: 'https://hook.example/', secret: 'whsec_', tellsProgress: false },
          }),
        outcome: { kind: 'badWebhook' },
      },
    ];
    it.each(refusals)('$what', async ({ input, outcome }) => {
      const small = openWith({ maxUploadBytes: 150_000 });
      expect(await small.jobs.start(input())).toMatchObject(outcome);
      expect(await countJobs()).toBe(0);
      expect(uploads.used).toEqual([]);
    });

    it('and an upload stays, so that the request can be corrected', async () => {
      const id = uploads.put(csv);
      expect(await jobs.start(fromUpload(id, { column: 'phone' }))).toMatchObject({ kind: 'badFile' });
      expect((await jobs.start(fromUpload(id, { column: '2' }))).kind).toBe('started');
    });
  });

  describe('an idempotency key', () => {
    const webhook = { url: 'https://hook.example/', secret: 'whsec_a', tellsProgress: false };
    const full = (over: Partial<StartJob> = {}): StartJob =>
      fromFile(csv, 'list.csv', {
        idempotencyKey: 'k',
        name: 'n',
        column: 'email',
        maxAgeSeconds: 60,
        retentionSeconds: 60,
        ...over,
      });
    it.each<[string, Partial<StartJob>]>([
      ['name', { name: 'other' }],
      ['column', { column: null }],
      ['maxAge', { maxAgeSeconds: null }],
      ['retention', { retentionSeconds: 61 }],
      ['list', { source: fromFile(`${csv}x`, 'list.csv').source }],
      ['kind of list', { source: inlineList([csv]).source }],
    ])('stands for the %s as well', async (_what, over) => {
      expect((await jobs.start(full())).kind).toBe('started');
      expect((await jobs.start(full())).kind).toBe('existing');
      expect(await jobs.start(full(over))).toEqual({ kind: 'idempotencyConflict' });
      expect(await countJobs()).toBe(1);
    });

    it('stands for the webhook, and keeps no secret of it in the open', async () => {
      const sender = { check: () => null, wake: () => undefined, close: async () => undefined };
      const { jobs: hooked } = openWith({ webhooks: { store: store.webhooks, sender } });
      expect((await hooked.start(full({ webhook }))).kind).toBe('started');
      expect((await hooked.start(full({ webhook: { ...webhook } }))).kind).toBe('existing');
      for (const other of [null, { ...webhook, secret: 'whsec_b' }, { ...webhook, tellsProgress: true }])
        expect(await hooked.start(full({ webhook: other }))).toEqual({ kind: 'idempotencyConflict' });
    });

    it('tells one inline list from another that is joined differently', async () => {
      const keyed = (list: readonly string[]) => inlineList(list, { idempotencyKey: 'k' });
      expect((await jobs.start(keyed(['a', 'b']))).kind).toBe('started');
      expect((await jobs.start(keyed(['a', 'b']))).kind).toBe('existing');
      expect(await jobs.start(keyed(['a\nb']))).toEqual({ kind: 'idempotencyConflict' });
    });

    it('finds the job of an upload that was used, and of the same file uploaded anew', async () => {
      const id = uploads.put(csv);
      const request = fromUpload(id, { idempotencyKey: 'k' });
      const first = await jobs.start(request);
      const again = await jobs.start(request);
      expect([first.kind, again.kind]).toEqual(['started', 'existing']);
      expect(again).toHaveProperty('job.id', (first as { job: { id: string } }).job.id);
      expect((await jobs.start(fromUpload(uploads.put(csv), { idempotencyKey: 'k' }))).kind).toBe('existing');
      expect(await jobs.start(fromUpload(id, { idempotencyKey: 'k', name: 'other' }))).toEqual({
        kind: 'idempotencyConflict',
      });
      expect(await jobs.start(fromUpload(id, { idempotencyKey: 'other' }))).toEqual({ kind: 'noUpload' });
      expect(uploads.used).toHaveLength(2);
    });

    it('finds the job when a crash, or a full disk, came between it and the end of its upload', async () => {
      const id = uploads.put(csv);
      const request = fromUpload(id, { idempotencyKey: 'k' });
      const full = new StoreError('DISK_FULL', 'the disk is full');
      uploads.fail(full);
      expect((await jobs.start(request)).kind).toBe('started');
      expect(errors).toContain(full);
      uploads.fail(null);
      // The next process, and the same request.
      const { jobs: next } = openWith();
      expect((await next.start(request)).kind).toBe('existing');
      expect(uploads.used).toHaveLength(1);
      expect(await countJobs()).toBe(1);
    });
  });

  it('keeps a job for as long as was asked, and never longer than the operator does', async () => {
    const { jobs: kept } = openWith({ retentionMs: day });
    for (const [retentionSeconds, ms] of [
      [null, day],
      [3_600, 3_600_000],
      [10 * 86_400, day],
    ] as const) {
      const outcome = await kept.start(inlineList(['a@x.example'], { retentionSeconds }));
      if (outcome.kind !== 'started') throw new Error(outcome.kind);
      const { createdAt, expiresAt } = outcome.job;
      expect(expiresAt.getTime() - createdAt.getTime()).toBe(ms);
    }
  });

  it('ends with the process, however long the list is, and leaves nothing of it', async () => {
    let given = 0;
    const endless = async function* () {
      for (; ; given += 1) yield `u${given}@x.example`;
    };
    const { jobs: ending } = openWith({ maxRows: Number.MAX_SAFE_INTEGER });
    const starting = ending.start(inlineList(endless()));
    const refused = expect(starting).rejects.toThrow('while the process ends');
    while (given < 2_000) await new Promise((resolve) => setImmediate(resolve));
    await ending.close(0);
    await refused;
    expect(await countJobs()).toBe(0);
  });
});
