/** What every store of uploads promises; an implementation joins by calling `describeUploadStore`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUploads, type Upload, type UploadStore, type Uploads } from '../../src/jobs/index.ts';

export type OpenUploads = {
  readonly files: UploadStore;
  /** Ids of the uploads whose octets are kept. */
  readonly readKept: () => Promise<readonly string[]>;
  /** Closes it and opens what it left. */
  readonly reopen: () => Promise<OpenUploads>;
  readonly close: () => Promise<void>;
};

const maxBytes = 1_000;
const lifeMs = 3_600_000;

async function* octets(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}
async function* breaking(piece: string) {
  yield Buffer.from(piece);
  throw new Error('the connection was lost');
}
const whole = { start: 0, total: null, isLast: true };

export const describeUploadStore = (name: string, open: () => Promise<OpenUploads>): void => {
  let at = 0;
  let opened: OpenUploads;
  let uploads: Uploads;
  let files: UploadStore;
  const faults: unknown[] = [];
  const begin = (store: OpenUploads): void => {
    opened = store;
    ({ files } = store);
    uploads = createUploads({
      store: files,
      now: () => new Date(at),
      maxBytes,
      lifeMs,
      onError: (error) => faults.push(error),
    });
  };
  const create = async (over: Partial<Parameters<Uploads['create']>[0]> = {}): Promise<Upload> => {
    const outcome = await uploads.create({ fileName: null, sizeBytes: null, owner: null, ...over });
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    return outcome.upload;
  };
  const contentOf = async (id: string): Promise<string> => {
    const all: Uint8Array[] = [];
    for await (const piece of files.openUpload(id)) all.push(piece);
    return Buffer.concat(all).toString();
  };

  describe(name, () => {
    beforeEach(async () => {
      at = Date.parse('2026-01-02T03:04:05Z');
      faults.length = 0;
      begin(await open());
    });
    afterEach(async () => {
      await uploads.close();
      await opened.close();
      expect(faults).toEqual([]);
    });

    it('has one writer at a time', async () => {
      const { id } = await create();
      const held = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      async function* slow() {
        yield Buffer.from('abc');
        begun.resolve();
        await held.promise;
        yield Buffer.from('def');
      }
      const writing = uploads.write(id, whole, slow());
      await begun.promise;
      expect(await uploads.write(id, whole, octets('x'))).toEqual({ kind: 'busy' });
      expect(await files.appendToUpload(id, 3, octets('x'))).toBe('busy');
      held.resolve();
      expect(await writing).toMatchObject({ kind: 'written' });
      expect(await contentOf(id)).toBe('abcdef');
    });

    it('is made with what is known of it', async () => {
      const upload = await create({ fileName: '../../etc/pass\nwd', owner: 'key-1', sizeBytes: 10 });
      expect(upload).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}$/),
        owner: 'key-1',
        fileName: 'passwd',
        state: 'OPEN',
        sizeBytes: 10,
        receivedBytes: 0,
        createdAt: new Date(at),
        expiresAt: new Date(at + lifeMs),
        sha256: null,
      });
      expect(await uploads.read(upload.id)).toEqual(upload);
    });

    it('comes in one piece and is complete with its end', async () => {
      const { id } = await create();
      const outcome = await uploads.write(id, whole, octets('a@x.', 'example\n'));
      expect(outcome).toMatchObject({
        kind: 'written',
        upload: { state: 'COMPLETE', sizeBytes: 12, receivedBytes: 12 },
      });
      expect(await contentOf(id)).toBe('a@x.example\n');
      expect(await contentOf(id)).toBe('a@x.example\n');
    });

    it('comes in pieces, and is complete when its size is reached', async () => {
      const { id } = await create();
      const first = await uploads.write(id, { start: 0, total: 6, isLast: false }, octets('abc'));
      expect(first).toMatchObject({ kind: 'written', upload: { state: 'OPEN', receivedBytes: 3 } });
      const last = await uploads.write(id, { start: 3, total: 6, isLast: true }, octets('def'));
      expect(last).toMatchObject({ kind: 'written', upload: { state: 'COMPLETE', receivedBytes: 6 } });
      expect(await contentOf(id)).toBe('abcdef');
    });

    it('is not complete with fewer octets than were said', async () => {
      const { id } = await create({ sizeBytes: 6 });
      const outcome = await uploads.write(id, whole, octets('abc'));
      expect(outcome).toMatchObject({ kind: 'written', upload: { state: 'OPEN', receivedBytes: 3 } });
    });

    it.each([0, 2, 4, 999])(
      'refuses a piece at %i where 3 octets are, unless it begins anew',
      async (start) => {
        const { id } = await create();
        await uploads.write(id, { ...whole, isLast: false }, octets('abc'));
        const outcome = await uploads.write(id, { start, total: null, isLast: true }, octets('xy'));
        if (start === 0) expect(await contentOf(id)).toBe('xy');
        else expect(outcome).toMatchObject({ kind: 'misplaced', upload: { receivedBytes: 3 } });
      },
    );

    it('keeps what came before the connection was lost, also over a restart', async () => {
      const { id } = await create();
      await expect(uploads.write(id, whole, breaking('abc'))).rejects.toThrow('lost');
      await uploads.close();
      begin(await opened.reopen());
      expect(await uploads.read(id)).toMatchObject({ state: 'OPEN', receivedBytes: 3 });
      await uploads.write(id, { start: 3, total: null, isLast: true }, octets('def'));
      expect(await contentOf(id)).toBe('abcdef');
    });

    it('takes no more when it is complete, or used', async () => {
      const { id } = await create();
      await uploads.write(id, whole, octets('abc'));
      expect(await uploads.write(id, whole, octets('x'))).toEqual({ kind: 'closed' });
      await files.useUpload(id, 'hash');
      expect(await uploads.write(id, whole, octets('x'))).toEqual({ kind: 'closed' });
      expect(await opened.readKept()).toEqual([]);
      expect(await uploads.read(id)).toMatchObject({ state: 'USED', sha256: 'hash', receivedBytes: 3 });
      await expect(contentOf(id)).rejects.toThrow();
    });

    it('keeps whose it is, and is like none to a made-up id and to a path', async () => {
      const { id } = await create({ owner: 'key-1' });
      expect(await uploads.read(id)).toMatchObject({ id, owner: 'key-1' });
      for (const other of ['', '.', '..', '../rcpt.sqlite', `${id}/`, id.toUpperCase().replace(/^/, ' ')]) {
        expect(await uploads.read(other)).toBeNull();
        expect(await uploads.write(other, whole, octets('x'))).toEqual({ kind: 'noUpload' });
        expect(await files.appendToUpload(other, 0, octets('x'))).toBe('gone');
        await files.truncateUpload(other);
        await files.useUpload(other, null);
        await expect(contentOf(other)).rejects.toThrow('no such upload');
      }
    });

    describe('too large', () => {
      it('is said at once when the size is known', async () => {
        const tooLarge = { kind: 'tooLarge', limitBytes: maxBytes };
        expect(await uploads.create({ fileName: null, sizeBytes: maxBytes + 1, owner: null })).toEqual(
          tooLarge,
        );
        const { id } = await create();
        let asked = 0;
        async function* counted() {
          asked += 1;
          yield Buffer.from('x');
        }
        expect(await uploads.write(id, { start: 0, total: maxBytes + 1, isLast: false }, counted())).toEqual(
          tooLarge,
        );
        expect(asked).toBe(0);
      });

      it.each([
        ['in one piece', 0, null, ['x'.repeat(maxBytes + 1)], maxBytes],
        ['by an octet', 0, null, ['x'.repeat(maxBytes), 'x'], maxBytes],
        ['behind what is there', 3, null, ['x'.repeat(maxBytes - 2)], maxBytes],
        ['than was said', 3, 5, ['xy', 'z'], 5],
      ] as const)('leaves nothing on the disk: %s', async (_name, start, total, pieces, limitBytes) => {
        const { id } = await create();
        if (start > 0) await uploads.write(id, { start: 0, total, isLast: false }, octets('abc'));
        expect(await uploads.write(id, { start, total, isLast: true }, octets(...pieces))).toEqual({
          kind: 'tooLarge',
          limitBytes,
        });
        expect(await opened.readKept()).toEqual([]);
        expect(await uploads.read(id)).toMatchObject({ state: 'OPEN', receivedBytes: 0 });
      });

      it('takes as many octets as there may be', async () => {
        const { id } = await create({ sizeBytes: maxBytes });
        const outcome = await uploads.write(id, whole, octets('x'.repeat(maxBytes)));
        expect(outcome).toMatchObject({ kind: 'written', upload: { state: 'COMPLETE' } });
      });
    });

    describe('time', () => {
      it('ends an upload of any state, and the next sweep erases row and file', async () => {
        const open = await create();
        const complete = await create();
        await expect(uploads.write(open.id, whole, breaking('abc'))).rejects.toThrow('lost');
        await uploads.write(complete.id, whole, octets('abc'));
        at += lifeMs;
        for (const { id } of [open, complete]) {
          expect(await uploads.read(id)).toBeNull();
          expect(await uploads.write(id, whole, octets('x'))).toEqual({ kind: 'noUpload' });
        }
        expect(await files.eraseExpiredUploads(new Date(at - 1))).toBe(0);
        expect(await opened.readKept()).toHaveLength(2);
        expect(await files.eraseExpiredUploads(new Date(at))).toBe(2);
        expect(await opened.readKept()).toEqual([]);
        expect(await files.readUpload(open.id)).toBeNull();
      });

      it('may end one under its writer: nothing of it stays', async () => {
        const { id } = await create();
        async function* slow() {
          yield Buffer.from('abc');
          at += lifeMs;
          await files.eraseExpiredUploads(new Date(at));
          yield Buffer.from('def');
        }
        expect(await uploads.write(id, whole, slow())).toEqual({ kind: 'noUpload' });
        expect(await opened.readKept()).toEqual([]);
      });
    });
  });
};
