/** Uploads over a real port onto a real disk: whole, in pieces, broken off, too large, and by links that are no good. */
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createLinks } from '../../src/server/link.ts';
import { until } from './gateway.ts';
import { type Answer, type Lists, openLists, put, readAnswer } from './lists.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
const open = async (...options: Parameters<typeof openLists>): Promise<Lists> => {
  const lists = await openLists(...options);
  closers.push(lists.close);
  return lists;
};

const codeOf = ({ body }: Answer): unknown => JSON.parse(body).errors?.[0]?.extensions?.code;
const messageOf = ({ body }: Answer): string => JSON.parse(body).errors?.[0]?.message;
const list = 'email,name\nada@mail.test,Ada\nbob@mail.test,Bob\n';

describe('a file', () => {
  test('whole, and then a job with its columns', async () => {
    const { createUpload, start, ask, files } = await open();
    const { id, url, key } = await createUpload({ fileName: 'spring.csv' });
    const answer = await put(url, list);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      201,
      { id, state: 'COMPLETE', receivedBytes: list.length, sizeBytes: list.length },
    ]);
    expect(files()).toEqual([key]);
    const job = await start({ source: { uploadId: id }, name: 'spring' });
    expect(job).toMatchObject({ __typename: 'BulkJob', progress: { total: 2 } });
    const { bulkJob } = await ask(
      'query ($id: ID!) { bulkJob(id: $id) { fileName format columns addressColumn } }',
      { id: job.id },
    );
    expect(bulkJob).toEqual({
      fileName: 'spring.csv',
      format: 'CSV',
      columns: ['email', 'name'],
      addressColumn: 'email',
    });
    expect(files()).toEqual([]);
    const { upload } = await ask('query ($id: ID!) { upload(id: $id) { state } }', { id });
    expect(upload).toEqual({ state: 'USED' });
    expect(await start({ source: { uploadId: id } })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('without a length, gzipped', async () => {
    const { createUpload, start } = await open();
    const { id, url } = await createUpload();
    const octets = async function* () {
      yield gzipSync(list);
    };
    expect((await put(url, octets())).status).toBe(201);
    expect(await start({ source: { uploadId: id } })).toMatchObject({ progress: { total: 2 } });
  });

  test('in pieces, of a total that is known only at the end', async () => {
    const { createUpload, start } = await open();
    const { id, url } = await createUpload();
    const first = await put(url, list.slice(0, 20), { 'content-range': 'bytes 0-19/*' });
    expect([first.status, first.headers.range, first.headers.location]).toEqual([
      308,
      'bytes=0-19',
      undefined,
    ]);
    expect(await start({ source: { uploadId: id } })).toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    for (const asked of [
      await put(url, '', { 'content-range': `bytes */${list.length}` }),
      await put(url, '', {}, 'HEAD'),
    ])
      expect([asked.status, asked.headers.range]).toEqual([308, 'bytes=0-19']);
    const misplaced = await put(url, list.slice(25), {
      'content-range': `bytes 25-${list.length - 1}/${list.length}`,
    });
    expect([misplaced.status, misplaced.headers.range, codeOf(misplaced)]).toEqual([
      416,
      'bytes=0-19',
      'BAD_RANGE',
    ]);
    const last = await put(url, list.slice(20), {
      'content-range': `bytes 20-${list.length - 1}/${list.length}`,
    });
    expect(last.status).toBe(201);
    const more = await put(url, list);
    expect([more.status, codeOf(more)]).toEqual([409, 'UPLOAD_COMPLETE']);
    expect(await start({ source: { uploadId: id } })).toMatchObject({ progress: { total: 2 } });
  });

  test('that stops half-way goes on from where it broke off', async () => {
    const { createUpload, start, ask, logged } = await open();
    const { id, url } = await createUpload({ sizeBytes: list.length });
    const broken = request(url, { method: 'PUT', headers: { 'content-length': list.length } });
    broken.on('error', () => undefined);
    broken.write(list.slice(0, 20));
    const received = async () =>
      (await ask('query ($id: ID!) { upload(id: $id) { receivedBytes } }', { id })).upload?.receivedBytes;
    let at = await received();
    for (const deadline = Date.now() + 5_000; at !== 20 && Date.now() < deadline; ) at = await received();
    expect(at).toBe(20);
    expect((await put(url, list)).status, 'while somebody writes').toBe(409);
    broken.destroy();
    let rest: Answer;
    const headers = { 'content-range': `bytes 20-${list.length - 1}/${list.length}` };
    const deadline = Date.now() + 5_000;
    do rest = await put(url, list.slice(20), headers);
    while (rest.status === 409 && Date.now() < deadline);
    expect(rest.status).toBe(201);
    expect(await start({ source: { uploadId: id } })).toMatchObject({ progress: { total: 2 } });
    expect(logged).toEqual([]);
  });

  test('that comes slowly outlives the time of a request, and one that stalls does not', async () => {
    const { createUpload, logged } = await open({}, { timeouts: { bodyMs: 150, stallMs: 400 } });
    const { url } = await createUpload();
    const slow = async function* () {
      for (const piece of list.split('')) {
        yield Buffer.from(piece);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    expect((await put(url, slow())).status).toBe(201);
    const { url: other } = await createUpload();
    const stalled = request(other, { method: 'PUT', headers: { 'content-length': 100 } });
    stalled.write('a');
    const [error] = (await once(stalled, 'error').catch((reason) => [reason])) as [Error];
    expect(String(error)).toMatch(/hang up|ECONNRESET/);
    expect(logged).toEqual([]);
  });
});

describe('too large', () => {
  const many = async function* () {
    for (let sent = 0; sent < 400; sent++) yield Buffer.alloc(65_536, 0x61);
  };

  test('announced: refused before it is sent', async () => {
    const { ask } = await open();
    const { createUpload } = await ask(
      'mutation ($size: ByteCount!) { createUpload(input: { sizeBytes: $size }) { __typename ... on Error { code message } ... on FileTooLargeError { limitBytes } } }',
      { size: 5_000_000_000 },
    );
    expect(createUpload).toEqual({
      __typename: 'FileTooLargeError',
      code: 'FILE_TOO_LARGE',
      message: 'At most 1,000,000 octets are taken (RCPT_MAX_UPLOAD_BYTES).',
      limitBytes: 1_000_000,
    });
  });

  test.each([
    ['by its length', { 'content-length': 26_214_400 }],
    ['by its Content-Range', { 'content-range': 'bytes 0-26214399/26214400', 'content-length': 26_214_400 }],
    ['by what comes', {}],
  ])('%s: the answer is heard, nothing stays, the connection of others lives', async (_name, headers) => {
    const { createUpload, files, ask } = await open();
    const { url } = await createUpload();
    const answer = await put(url, many(), headers);
    expect([answer.status, codeOf(answer)]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(messageOf(answer)).toMatch(/1,?000,?000 octets.*RCPT_MAX_UPLOAD_BYTES/);
    await until(() => files().every((name) => name === ''));
    expect(await ask('{ __typename }')).toEqual({ __typename: 'Query' });
  });

  test('more than was said', async () => {
    const { createUpload, store } = await open();
    const { url, key } = await createUpload({ sizeBytes: 10 });
    const octets = async function* () {
      yield Buffer.from(list);
    };
    const answer = await put(url, octets());
    expect([answer.status, messageOf(answer)]).toEqual([413, expect.stringMatching(/At most 10 octets/)]);
    expect((await store.uploads.readUpload(key))?.receivedBytes).toBe(0);
  });
});

describe('a request that is wrong', () => {
  const change = (url: string, part: RegExp, to: string) => url.replace(part, to);

  test('a link that is altered, of another kind, expired or of nothing', async () => {
    const { createUpload, origin, store, files } = await open();
    const { url, key } = await createUpload();
    const { url: other } = await createUpload();
    const links = createLinks({ secret: store.secret, lifeSeconds: 60 });
    const results = new URL(links.printResultsUrl(origin, key, 'CSV'));
    const rows: readonly (readonly [string, number, string])[] = [
      [change(url, /signature=.*/, 'signature='), 403, 'LINK_INVALID'],
      [change(url, /expires=\d/, 'expires=9'), 403, 'LINK_INVALID'],
      [change(url, /\?.*/, ''), 403, 'LINK_INVALID'],
      [change(url, /\?.*/, new URL(other).search), 403, 'LINK_INVALID'],
      [change(url, /\?.*/, results.search), 403, 'LINK_INVALID'],
      [links.printUploadUrl(origin, key, new Date(Date.now() - 1_000)), 410, 'LINK_EXPIRED'],
      [links.printUploadUrl(origin, crypto.randomUUID(), new Date(Date.now() + 60_000)), 404, 'NOT_FOUND'],
      [`${origin}/uploads/..%2f..%2fetc%2fpasswd${new URL(url).search}`, 404, 'NOT_FOUND'],
    ];
    for (const [bad, status, code] of rows) {
      const answer = await put(bad, list);
      expect([answer.status, codeOf(answer)], bad).toEqual([status, code]);
    }
    expect(files()).toEqual([]);
  });

  test('headers that it cannot have', async () => {
    const { createUpload, files } = await open();
    const { url } = await createUpload();
    const rows: readonly (readonly [Record<string, string>, number, string, string?])[] = [
      [{ 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [{ 'content-range': 'bytes 5-2/10' }, 400, 'BAD_RANGE'],
      [{ 'content-range': 'bytes 0-3/10' }, 400, 'BAD_RANGE'],
      [{ 'content-range': 'lines 0-1/2' }, 400, 'BAD_RANGE'],
      [{ 'content-range': 'bytes 0-99999999999999999999/*' }, 400, 'BAD_RANGE'],
      [{ origin: 'https://evil.example' }, 403, 'CROSS_ORIGIN'],
      [{ 'sec-fetch-site': 'cross-site' }, 403, 'CROSS_ORIGIN'],
      [{ host: 'evil.example' }, 403, 'HOST_NOT_ALLOWED'],
      [{}, 405, 'METHOD_NOT_ALLOWED', 'POST'],
      [{}, 405, 'METHOD_NOT_ALLOWED', 'DELETE'],
    ];
    for (const [headers, status, code, method] of rows) {
      const answer = await put(url, list, { 'content-length': list.length, ...headers }, method);
      expect([answer.status, codeOf(answer)], JSON.stringify(headers)).toEqual([status, code]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(files()).toEqual([]);
  });

  test('a full disk: 507, and nothing is kept', async () => {
    const lists = await open();
    const { url } = await lists.createUpload();
    const { write } = lists.uploads;
    Object.assign(lists.uploads, { write: async () => ({ kind: 'storeTrouble' }) });
    const answer = await put(url, list);
    expect([answer.status, codeOf(answer)]).toEqual([507, 'STORAGE_UNAVAILABLE']);
    Object.assign(lists.uploads, { write });
    expect((await put(url, list)).status).toBe(201);
  });

  test('a bug is INTERNAL, told to the log, and the next request is served', async () => {
    const lists = await open();
    const { url } = await lists.createUpload();
    Object.assign(lists.uploads, {
      write: async () => {
        throw new TypeError('ada@mail.test');
      },
    });
    const asked = request(url, { method: 'PUT' });
    const answer = readAnswer(asked);
    asked.end(list);
    expect((await answer).status).toBe(500);
    expect((await answer).body).not.toMatch(/ada@/);
    expect(lists.logged).toHaveLength(1);
    expect(await lists.ask('{ __typename }')).toEqual({ __typename: 'Query' });
  });
});

test('what uploads take is told', async () => {
  const { createUpload, ask } = await open();
  const { url } = await createUpload();
  await put(url, list);
  const { gateway } = await ask('{ gateway { storage { uploadBytes } } }');
  expect(gateway).toEqual({ storage: { uploadBytes: list.length } });
});
