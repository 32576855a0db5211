/**
 * Uploads: a list comes in pieces, over as many connections as it takes, and waits on the disk until a job is made of
 * it. Never more than one piece of it is in memory. What the disk has is what counts: after a lost connection or a
 * kill -9 the caller asks for `receivedBytes` and goes on from there, or begins anew at 0.
 *
 * One writer at a time. An upload that grows past the limit, or past the size that was said, is erased from the disk at
 * once; so is one that the disk has no room for. What stops half-way stays until its time is over. Octets that stop
 * coming hold the writer's place: it is the connection's idle timeout that ends them.
 */
import { randomUUID } from 'node:crypto';
import type { Uploads } from '../door.ts';
import { cleanFileName } from '../intake/file-name.ts';
import { isPassing } from '../patience.ts';
import type { Upload, UploadStore } from '../ports.ts';

export type UploadsOptions = {
  readonly store: UploadStore;
  readonly now: () => Date;
  /** Octets of one upload (RCPT_MAX_UPLOAD_BYTES). */
  readonly maxBytes: number;
  /** After which an upload is erased, used or not. */
  readonly lifeMs: number;
  /** Told of a store in trouble; the caller only hears that there is trouble. */
  readonly onError: (error: unknown) => void;
};

/** How often uploads past their time are looked for; one that is past it is like none all the same. */
const sweepMs = 60_000;

/** Thrown into the store's reading when more octets come than there may. */
class TooManyOctets extends Error {
  override readonly name = 'TooManyOctets';
}

/** Ends before the first octet too many is handed on. */
async function* limit(octets: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let left = most;
  for await (const piece of octets) {
    left -= piece.length;
    if (left < 0) throw new TooManyOctets();
    yield piece;
  }
}

/** Sweeps at once, and from then on by its own timer, which keeps no process alive. */
export const createUploads = ({ store, now, maxBytes, lifeMs, onError }: UploadsOptions): Uploads => {
  /** Ids of uploads that somebody writes to. */
  const writing = new Set<string>();

  /** What is said of the trouble, where it is trouble; a bug is thrown on. */
  const troubleOf = (error: unknown): { readonly kind: 'storeTrouble' } => {
    if (!isPassing(error)) throw error;
    onError(error);
    return { kind: 'storeTrouble' };
  };

  const readLiving = async (id: string): Promise<Upload | null> => {
    const upload = await store.readUpload(id);
    return upload === null || upload.expiresAt <= now() ? null : upload;
  };

  const append: Uploads['write'] = async (id, { start, total, isLast }, octets) => {
    const upload = await readLiving(id);
    if (upload === null) return { kind: 'noUpload' };
    if (upload.state !== 'OPEN') return { kind: 'closed' };
    // What the caller says now counts more than what was said when the upload was made.
    const size = total ?? upload.sizeBytes;
    if (size !== null && size > maxBytes) {
      await store.truncateUpload(id);
      return { kind: 'tooLarge', limitBytes: maxBytes };
    }
    const most = size ?? maxBytes;
    if (start === 0 && upload.receivedBytes > 0) await store.truncateUpload(id);
    else if (start !== upload.receivedBytes) return { kind: 'misplaced', upload };
    try {
      const outcome = await store.appendToUpload(id, start, limit(octets, most - start));
      if (outcome === 'gone') return { kind: 'noUpload' };
      if (outcome === 'busy') return { kind: 'busy' };
      if (outcome === 'misplaced')
        return { kind: 'misplaced', upload: (await store.readUpload(id)) ?? upload };
    } catch (error) {
      if (!(error instanceof TooManyOctets)) throw error;
      await store.truncateUpload(id);
      return { kind: 'tooLarge', limitBytes: most };
    }
    const after = await store.readUpload(id);
    if (after === null) return { kind: 'noUpload' };
    const isWhole = size === null ? isLast : after.receivedBytes === size;
    const written = isWhole ? await store.completeUpload(id) : after;
    return written === null ? { kind: 'noUpload' } : { kind: 'written', upload: written };
  };

  let sweeping: Promise<unknown> = Promise.resolve();
  const sweep = (): void => {
    sweeping = sweeping.then(() => store.eraseExpiredUploads(now())).catch(onError);
  };
  const timer = setInterval(sweep, sweepMs);
  timer.unref();
  sweep();

  return {
    async create({ fileName, sizeBytes, owner }) {
      if (sizeBytes !== null && sizeBytes > maxBytes) return { kind: 'tooLarge', limitBytes: maxBytes };
      const createdAt = now();
      try {
        const upload = await store.createUpload({
          id: randomUUID(),
          owner,
          fileName: fileName === null ? null : cleanFileName(fileName),
          sizeBytes,
          createdAt,
          expiresAt: new Date(createdAt.getTime() + lifeMs),
        });
        return { kind: 'created', upload };
      } catch (error) {
        return troubleOf(error);
      }
    },
    read: readLiving,
    async write(id, piece, octets) {
      if (writing.has(id)) return { kind: 'busy' };
      writing.add(id);
      try {
        return await append(id, piece, octets);
      } catch (error) {
        return troubleOf(error);
      } finally {
        writing.delete(id);
      }
    },
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
};
