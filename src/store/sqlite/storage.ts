/** What the store takes on its disk, and what is left there. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Storage } from '../../jobs/index.ts';

export type ReadStorage = () => Promise<Storage>;

/** A file that is not there, or goes while we look, takes nothing. */
const sizeOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const sumOf = async (paths: readonly string[]): Promise<number> => {
  let sum = 0;
  for (const path of paths) sum += await sizeOf(path);
  return sum;
};

/** Of a private temporary database: its pages, wherever SQLite keeps them. */
export const createTemporaryStorage = (db: DatabaseSync): ReadStorage => {
  const read = db.prepare('SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size');
  return async () => ({ databaseBytes: Number(read.get()?.size), uploadBytes: 0, freeBytes: null });
};

/** @param uploadsDir null where there are none */
export const createFileStorage =
  (path: string, uploadsDir: string | null): ReadStorage =>
  async () => {
    const uploads = uploadsDir === null ? [] : await readdir(uploadsDir).catch(() => []);
    return {
      databaseBytes: await sumOf([path, `${path}-wal`, `${path}-shm`]),
      uploadBytes: await sumOf(uploads.map((name) => join(uploadsDir ?? '', name))),
      freeBytes: await statfs(dirname(path)).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => null,
      ),
    };
  };
