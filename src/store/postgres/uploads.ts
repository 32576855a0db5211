/**
 * Files that wait to become jobs, in the database: a row of `upload` each and their octets beside it in pieces, so that
 * any gateway can go on with an upload or make a job of it. What is committed is what was received; a piece is either
 * there whole or not at all.
 *
 * A piece is in memory twice while it is written, never more of an upload than that. What a connection that breaks has
 * brought is kept; a gateway that is killed takes along what it had gathered, less than a piece.
 */
import { randomUUID } from 'node:crypto';
import type { Upload, UploadState, UploadStore } from '../../jobs/index.ts';
import { clock, type Database, type Query, type Row } from './database.ts';
import { uploadKeys } from './locks.ts';
import { date, text } from './rows.ts';
import { createSkew } from './skew.ts';
import { encodeText } from './text.ts';
import { createWriters } from './writers.ts';

/** A megabyte on the wire, where octets travel as hexadecimal digits. */
const pieceBytes = 512 * 1024;
/** Clocks that differ by less are as good as equal: times are then told as they were given. */
const leastSkewMs = 2_000;

/** Octets in pieces; also what came before the source failed. The next are asked for when a piece was taken. */
async function* gather(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const give = function* (least: number): Generator<Uint8Array, void, undefined> {
    if (length < least) return;
    const all = Buffer.concat(parts);
    let at = 0;
    for (; all.length - at >= least; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
    parts = at < all.length ? [all.subarray(at)] : [];
    length = Math.max(0, all.length - at);
  };
  try {
    for await (const octets of source) {
      parts.push(octets);
      length += octets.length;
      yield* give(pieceBytes);
    }
  } catch (error) {
    yield* give(1);
    throw error;
  }
  yield* give(1);
}

/** Nothing, where the upload is gone or somebody else has begun to write. */
const appendStatement = `
  WITH moved AS (
    UPDATE upload SET received = received + octet_length($4::bytea)
    WHERE id = $1 AND writer = $2 AND state = 'OPEN' AND received = $3 RETURNING id
  )
  INSERT INTO upload_piece (upload, start, octets) SELECT id, $3, $4 FROM moved RETURNING start`;

export type PostgresUploads = UploadStore & { close(): Promise<void> };

export const createPostgresUploads = (
  database: Database,
  onError: (error: unknown) => void,
): PostgresUploads => {
  const writers = createWriters(database, onError);
  const skew = createSkew();
  const toOurs = (theirs: Date): Date => {
    const ours = skew.toOurs(theirs);
    return Math.abs(ours.getTime() - theirs.getTime()) < leastSkewMs ? theirs : ours;
  };

  const readUploadRow = (row: Row): Upload => {
    const state = row.state as UploadState;
    return {
      id: String(row.id),
      owner: text(row.owner),
      fileName: text(row.file_name),
      state,
      sizeBytes: row.size === null ? null : Number(row.size),
      receivedBytes: Number(row.received),
      createdAt: toOurs(row.created_at as Date),
      expiresAt: toOurs(row.expires_at as Date),
      sha256: text(row.sha256),
    };
  };
  const readUpload = async (query: Query, id: string): Promise<Upload | null> => {
    const [row] = await query('SELECT * FROM upload WHERE id = $1', [id]);
    return row === undefined ? null : readUploadRow(row);
  };

  /** A piece at a time; the next one is asked for when this one is committed. */
  const write = async (
    id: string,
    writer: string,
    start: number,
    octets: AsyncIterable<Uint8Array>,
  ): Promise<'appended' | 'misplaced' | 'gone'> => {
    let at = start;
    for await (const piece of gather(octets)) {
      const [written] = await database.query(appendStatement, [id, writer, at, piece]);
      if (written === undefined)
        return (await readUpload(database.query, id))?.state === 'OPEN' ? 'misplaced' : 'gone';
      at += piece.length;
    }
    return (await readUpload(database.query, id)) === null ? 'gone' : 'appended';
  };

  const append: UploadStore['appendToUpload'] = async (id, start, octets) => {
    const writer = randomUUID();
    const [begun] = await database.query(
      `UPDATE upload SET writer = $2 WHERE id = $1 AND state = 'OPEN' RETURNING received`,
      [id, writer],
    );
    if (begun === undefined) return 'gone';
    return Number(begun.received) === start ? write(id, writer, start, octets) : 'misplaced';
  };

  /** Aside: a job is made of it within a transaction that waits for its octets. */
  async function* readPieces(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const [upload] = await database.aside('SELECT received FROM upload WHERE id = $1', [id]);
    if (upload === undefined) throw new Error('there is no such upload');
    for (let at = 0; at < Number(upload.received); ) {
      const [piece] = await database.aside(
        'SELECT octets FROM upload_piece WHERE upload = $1 AND start = $2',
        [id, at],
      );
      if (!(piece?.octets instanceof Uint8Array)) throw new Error('the octets of the upload are gone');
      yield piece.octets;
      at += piece.octets.length;
    }
  }

  return {
    async createUpload({ id, owner, fileName, sizeBytes, createdAt, expiresAt }) {
      const [made] = await database.query(
        `INSERT INTO upload (id, owner, file_name, state, size, created_at, expires_at)
         VALUES ($1, $2, $3, 'OPEN', $4, ${clock}, ${clock} + $5 * interval '1 millisecond')
         RETURNING *, ${clock} AS now`,
        [
          id,
          owner,
          fileName === null ? null : encodeText(fileName),
          sizeBytes,
          expiresAt.getTime() - createdAt.getTime(),
        ],
      );
      if (made === undefined) throw new Error('an upload was not made');
      skew.learn(made.now, createdAt);
      return readUploadRow(made);
    },
    readUpload: (id) => readUpload(database.query, id),
    async appendToUpload(id, start, octets) {
      if (!(await writers.begin(id))) return 'busy';
      try {
        return await append(id, start, octets);
      } finally {
        await writers.end(id);
      }
    },
    /** While somebody writes to it, it is left to him. */
    truncateUpload: (id) =>
      database.transaction(async ({ query }) => {
        const [row] = await query(`SELECT pg_try_advisory_xact_lock(${uploadKeys('$1')}) AS "isFree"`, [id]);
        if (row?.isFree !== true) return;
        const [open] = await query(
          `UPDATE upload SET received = 0, writer = NULL WHERE id = $1 AND state = 'OPEN' RETURNING id`,
          [id],
        );
        if (open !== undefined) await query('DELETE FROM upload_piece WHERE upload = $1', [id]);
      }),
    async completeUpload(id) {
      const [row] = await database.query(
        `UPDATE upload SET state = 'COMPLETE', size = received, writer = NULL WHERE id = $1 AND state = 'OPEN' RETURNING *`,
        [id],
      );
      return row === undefined ? null : readUploadRow(row);
    },
    openUpload: readPieces,
    useUpload: (id, sha256) =>
      database.transaction(async ({ query }) => {
        await query(`UPDATE upload SET state = 'USED', sha256 = $2, writer = NULL WHERE id = $1`, [
          id,
          sha256,
        ]);
        await query('DELETE FROM upload_piece WHERE upload = $1', [id]);
      }),
    async eraseExpiredUploads(now) {
      const [asked] = await database.query(`SELECT ${clock} AS now`);
      skew.learn(date(asked?.now), now);
      const erased = await database.query(`DELETE FROM upload WHERE expires_at <= ${clock} RETURNING id`);
      return erased.length;
    },
    close: () => writers.close(),
  };
};
