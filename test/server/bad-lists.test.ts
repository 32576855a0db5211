/** Files that are no lists, or too long ones: a typed error that names limit and setting, no job, no file left but the upload. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type Lists, openLists, put } from './lists.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
const open = async (...options: Parameters<typeof openLists>): Promise<Lists> => {
  const lists = await openLists(...options);
  closers.push(lists.close);
  return lists;
};

const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => `user${index}@mail.test\n`).join('');

const problemOf =
  'mutation ($input: StartBulkJobInput!) { startBulkJob(input: $input) { __typename ... on Error { code message } ... on BadFileError { problem } } }';

type Row = readonly [
  name: string,
  content: Uint8Array | string,
  input: Record<string, unknown>,
  expected: Record<string, unknown>,
];

const table: readonly Row[] = [
  ['octets of a picture', Buffer.alloc(5_000), {}, { code: 'BAD_FILE', problem: 'BINARY_FILE' }],
  [
    'a zip archive',
    Buffer.concat([Buffer.from('PK\x03\x04\x14\0\0\0\x08\0'), deflateRawSync(rows(500))]),
    {},
    { code: 'BAD_FILE', problem: 'BINARY_FILE' },
  ],
  ['nothing', '', {}, { code: 'BAD_FILE', problem: 'EMPTY_FILE' }],
  ['blank lines', '\n \n\n', {}, { code: 'BAD_FILE', problem: 'EMPTY_FILE' }],
  [
    'a bomb: 50 MB of blanks in 50 KB',
    gzipSync(Buffer.alloc(50_000_000, `ada@mail.test${' '.repeat(60_000)}\n`)),
    {},
    {
      code: 'BAD_FILE',
      problem: 'TOO_LARGE',
      message: expect.stringMatching(/1,000,000.*RCPT_MAX_UPLOAD_BYTES/),
    },
  ],
  [
    'a gzip file that was cut off',
    gzipSync(rows(1_000)).subarray(0, 800),
    {},
    { code: 'BAD_FILE', problem: 'BAD_GZIP' },
  ],
  ['a single line of 900 KB', 'a'.repeat(900_000), {}, { code: 'BAD_FILE', problem: 'LINE_TOO_LONG' }],
  [
    'more rows than a job may have',
    rows(1_001),
    {},
    {
      __typename: 'TooManyAddressesError',
      code: 'TOO_MANY_ADDRESSES',
      message: 'At most 1,000 rows are taken in one job (RCPT_MAX_ROWS).',
    },
  ],
  [
    'a column that is not there',
    'email,name\nada@mail.test,Ada\n',
    { column: 'phone' },
    { code: 'BAD_FILE', problem: 'UNKNOWN_COLUMN' },
  ],
];

describe('a file that is no list', () => {
  test.each(table)('%s', async (_name, content, input, expected) => {
    const { createUpload, ask, start, jobCount, files, errors, logged } = await open();
    const { id, url, key } = await createUpload();
    expect((await put(url, content)).status).toBe(201);
    const { startBulkJob } = await ask(problemOf, { input: { source: { uploadId: id }, ...input } });
    expect(startBulkJob).toMatchObject(expected);
    expect(String(startBulkJob?.message)).not.toMatch(/ada@|user\d|Ada/);
    expect(await jobCount()).toBe(0);
    // What was uploaded stays, so that the request can be corrected, and nothing beside it.
    expect(files()).toEqual([key]);
    expect([errors, logged]).toEqual([[], []]);
    expect(await start({ source: { addresses: ['ada@mail.test'] } })).toMatchObject({
      __typename: 'BulkJob',
    });
  });

  test('a line of 2 GB is not read on: it ends with the limit of an upload', async () => {
    const { createUpload, files } = await open();
    const { url } = await createUpload({ fileName: 'line.txt' });
    let sent = 0;
    const line = async function* () {
      const piece = Buffer.alloc(65_536, 0x61);
      for (; sent < 2_000_000_000; sent += piece.length) yield piece;
    };
    const answer = await put(url, line());
    expect(answer.status).toBe(413);
    expect(answer.body).toMatch(/1,?000,?000 octets.*RCPT_MAX_UPLOAD_BYTES/);
    expect(sent).toBeLessThan(500_000_000);
    expect(files()).toEqual([]);
  });
});

describe('whose it is, and what it is called', () => {
  test('an upload of somebody else is none', async () => {
    const { uploads, start, jobCount } = await open();
    const created = await uploads.create({ fileName: null, sizeBytes: null, owner: 'somebody else' });
    if (created.kind !== 'created') throw new Error(created.kind);
    const id = Buffer.from(`Upload:${created.upload.id}`).toString('base64url');
    expect(await start({ source: { uploadId: id } })).toMatchObject({
      __typename: 'NotFoundError',
      code: 'NOT_FOUND',
    });
    expect(await jobCount()).toBe(0);
  });

  test('one that has expired is none, and its link is worth nothing', async () => {
    const { createUpload, start, files } = await open({ lifeMs: 1 });
    const { id, url } = await createUpload();
    expect((await put(url, 'ada@mail.test\n')).status).toBe(410);
    expect(await start({ source: { uploadId: id } })).toMatchObject({ code: 'NOT_FOUND' });
    expect(files()).toEqual([]);
  });

  test.each([
    ['../../etc/passwd', 'passwd', 'passwd-results.csv'],
    ['..\\..\\windows\\win.ini', 'win.ini', 'win-results.csv'],
    ['a\0b\r\nSet-Cookie: x.csv', 'abSet-Cookie: x.csv', 'abSet-Cookie: x-results.csv'],
    ['CON', 'CON', 'CON-results.csv'],
    ['..', null, null],
    ['\u202efdp.exe', 'fdp.exe', 'fdp-results.csv'],
    ['a"b;c.csv', 'a"b;c.csv', 'a_b;c-results.csv'],
    ['Frühling ☀.csv', 'Frühling ☀.csv', 'Fr_hling _-results.csv'],
  ])('the name %j is no path, in and out', async (fileName, kept, out) => {
    const { createUpload, start, ask, files } = await open();
    const { id, url, key } = await createUpload({ fileName });
    await put(url, 'ada@mail.test\n');
    expect(files()).toEqual([key]);
    const job = await start({ source: { uploadId: id } });
    const { bulkJob } = await ask(
      'query ($id: ID!) { bulkJob(id: $id) { fileName resultsUrl(format: CSV) } }',
      { id: job.id },
    );
    expect(bulkJob?.fileName).toBe(kept);
    const response = await fetch(String(bulkJob?.resultsUrl), { method: 'HEAD' });
    const disposition = response.headers.get('content-disposition') ?? '';
    expect(disposition).toContain(
      `attachment; filename="${out ?? `results-${Buffer.from(String(job.id), 'base64url').toString().slice(8)}.csv`}"`,
    );
    if (/[^ -~"]/.test(kept ?? '')) {
      const [, extended = ''] = /filename\*=UTF-8''(\S+)$/.exec(disposition) ?? [];
      expect(decodeURIComponent(extended)).toBe('Frühling ☀-results.csv');
    }
  });
});
