/**
 * Files that wait to become jobs: a row of `upload` each, and their octets in a file of that id beside the database. How
 * much of one is there is asked of the disk, so that a crash leaves nothing to be reconciled. A row comes before its
 * file and goes before it: a file without a living row is left over, and the next sweep erases it.
 *
 * Erasing is `unlink`. Overwriting a file first would promise more than it does: file systems that copy on write, and
 * disks that level wear, put the new octets elsewhere. Who must be sure encrypts the disk.
 */
import { createReadStream, mkdirSync } from 'node:fs';
import { constants, type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload, UploadState, UploadStore } from '../../jobs/index.ts';
import { readFileSystemError, StoreError } from '../fault.ts';
import type { UploadRows } from './upload-rows.ts';

/** Never through a link: what lies at that name must be ours. */
const appendFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const writeWhole = async (file: FileHandle, octets: Uint8Array, at: number): Promise<void> => {
  for (let done = 0; done < octets.length; ) {
    const { bytesWritten } = await file.write(octets, done, octets.length - done, at + done);
    done += bytesWritten;
  }
};

/** Makes the directory (mode 0700). Throws StoreError. */
export const createFileUploads = (rows: UploadRows, dir: string): UploadStore => {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw readFileSystemError(error, dir);
  }
  const writing = new Set<string>();

  const pathOf = (id: string): string => join(dir, id);
  const eraseFile = (id: string): Promise<void> => rm(pathOf(id), { force: true });
  /** CLOSED: a store that was closed meanwhile knows nothing, and what lies there is left to the next sweep. */
  const stateOf = async (id: string): Promise<UploadState | 'NONE' | 'CLOSED'> => {
    try {
      return (await rows.read(id))?.state ?? 'NONE';
    } catch (error) {
      if (error instanceof StoreError && error.code === 'CLOSED') return 'CLOSED';
      throw error;
    }
  };

  /** StoreError for what the disk threw. */
  const guard = async <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw readFileSystemError(error, dir);
    }
  };

  const sizeOnDisk = async (id: string): Promise<number> => {
    try {
      return (await stat(pathOf(id))).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  };

  const readUpload = async (id: string): Promise<Upload | null> => {
    const row = await rows.read(id);
    if (row === null) return null;
    return {
      id,
      owner: row.owner,
      fileName: row.file_name,
      state: row.state,
      sizeBytes: row.size,
      receivedBytes: row.state === 'OPEN' ? await sizeOnDisk(id) : (row.size ?? 0),
      createdAt: new Date(row.created_at),
      expiresAt: new Date(row.expires_at),
      sha256: row.sha256,
    };
  };

  /** A piece at a time; the next one is asked for when this one is written. A disk that is full keeps none of them. */
  const write = async (id: string, file: FileHandle, start: number, octets: AsyncIterable<Uint8Array>) => {
    let at = start;
    for await (const piece of octets) {
      await guard(() => writeWhole(file, piece, at)).catch(async (error) => {
        await eraseFile(id);
        throw error;
      });
      at += piece.length;
    }
  };

  const append: UploadStore['appendToUpload'] = async (id, start, octets) => {
    if ((await rows.read(id))?.state !== 'OPEN') return 'gone';
    const file = await guard(() => open(pathOf(id), appendFlags, 0o600));
    try {
      if ((await guard(() => file.stat())).size !== start) return 'misplaced';
      await write(id, file, start, octets);
    } finally {
      await file.close();
      // It may have expired under its writer, and the sweep erased it before this file was there.
      if ((await stateOf(id)) === 'NONE') await eraseFile(id);
    }
    return (await rows.read(id)) === null ? 'gone' : 'appended';
  };

  const syncDirectory = async (): Promise<void> => {
    const handle = await open(dir, 'r');
    await handle.sync().finally(() => handle.close());
  };

  async function* readFile(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    if ((await rows.read(id)) === null) throw new Error('there is no such upload');
    try {
      yield* createReadStream(pathOf(id));
    } catch (error) {
      throw readFileSystemError(error, dir);
    }
  }

  /** Those of used uploads are left over from a crash. */
  const isLeftOver = async (name: string): Promise<boolean> => ['NONE', 'USED'].includes(await stateOf(name));

  return {
    createUpload: (given) =>
      guard(async () => {
        await rows.insert(given);
        const upload = await readUpload(given.id);
        if (upload === null) throw new Error('an upload expired before it was made');
        return upload;
      }),
    readUpload: (id) => guard(() => readUpload(id)),
    async appendToUpload(id, start, octets) {
      if (writing.has(id)) return 'busy';
      writing.add(id);
      try {
        return await append(id, start, octets);
      } finally {
        writing.delete(id);
      }
    },
    truncateUpload: (id) =>
      guard(async () => {
        if ((await rows.read(id))?.state === 'OPEN') await eraseFile(id);
      }),
    completeUpload: (id) =>
      guard(async () => {
        if ((await rows.read(id))?.state !== 'OPEN') return null;
        const file = await open(pathOf(id), appendFlags, 0o600);
        try {
          // What is complete survives a power cut: first the octets, then the name, then the word that they are there.
          await file.sync();
          await syncDirectory();
          const { size } = await file.stat();
          await rows.complete(id, size);
        } finally {
          await file.close();
        }
        return readUpload(id);
      }),
    openUpload: readFile,
    useUpload: (id, sha256) =>
      guard(async () => {
        await rows.use(id, sha256);
        if ((await rows.read(id)) !== null) await eraseFile(id);
      }),
    eraseExpiredUploads: (now) =>
      guard(async () => {
        const erased = new Set(await rows.expire(now));
        for (const name of await readdir(dir)) {
          if (!(await isLeftOver(name))) continue;
          await rm(join(dir, name), { recursive: true, force: true });
          erased.add(name);
        }
        return erased.size;
      }),
  };
};
