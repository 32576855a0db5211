/**
 * The octets of a list: as they came, or unpacked when they are gzip (RFC 1952, told by its magic; members one after
 * the other are one file). One layer only: what is packed twice is refused by its look, as every other format is.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { IntakeFault } from './fault.ts';

/** Octets that go on at a time: what is decoded and parsed in one go stays within some milliseconds. */
const pieceBytes = 64 * 1024;

/** Puts what was read ahead back in front of the rest, and cuts all of it to size. Closes the source at its end. */
async function* rejoin(
  head: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead = [...head];
  try {
    while (true) {
      const piece = ahead.shift() ?? (await source.next()).value;
      if (piece === undefined) return;
      for (let at = 0; at < piece.length; at += pieceBytes) yield piece.subarray(at, at + pieceBytes);
    }
  } finally {
    await source.return?.();
  }
}

const readGzipError = (error: unknown): unknown => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!code.startsWith('Z_')) return error;
  return new IntakeFault(
    'BAD_GZIP',
    code === 'Z_BUF_ERROR'
      ? 'The gzip file ends too early: it was cut off on its way, give it again.'
      : 'The gzip file is damaged: pack the list anew.',
  );
};

/** Unpacks no faster than somebody reads: a bomb costs what was read of it. */
async function* unpack(
  packed: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  // Its errors arrive at the loop below as well.
  const fed = pipeline(Readable.from(packed), gunzip).catch(() => undefined);
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } catch (error) {
    throw readGzipError(error);
  } finally {
    gunzip.destroy();
    await fed;
  }
}

/**
 * The list's own octets in pieces of up to 64 KiB. Throws BAD_GZIP, and TOO_LARGE once more than `maxBytes` of them
 * were read, packed ones not counted: they are fewer, or no gain.
 */
export async function* readContent(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let magic: readonly number[] = [];
  try {
    while (magic.length < 2) {
      const next = await iterator.next();
      if (next.done) break;
      head.push(next.value);
      magic = [...magic, ...next.value.subarray(0, 2)];
    }
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  const raw = rejoin(head, iterator);
  const content = isGzip ? unpack(raw) : raw;
  let length = 0;
  for await (const piece of content) {
    length += piece.length;
    if (length > maxBytes)
      throw new IntakeFault(
        'TOO_LARGE',
        `The list has more than ${maxBytes.toLocaleString('en')} octets${isGzip ? ' when it is unpacked' : ''}: give it in parts, or raise RCPT_MAX_UPLOAD_BYTES.`,
      );
    yield piece;
  }
}
