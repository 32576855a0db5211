/** A job of a file that was uploaded, with everything that is real: what is left on the disk, and what of a bad file is. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUploads, type Jobs, type StartJob, type Uploads } from '../../src/jobs/index.ts';
import { openDataDir } from '../../src/store/index.ts';
import { fakeVerify, openJobs } from './fakes.ts';
import { firstJobs, inlineList } from './inputs.ts';
import { addresses } from './verdicts.ts';

const maxBytes = 1_000_000;

describe('a job of an upload', () => {
  let dir: string;
  let store: ReturnType<typeof openDataDir>;
  let uploads: Uploads;
  let jobs: Jobs;
  let errors: unknown[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'rcpt-uploaded-'));
    store = openDataDir(dir);
    errors = [];
    const onError = (error: unknown) => void errors.push(error);
    const now = () => new Date();
    uploads = createUploads({ store: store.uploads, now, maxBytes, lifeMs: 86_400_000, onError });
    ({ jobs } = openJobs(store.jobs, {
      verify: fakeVerify(() => 'MAILBOX_EXISTS').verify,
      uploads: store.uploads,
      maxRows: 20_000,
      maxUploadBytes: maxBytes,
      onError,
    }));
  });
  afterEach(async () => {
    await jobs.close(1_000);
    await uploads.close();
    store.close();
    rmSync(dir, { recursive: true });
    expect(errors).toEqual([]);
  });

  const put = async (content: string | Uint8Array, isLast = true): Promise<string> => {
    const octets = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const created = await uploads.create({ fileName: 'list.csv', sizeBytes: null, owner: null });
    if (created.kind !== 'created') throw new Error(created.kind);
    const { id } = created.upload;
    const piece = { start: 0, total: isLast ? octets.length : null, isLast };
    const written = await uploads.write(
      id,
      piece,
      (async function* () {
        yield octets;
      })(),
    );
    if (written.kind !== 'written') throw new Error(written.kind);
    return id;
  };
  const filesLeft = () => readdirSync(join(dir, 'uploads')).length;
  const start = (uploadId: string, over: Partial<StartJob> = {}) =>
    jobs.start(inlineList([], { source: { kind: 'upload', uploadId }, ...over }));

  it('has its rows, leaves no file, and is found again by the same request', async () => {
    const id = await put(gzipSync(`email,name\n${addresses(3_000).join(',x\n')},x\n`));
    expect(filesLeft()).toBe(1);
    const outcomes = await Promise.all([1, 2].map(() => start(id, { idempotencyKey: 'k' })));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['existing', 'started']);
    expect(outcomes[0]).toMatchObject({
      job: { counters: { total: 3_000 }, list: { columns: ['email', 'name'] } },
    });
    expect(filesLeft()).toBe(0);
    expect(await uploads.read(id)).toMatchObject({ state: 'USED' });
    expect((await start(id, { idempotencyKey: 'k' })).kind).toBe('existing');
    expect(await start(id)).toEqual({ kind: 'noUpload' });
    expect((await jobs.list(firstJobs)).items).toHaveLength(1);
  });

  it.each<[string, () => Uint8Array | string, object]>([
    ['a bomb', () => gzipSync(new Uint8Array(50_000_000).fill(0x61)), { kind: 'badFile' }],
    ['one endless line', () => 'x'.repeat(900_000), { kind: 'badFile', code: 'LINE_TOO_LONG' }],
    ['a PDF', () => '%PDF-1.7 a@x.example', { kind: 'badFile', code: 'BINARY_FILE' }],
    ['half a gzip', () => gzipSync(addresses(9_000).join('\n')).subarray(0, 9_000), { code: 'BAD_GZIP' }],
    ['too many rows', () => addresses(20_001).join('\n'), { kind: 'tooManyRows', limit: 20_000 }],
  ])('of %s is none: nothing of it is in the store', async (_what, content, outcome) => {
    const id = await put(content());
    expect(await start(id)).toMatchObject(outcome);
    expect((await jobs.list(firstJobs)).items).toEqual([]);
    // The caller may want to know what was wrong; the file goes with its time.
    expect(await uploads.read(id)).toMatchObject({ state: 'COMPLETE' });
  });

  it('waits for the rest of it', async () => {
    const id = await put('a@x.exa', false);
    expect(await start(id)).toEqual({ kind: 'uploadIncomplete', receivedBytes: 7 });
  });
});
