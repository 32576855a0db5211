/** One SQLite file and all that is kept in it: what lives in whichever thread the file is open in. */
import { limitPages, openDatabase } from './database.ts';
import { createSqliteJobStore, recoverJobs } from './jobs.ts';
import { readSecret } from './secret.ts';
import { createFileStorage, createTemporaryStorage } from './storage.ts';
import { createUploadRows } from './upload-rows.ts';
import { createVerdictTable } from './verdicts.ts';
import { createSqliteWebhooks, recoverDeliveries } from './webhooks.ts';

export type TablesOptions = {
  /** A file, made when it is missing; '' is a private temporary database that SQLite removes by itself. */
  readonly path: string;
  /** Where files of uploads lie; default: there are none. */
  readonly uploadsDir?: string;
};

export type Tables = ReturnType<typeof openTables>;

/** Opens them as the only process: leases end, half-read lists are dropped. Throws StoreError. */
export const openTables = ({ path, uploadsDir }: TablesOptions) => {
  const db = openDatabase(path);
  const place = path === '' ? 'the temporary database' : path;
  recoverJobs(db);
  recoverDeliveries(db);
  const storage = path === '' ? createTemporaryStorage(db) : createFileStorage(path, uploadsDir ?? null);
  const verdicts = createVerdictTable(db, place);
  return {
    jobs: createSqliteJobStore(db, place, storage),
    webhooks: createSqliteWebhooks(db, place),
    uploadRows: createUploadRows(db, place),
    verdicts,
    secret: readSecret(db),
    limitPages: (most: number | null) => limitPages(db, most),
    close() {
      if (!db.isOpen) return;
      verdicts.flush();
      db.close();
    },
  };
};
