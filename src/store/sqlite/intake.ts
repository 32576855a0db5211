/**
 * A list of any length into the store, without holding it in memory and without holding the event loop: batches of
 * rows, each its own short transaction, under a job that nobody sees until the last one. (One long transaction would
 * span awaits, and other writers would fall into it.) What the list needs while it is read, the first row of each
 * mailbox and the rows by domain, lies in a private temporary database that SQLite removes by itself, whatever happens.
 */
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChunkPlan, createChunkCutter, planOrdinals } from '../../jobs/chunks.ts';
import type { IntakeRow, ListShape, NewJob } from '../../jobs/index.ts';
import { commitDurably, inTransaction } from './database.ts';
import type { Announce } from './deliveries.ts';

/** Rows a transaction takes: about 5 ms of the event loop. */
const batchRows = 500;
const batchUnits = 512 * 1024;
/** Memory of the temporary database; past it a large list spills to the system's temporary directory. */
const stageKib = 16 * 1024;

type Stage = {
  /** The row that named this mailbox first, or null when this is it. */
  readonly claim: (canonical: string, row: number) => number | null;
  readonly place: (domain: string, row: number) => void;
  /** Up to `batchRows` rows after the given place, sorted by domain. */
  readonly readPlaces: (domain: string, row: number) => readonly { domain: string; row: number }[];
  readonly transaction: <Result>(work: () => Result) => Result;
  readonly close: () => void;
};

const openStage = (): Stage => {
  const db = new DatabaseSync('');
  db.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -${stageKib};
    CREATE TABLE mailbox (canonical TEXT NOT NULL PRIMARY KEY, row INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE place (domain TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (domain, row)) STRICT, WITHOUT ROWID`);
  const insertMailbox = db.prepare('INSERT INTO mailbox VALUES (?, ?) ON CONFLICT DO NOTHING');
  const readMailbox = db.prepare('SELECT row FROM mailbox WHERE canonical = ?');
  const insertPlace = db.prepare('INSERT INTO place VALUES (?, ?)');
  const readPlaces = db.prepare(
    `SELECT domain, row FROM place WHERE (domain, row) > (?, ?) ORDER BY domain, row LIMIT ${batchRows}`,
  );
  return {
    claim: (canonical, row) =>
      insertMailbox.run(canonical, row).changes === 1 ? null : Number(readMailbox.get(canonical)?.row),
    place: (domain, row) => void insertPlace.run(domain, row),
    readPlaces: (domain, row) =>
      readPlaces.all(domain, row).map((place) => ({ domain: String(place.domain), row: Number(place.row) })),
    transaction: (work) => inTransaction(db, work),
    close: () => db.close(),
  };
};

type Loaded = {
  readonly total: number;
  /** Rows that repeat the mailbox of an earlier one. */
  readonly duplicates: number;
  /** Octets of text. */
  readonly bytes: number;
};

type LoadOutcome = 'loaded' | 'keyTaken';

/** A row as it is kept; `cells` are printed as JSON. An array, since a million of them may cross to another thread. */
export type KeptRow = readonly [
  row: number,
  address: string,
  canonical: string | null,
  domain: string,
  cells: string | null,
];

/**
 * Rows as they are kept, in batches of a transaction's length. Closes the source however it ends. UTF-16 units of cells
 * end a batch as well: rows of 64 KiB each must not add up.
 */
export async function* keepRows(
  source: AsyncIterable<IntakeRow> | Iterable<IntakeRow>,
): AsyncGenerator<readonly KeptRow[], void, undefined> {
  let batch: KeptRow[] = [];
  let units = 0;
  for await (const { row, address, canonical, domain, cells } of source) {
    const kept = cells === null ? null : JSON.stringify(cells);
    batch.push([row, address, canonical, domain, kept]);
    units += kept?.length ?? 0;
    if (batch.length < batchRows && units < batchUnits) continue;
    yield batch;
    batch = [];
    units = 0;
  }
  if (batch.length > 0) yield batch;
}

/** SQLITE_CONSTRAINT_UNIQUE */
const uniqueViolated = 2067;

export const createLoader = (db: DatabaseSync, announce: Announce) => {
  const insertJob = db.prepare(
    `INSERT INTO job (id, owner, name, state, created_at, expires_at, idempotency_key, input_hash, max_age,
       webhook_url, webhook_secret, webhook_tells_progress)
     VALUES (?, ?, ?, 'LOADING', ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number`,
  );
  const insertRow = db.prepare(
    'INSERT INTO list_row (job, row, address, domain, original, cells) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertChunk = db.prepare(
    `INSERT INTO chunk (job, ordinal, readiness, not_before, rows, row_count)
     VALUES (?, 0, 0, ?, ?, ?) RETURNING id`,
  );
  const setOrdinal = db.prepare('UPDATE chunk SET ordinal = ?, readiness = 2 WHERE id = ?');
  const publish = db.prepare(
    `UPDATE job SET state = iif(:total = 0, 'COMPLETED', 'QUEUED'), ended_at = iif(:total = 0, created_at, NULL),
       total = :total, duplicates = :duplicates, stored_bytes = :bytes, list_format = :format,
       file_name = :fileName, columns = :columns, address_column = :addressColumn
     WHERE number = :number`,
  );

  /** Reads the source to its end. */
  const loadRows = async (
    job: number,
    stage: Stage,
    source: AsyncIterable<readonly KeptRow[]>,
  ): Promise<Loaded> => {
    let total = 0;
    let duplicates = 0;
    let bytes = 0;
    for await (const rows of source) {
      inTransaction(db, () =>
        stage.transaction(() => {
          for (const [row, address, canonical, domain, cells] of rows) {
            const original = canonical === null ? null : stage.claim(canonical, row);
            if (original === null) stage.place(domain, row);
            else duplicates += 1;
            bytes += Buffer.byteLength(address) + (cells === null ? 0 : Buffer.byteLength(cells));
            insertRow.run(job, row, address, domain, original, cells);
          }
        }),
      );
      total += rows.length;
      // A source that always has its next row at hand would otherwise never let go of the event loop.
      await nextTurn();
    }
    return { total, duplicates, bytes };
  };

  const loadChunks = async (job: number, stage: Stage, notBefore: number) => {
    const cutter = createChunkCutter();
    const chunks: { readonly id: number; readonly domain: string }[] = [];
    const insert = (plan: ChunkPlan | null) => {
      if (plan === null) return;
      const { id } = insertChunk.get(job, notBefore, JSON.stringify(plan.rows), plan.rows.length) ?? {};
      chunks.push({ id: Number(id), domain: plan.domain });
    };
    // '' is the first domain there can be, and 0 comes before every row.
    let last = { domain: '', row: 0 };
    while (true) {
      const places = stage.readPlaces(last.domain, last.row);
      inTransaction(db, () => {
        for (const { domain, row } of places) insert(cutter.add(domain, row));
      });
      const end = places.at(-1);
      if (end === undefined) break;
      last = end;
      await nextTurn();
    }
    inTransaction(db, () => insert(cutter.end()));
    return chunks;
  };

  /** Adds a job with its rows and chunks, invisible. Its number is what the rest of the store knows it by. */
  const begin = (job: NewJob): number =>
    Number(
      insertJob.get(
        job.id,
        job.owner,
        job.name,
        job.createdAt.getTime(),
        job.expiresAt.getTime(),
        job.idempotencyKey,
        job.inputHash,
        job.maxAgeSeconds,
        job.webhook?.url ?? null,
        job.webhook?.secret ?? null,
        job.webhook?.tellsProgress === true ? 1 : 0,
      )?.number,
    );

  const load = async (
    number: number,
    job: NewJob,
    source: AsyncIterable<readonly KeptRow[]>,
  ): Promise<LoadOutcome> => {
    const stage = openStage();
    try {
      const loaded = await loadRows(number, stage, source);
      const chunks = await loadChunks(number, stage, job.createdAt.getTime());
      const ordinals = planOrdinals(chunks.map(({ domain }) => domain));
      commitDurably(db, () => {
        for (const [index, { id }] of chunks.entries()) setOrdinal.run(ordinals[index] ?? 1, id);
        const shape: ListShape = job.readShape();
        publish.run({
          number,
          ...loaded,
          format: shape.format,
          fileName: shape.fileName,
          columns: JSON.stringify(shape.columns),
          addressColumn: shape.addressColumn,
        });
        if (loaded.total === 0) announce(number, 'bulk_job.completed', job.createdAt);
      });
      return 'loaded';
    } catch (error) {
      if ((error as { readonly errcode?: unknown })?.errcode === uniqueViolated) return 'keyTaken';
      throw error;
    } finally {
      stage.close();
    }
  };

  return { begin, load };
};
