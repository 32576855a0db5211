import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { faultOf, inPieces, read, utf8 } from '../../../test/jobs/address-list.ts';
import { readContent } from './content.ts';
import { readAddressList } from './list.ts';

const list = utf8('email,name\na@x.example,A\nb@y.example,B\n');
const packed = gzipSync(list);
const two = ['a@x.example', 'b@y.example'];

/** Pieces of what is said, without an end; counts what was asked for. */
const endless = (piece: Uint8Array, first = piece) => {
  const seen = { octets: 0, isClosed: false };
  async function* source() {
    try {
      seen.octets += first.length;
      yield first;
      while (true) {
        seen.octets += piece.length;
        yield piece;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, source: source() };
};

describe('gzip', () => {
  const good: [string, Uint8Array][] = [
    ['one member', packed],
    [
      'members one after the other',
      Buffer.concat([gzipSync(list.subarray(0, 20)), gzipSync(list.subarray(20))]),
    ],
    [
      'an empty member between',
      Buffer.concat([gzipSync(list.subarray(0, 9)), gzipSync(''), gzipSync(list.subarray(9))]),
    ],
    ['zeros behind, as a tape pads', Buffer.concat([packed, new Uint8Array(512)])],
    ['UTF-16 in it', gzipSync(Buffer.from('\uFEFFemail;name\na@x.example;A\nb@y.example;B\n', 'utf16le'))],
    ['stored, not deflated', gzipSync(list, { level: 0 })],
  ];
  it.each(good)('%s', async (_name, bytes) => {
    for (const size of [1, 7, 65_536]) {
      const { rows } = await read(bytes, {}, size);
      expect(rows.map(({ address }) => address)).toEqual(two);
    }
  });

  const bad: [string, Uint8Array, string][] = [
    ['cut off in the header', packed.subarray(0, 5), 'BAD_GZIP'],
    ['cut off in the data', packed.subarray(0, -12), 'BAD_GZIP'],
    ['cut off in the checksum', packed.subarray(0, -3), 'BAD_GZIP'],
    ['the magic and nothing', packed.subarray(0, 2), 'BAD_GZIP'],
    ['a wrong checksum', Buffer.concat([packed.subarray(0, -8), utf8('12345678')]), 'BAD_GZIP'],
    ['damaged data', packed.map((octet, index) => (index === 14 ? octet ^ 0xff : octet)), 'BAD_GZIP'],
    ['something else behind', Buffer.concat([packed, utf8('and more')]), 'BAD_GZIP'],
    ['nothing packed', gzipSync(''), 'EMPTY_FILE'],
    ['packed twice', gzipSync(packed), 'BINARY_FILE'],
    ['a ZIP inside', gzipSync(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0)), 'BINARY_FILE'],
    ['a tar inside', gzipSync(Buffer.concat([utf8('list.csv'), new Uint8Array(504), list])), 'BINARY_FILE'],
  ];
  it.each(bad)('%s', async (_name, bytes, code) => {
    expect(await faultOf(read(bytes))).toMatchObject({ code });
    expect(await faultOf(read(bytes, {}, 1))).toMatchObject({ code });
  });

  it('says so where it breaks further down, after the rows before', async () => {
    const noise = (row: number) => createHash('sha256').update(`${row}`).digest('hex');
    const long = gzipSync(Array.from({ length: 50_000 }, (_, row) => `${noise(row)}@x.example\n`).join(''));
    const { rows } = await readAddressList(inPieces(long.subarray(0, -100_000), 65_536));
    let seen = 0;
    const reading = (async () => {
      for await (const _row of rows) seen += 1;
    })();
    expect(await faultOf(reading)).toMatchObject({ code: 'BAD_GZIP' });
    expect(seen).toBeGreaterThan(1_000);
  });

  it('gives on what its source fails with, and closes it when nobody reads on', async () => {
    const trouble = new Error('the disk');
    async function* failing() {
      yield packed.subarray(0, 15);
      throw trouble;
    }
    await expect(read(Buffer.alloc(0)).catch((error) => error)).resolves.toMatchObject({
      code: 'EMPTY_FILE',
    });
    await expect(readAddressList(failing())).rejects.toBe(trouble);
    const { seen, source } = endless(gzipSync('a@x.example\n'.repeat(10_000)));
    for await (const { row } of (await readAddressList(source)).rows) if (row === 100) break;
    expect(seen.isClosed).toBe(true);
  });
});

describe('limits', () => {
  const million = gzipSync(utf8('a@x.example\n'.repeat(1_000_000)));

  it.each<[string, Uint8Array]>([
    ['as it came', list],
    ['unpacked', packed],
  ])('takes a list of as many octets as it may have, and refuses one more: %s', async (_name, bytes) => {
    expect((await read(bytes, { maxBytes: list.length })).rows).toHaveLength(2);
    expect(await faultOf(read(bytes, { maxBytes: list.length - 1 }))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/more than \d+ octets.* RCPT_MAX_UPLOAD_BYTES/),
    });
  });

  it('unpacks a bomb no further than its limit', async () => {
    // 12 MB in 12 KB, 1,000 times: 12 GB.
    const bomb = Buffer.concat(Array(1_000).fill(million));
    let unpacked = 0;
    const unpacking = (async () => {
      for await (const piece of readContent(inPieces(bomb, 65_536), 1_000_000)) unpacked += piece.length;
    })();
    expect(await faultOf(unpacking)).toMatchObject({ code: 'TOO_LARGE' });
    expect(unpacked).toBeLessThanOrEqual(1_000_000);
  });

  it.each([
    ['a line', 'x', ''],
    ['a record of many cells', 'x@x.example,', ''],
    ['a quoted cell', 'x\n', 'email,name\n"'],
    ['JSON', 'x', '{"a":"'],
  ])('refuses %s without an end after 64 KiB', async (_name, text, first) => {
    const { seen, source } = endless(utf8(text.repeat(1_024 / text.length)), utf8(first));
    expect(await faultOf(readAddressList(source))).toMatchObject({ code: 'LINE_TOO_LONG' });
    expect(seen.octets).toBeLessThan(64 * 1024 + 10 * 1_024);
    expect(seen.isClosed).toBe(true);
  });

  it('refuses such a line behind others, and in a single piece of many MB', async () => {
    const line = utf8(`email,name\n${'a@x.example,A\n'.repeat(1_000)}${'x'.repeat(50_000_000)}`);
    expect(await faultOf(read(line, {}, line.length))).toMatchObject({ code: 'LINE_TOO_LONG' });
    expect(await faultOf(read(gzipSync(line)))).toMatchObject({ code: 'LINE_TOO_LONG' });
  });

  it('lets the event loop turn while it reads a source that never waits', async () => {
    let turns = 0;
    const { rows } = await readAddressList(inPieces(utf8('a@x.example,b\n'.repeat(200_000)), 1_000_000));
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    for await (const _row of rows);
    clearImmediate(next);
    expect(turns).toBeGreaterThan(5);
  });
});
