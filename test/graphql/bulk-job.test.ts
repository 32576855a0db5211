/** Lists as GraphQL shows them: where they come from, what is refused and how, who is told, what it takes. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { StartOutcome } from '../../src/jobs/index.ts';
import { createFakeWorld, type FakeWorld } from './fakes.ts';
import { codesOf, readOperation, run } from './run.ts';

let world: FakeWorld;
beforeEach(() => {
  world = createFakeWorld();
});

const globalId = (id: string, type = 'BulkJob') => Buffer.from(`${type}:${id}`).toString('base64url');

const start = (input: Record<string, unknown>) =>
  run(world.services, readOperation('StartBulkJob'), {
    input: { source: { addresses: ['ada@mail.test'] }, ...input },
  });

describe('startBulkJob', () => {
  const refused: readonly (readonly [StartOutcome, string, string, RegExp])[] = [
    [{ kind: 'idempotencyConflict' }, 'IdempotencyConflictError', 'IDEMPOTENCY_CONFLICT', /another key/],
    [{ kind: 'emptyList' }, 'EmptyListError', 'EMPTY_LIST', /no row/],
    [
      { kind: 'tooManyRows', limit: 1_000_000 },
      'TooManyAddressesError',
      'TOO_MANY_ADDRESSES',
      /^At most 1,000,000 rows .*\(RCPT_MAX_ROWS\)\.$/,
    ],
    [
      { kind: 'badFile', code: 'NO_ADDRESS_COLUMN', message: 'No column holds addresses: name it.' },
      'BadFileError',
      'BAD_FILE',
      /^No column holds addresses: name it\.$/,
    ],
    [{ kind: 'noUpload' }, 'NotFoundError', 'NOT_FOUND', /no such upload/],
    [
      { kind: 'uploadIncomplete', receivedBytes: 1_234 },
      'UploadIncompleteError',
      'UPLOAD_INCOMPLETE',
      /1,234 octets/,
    ],
    [{ kind: 'badWebhook', message: 'It must be https.' }, 'BadWebhookError', 'BAD_WEBHOOK', /https/],
    [{ kind: 'storeTrouble' }, 'StorageUnavailableError', 'STORAGE_UNAVAILABLE', /disk is full/],
  ];

  test.each(refused)('%o is typed data', async (outcome, type, code, message) => {
    world.jobs.fake.nextOutcome = outcome;
    const { data, errors } = await start({});
    expect(errors).toBeUndefined();
    expect(data?.startBulkJob).toEqual({ __typename: type, code, message: expect.stringMatching(message) });
  });

  test('hands on what was asked for, and what was not as null', async () => {
    await start({});
    await start({
      name: 'spring',
      column: 'E-Mail',
      maxAge: '1d',
      retention: '2h',
      webhook: { url: 'https://hooks.test/in', secret: 'whsec_AAAA', progress: true },
      idempotencyKey: 'k',
      source: { uploadId: globalId('u-1', 'Upload') },
    });
    const [plain, full] = world.jobs.fake.started;
    expect(plain).toEqual({
      source: { kind: 'addresses', addresses: ['ada@mail.test'] },
      name: null,
      column: null,
      maxAgeSeconds: null,
      retentionSeconds: null,
      webhook: null,
      idempotencyKey: null,
      owner: null,
    });
    expect(full).toMatchObject({
      source: { kind: 'upload', uploadId: 'u-1' },
      name: 'spring',
      column: 'E-Mail',
      maxAgeSeconds: 86_400,
      retentionSeconds: 7_200,
      webhook: { url: 'https://hooks.test/in', secret: 'whsec_AAAA', tellsProgress: true },
    });
  });

  test('a file is read again each time, and none above 10 MB', async () => {
    const file = new File(['a@b.test\n'], 'list.txt');
    await start({ source: { file } });
    const { source } = world.jobs.fake.started[0] ?? {};
    if (source?.kind !== 'file') throw new Error('no file');
    for (let time = 0; time < 2; time++) {
      const pieces: Uint8Array[] = [];
      for await (const piece of source.readContent()) pieces.push(piece);
      expect(Buffer.concat(pieces).toString()).toBe('a@b.test\n');
    }
    const big = { name: 'big.csv', size: 10_000_001, stream: () => new ReadableStream() };
    expect((await start({ source: { file: big } })).data?.startBulkJob).toEqual({
      __typename: 'FileTooLargeError',
      code: 'FILE_TOO_LARGE',
      message: 'At most 10,000,000 octets are taken this way: use createUpload.',
    });
    expect(world.jobs.fake.started).toHaveLength(1);
  });

  test.each([
    ['a file that is text', { source: { file: 'list.csv' } }, /File: expected a file/],
    ['the id of a job as upload', { source: { uploadId: globalId('x') } }, /id of a Upload/],
    ['two sources', { source: { addresses: ['a'], uploadId: globalId('x', 'Upload') } }, /source/],
    ['a column of 1,001 characters', { column: 'c'.repeat(1_001) }, /column must have 1 to 1000/],
    ['a webhook without secret', { webhook: { url: 'https://a.test/' } }, /secret/],
    ['a webhook with no URL', { webhook: { url: 'nonsense', secret: 's' } }, /URL/],
  ])('%s is refused', async (_name, input, message) => {
    const { errors } = await start(input);
    expect(errors?.[0]?.message).toMatch(message);
    expect(world.jobs.fake.started).toEqual([]);
  });
});

describe('createUpload', () => {
  const create = (input: Record<string, unknown>) =>
    run(world.services, readOperation('CreateUpload'), { input });

  test('too large: the limit and its setting', async () => {
    world.uploads.fake.outcome = { kind: 'tooLarge', limitBytes: 1_073_741_824 };
    expect((await create({ sizeBytes: 2_000_000_000 })).data?.createUpload).toEqual({
      __typename: 'FileTooLargeError',
      code: 'FILE_TOO_LARGE',
      message: 'At most 1,073,741,824 octets are taken (RCPT_MAX_UPLOAD_BYTES).',
    });
  });

  test('a store in trouble', async () => {
    world.uploads.fake.outcome = { kind: 'storeTrouble' };
    expect((await create({})).data?.createUpload).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test.each([-1, 1.5, 2 ** 53, 'ten', null])('no count of octets: %j', async (sizeBytes) => {
    const { errors, data } = await create({ sizeBytes });
    if (sizeBytes === null) expect(data?.createUpload).toMatchObject({ __typename: 'Upload' });
    else expect(errors?.[0]?.message).toMatch(/ByteCount: expected a whole number/);
  });
});

describe('a job', () => {
  test('pausing and cancelling one that has ended names its state', async () => {
    const { id } = world.jobs.fake.create(1, null);
    world.jobs.fake.advance(id, 1);
    for (const [operation, field] of [
      ['PauseBulkJob', 'pauseBulkJob'],
      ['ResumeBulkJob', 'resumeBulkJob'],
      ['CancelBulkJob', 'cancelBulkJob'],
    ] as const) {
      const { data } = await run(
        world.services,
        readOperation('ControlBulkJob'),
        { id: globalId(id) },
        undefined,
        operation,
      );
      expect(data?.[field], operation).toMatchObject({
        code: 'INVALID_STATE',
        message: expect.stringContaining('COMPLETED'),
      });
    }
  });

  test('results by status, reason and search; the count has the same filter', async () => {
    const { id } = world.jobs.fake.create(20, null);
    world.jobs.fake.advance(id, 20);
    const { data } = await run(
      world.services,
      `query ($id: ID!) { bulkJob(id: $id) {
        a: results(first: 100, reason: [MAILBOX_NOT_FOUND], search: "user1") { totalCount edges { node { row } } }
        b: results(first: 1, status: []) { totalCount edges { cursor } }
      } }`,
      { id: globalId(id) },
    );
    expect(data?.bulkJob).toEqual({
      a: { totalCount: 5, edges: [10, 12, 14, 16, 18].map((row) => ({ node: { row } })) },
      b: { totalCount: 0, edges: [] },
    });
  });

  test('jobs by state and name', async () => {
    world.jobs.fake.create(1, 'spring');
    const { id } = world.jobs.fake.create(1, 'spring sale');
    world.jobs.fake.advance(id, 1);
    const names = async (conditions: string) => {
      const { data } = await run(
        world.services,
        `{ bulkJobs(first: 10, ${conditions}) { edges { node { name } } } }`,
      );
      return (
        (data as Record<string, unknown>).bulkJobs as { edges: { node: { name: string } }[] }
      ).edges.map(({ node }) => node.name);
    };
    expect(await names('search: "spring"')).toEqual(['spring sale', 'spring']);
    expect(await names('search: "spring", state: [COMPLETED]')).toEqual(['spring sale']);
    expect(await names('state: [PAUSED]')).toEqual([]);
  });

  test('a search of 255 characters, or of none, is refused', async () => {
    for (const search of ['', 's'.repeat(255)])
      expect(
        codesOf(
          await run(
            world.services,
            'query ($s: String) { bulkJobs(first: 1, search: $s) { edges { cursor } } }',
            {
              s: search,
            },
          ),
        ),
      ).toEqual(['BAD_INPUT']);
  });

  test('its webhook with what it was told, page by page; the secret is not in the schema', async () => {
    const { id } = world.jobs.fake.create(1, null);
    world.jobs.fake.change(id, { webhook: { url: 'https://hooks.test/in', tellsProgress: true } });
    const at = new Date('2030-01-01T00:00:00Z');
    for (const number of [3, 2, 1])
      world.jobs.fake.deliveries.push({
        id: `msg_${number}`,
        jobId: id,
        event: 'bulk_job.progressed',
        state: 'PENDING',
        createdAt: at,
        nextAttemptAt: at,
        attempts: [{ at, durationMs: 12.6, status: 503, error: 'It answered 503.' }],
      });
    const page = async (after: string | null) => {
      const { data, errors } = await run(
        world.services,
        `query ($id: ID!, $after: String) { bulkJob(id: $id) { webhook { url tellsProgress deliveries(first: 2, after: $after) {
          pageInfo { hasNextPage endCursor }
          edges { node { webhookId event state nextAttemptAt attempts { at status error durationMs } } }
        } } } }`,
        { id: globalId(id), after },
      );
      expect(errors).toBeUndefined();
      return (
        (data as Record<string, unknown>).bulkJob as {
          webhook: { deliveries: { pageInfo: { endCursor: string }; edges: unknown[] } };
        }
      ).webhook;
    };
    const first = await page(null);
    expect(first).toMatchObject({
      url: 'https://hooks.test/in',
      tellsProgress: true,
      deliveries: { pageInfo: { hasNextPage: true } },
    });
    expect(first.deliveries.edges[0]).toEqual({
      node: {
        webhookId: 'msg_3',
        event: 'PROGRESSED',
        state: 'PENDING',
        nextAttemptAt: '2030-01-01T00:00:00.000Z',
        attempts: [
          { at: '2030-01-01T00:00:00.000Z', status: 503, error: 'It answered 503.', durationMs: 13 },
        ],
      },
    });
    expect((await page(first.deliveries.pageInfo.endCursor)).deliveries).toMatchObject({
      pageInfo: { hasNextPage: false },
      edges: [{ node: { webhookId: 'msg_1' } }],
    });
  });

  test('its list as it came', async () => {
    const { id } = world.jobs.fake.create(1, null);
    world.jobs.fake.change(id, {
      list: { format: 'CSV', fileName: 'spring.csv', columns: ['Name', 'E-Mail'], addressColumn: 1 },
      maxAgeSeconds: 86_400,
      storedBytes: 5_000_000_000,
    });
    const fields = 'fileName format columns addressColumn maxAge storedBytes webhook { url }';
    const { data } = await run(world.services, `query ($id: ID!) { bulkJob(id: $id) { ${fields} } }`, {
      id: globalId(id),
    });
    expect(data?.bulkJob).toEqual({
      fileName: 'spring.csv',
      format: 'CSV',
      columns: ['Name', 'E-Mail'],
      addressColumn: 'E-Mail',
      maxAge: '1d',
      storedBytes: 5_000_000_000,
      webhook: null,
    });
  });
});

test('storage is read only when it is selected', async () => {
  await run(world.services, '{ gateway { version } }');
  expect(world.jobs.fake.storageReads).toBe(0);
  const { data } = await run(
    world.services,
    '{ gateway { storage { databaseBytes uploadBytes freeBytes } } }',
  );
  expect(data?.gateway).toEqual({
    storage: { databaseBytes: 5_000_000_000, uploadBytes: 12, freeBytes: null },
  });
  expect(world.jobs.fake.storageReads).toBe(1);
});
