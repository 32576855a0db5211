import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeWorld, type FakeWorld } from './fakes.ts';
import { codesOf, readOperation, run, watch } from './run.ts';

let world: FakeWorld;
beforeEach(() => {
  world = createFakeWorld();
});

const id = (type: string, key: string) => Buffer.from(`${type}:${key}`).toString('base64url');
const noJob = '00000000-0000-4000-8000-000000000000';
const many = (count: number) => Array.from({ length: count }, (_, index) => `u${index}@mail.test`);

type Row = readonly [
  name: string,
  source: string,
  variables: Record<string, unknown>,
  code: string,
  extensions: Record<string, unknown>,
];

const refused: readonly Row[] = [
  [
    '101 addresses',
    readOperation('VerifyEmails'),
    { addresses: many(101) },
    'TOO_MANY_ADDRESSES',
    { limit: 100 },
  ],
  [
    "another type's id for a job",
    'query ($id: ID!) { bulkJob(id: $id) { id } }',
    { id: id('Email', 'ada@mail.test') },
    'BAD_ID',
    { expectedType: 'BulkJob', actualType: 'Email' },
  ],
  [
    "another type's id to cancel",
    'mutation ($id: ID!) { cancelBulkJob(id: $id) { __typename } }',
    { id: id('Domain', 'mail.test') },
    'BAD_ID',
    { actualType: 'Domain' },
  ],
  [
    'an id of no type of ours',
    'query ($id: ID!) { node(id: $id) { id } }',
    { id: id('Sms', '1') },
    'BAD_ID',
    {},
  ],
  [
    'an id that is noise',
    'query ($id: ID!) { node(id: $id) { id } }',
    { id: '%%%' },
    'BAD_ID',
    { id: '%%%' },
  ],
  ['an empty id', 'query ($id: ID!) { node(id: $id) { id } }', { id: '' }, 'BAD_ID', {}],
  [
    'an id of 100,000 characters',
    'query ($id: ID!) { node(id: $id) { id } }',
    { id: 'A'.repeat(100_000) },
    'BAD_ID',
    { id: 'A'.repeat(100) },
  ],
  [
    '101 ids',
    'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    { ids: Array(101).fill(id('Domain', 'mail.test')) },
    'TOO_MANY_IDS',
    { limit: 100 },
  ],
  [
    'a page of none',
    '{ bulkJobs(first: 0) { pageInfo { endCursor } } }',
    {},
    'BAD_PAGE_SIZE',
    { argument: 'first' },
  ],
  [
    'a page of 101',
    '{ bulkJobs(first: 101) { pageInfo { endCursor } } }',
    {},
    'BAD_PAGE_SIZE',
    { limit: 100 },
  ],
  [
    'a negative page',
    '{ gateway { lanes(first: -1) { state } } }',
    {},
    'BAD_PAGE_SIZE',
    { argument: 'first' },
  ],
  [
    'a cursor that is noise',
    '{ bulkJobs(first: 1, after: "x") { pageInfo { endCursor } } }',
    {},
    'BAD_CURSOR',
    { argument: 'after', cursor: 'x' },
  ],
  [
    "another list's cursor",
    'query ($after: String) { bulkJobs(first: 1, after: $after) { pageInfo { endCursor } } }',
    { after: id('results', '7') },
    'BAD_CURSOR',
    {},
  ],
  [
    'a cursor with SQL in it',
    'query ($after: String) { bulkJobs(first: 1, after: $after) { pageInfo { endCursor } } }',
    { after: id('bulkJobs', "' OR 1=1 --") },
    'BAD_CURSOR',
    {},
  ],
  ['no domain', readOperation('DomainProfile'), { name: 'not a domain' }, 'BAD_DOMAIN', { argument: 'name' }],
  ['no host', '{ mailExchange(host: "not a host") { id } }', {}, 'BAD_DOMAIN', { argument: 'host' }],
  [
    'a name of 201 characters',
    readOperation('StartBulkJob'),
    { input: { name: 'n'.repeat(201), source: { addresses: ['a'] } } },
    'BAD_INPUT',
    { argument: 'name', limit: 200 },
  ],
  [
    'an empty idempotency key',
    readOperation('StartBulkJob'),
    { input: { idempotencyKey: '', source: { addresses: ['a'] } } },
    'BAD_INPUT',
    { argument: 'idempotencyKey' },
  ],
];

describe('what the caller can mend is refused with a code and the detail', () => {
  test.each(refused)('%s', async (_name, source, variables, code, extensions) => {
    const result = await run(world.services, source, variables);
    expect(codesOf(result)).toEqual([code]);
    expect(result.errors?.[0]?.extensions).toMatchObject(extensions);
    expect([world.dns.queriesSent, world.prober.stats.commandsSent]).toEqual([0, 0]);
  });

  test('100 addresses are fine', async () => {
    const { errors } = await run(world.services, readOperation('VerifyEmails'), { addresses: many(100) });
    expect(errors).toBeUndefined();
  });

  test('aliases do not get past the ceiling of one operation', async () => {
    const aliases = many(250).map(
      (address, index) => `a${index}: email(address: "${address}") { verification { status } }`,
    );
    const result = await run(world.services, `{ ${aliases.join('\n')} }`);
    expect(new Set(codesOf(result))).toEqual(new Set(['TOO_MANY_ADDRESSES']));
    expect(result.errors).toHaveLength(50);
    expect(world.prober.probed).toHaveLength(200);
  });

  test('nor past the ceiling of exchanges that are greeted', async () => {
    const aliases = Array.from(
      { length: 25 },
      (_, index) => `x${index}: mailExchange(host: "mx${index}.mail.test") { host greeting { banner } }`,
    );
    const result = await run(world.services, `{ ${aliases.join('\n')} }`);
    expect(new Set(codesOf(result))).toEqual(new Set(['TOO_MANY_EXCHANGES']));
    expect(result.errors).toHaveLength(5);
    expect(result.data).toMatchObject({ x24: { host: 'mx24.mail.test', greeting: null } });
    expect(world.prober.stats.sessionsOpened).toBe(20);
  });

  test.each(['5 apples', '', '-1s', '1y', 'P1M', '999999999999d', '101w1', 'PT'])(
    'no duration: %j',
    async (maxAge) => {
      const result = await run(world.services, readOperation('VerifyEmail'), {
        address: 'ada@mail.test',
        maxAge,
      });
      expect(result.errors?.[0]?.message).toMatch(/Duration: expected text such as/);
      expect(world.prober.probed).toEqual([]);
    },
  );

  test.each(['7d', '15m', '90s', 'PT1H', 'P1D', '0s'])('a duration: %j', async (maxAge) => {
    const { errors } = await run(world.services, readOperation('VerifyEmail'), {
      address: 'ada@mail.test',
      maxAge,
    });
    expect(errors).toBeUndefined();
  });

  test('two sources, or none, is no source', async () => {
    for (const source of [{}, { addresses: null }])
      expect(
        (await run(world.services, readOperation('StartBulkJob'), { input: { source } })).errors,
      ).toHaveLength(1);
  });
});

describe('what is not there is null', () => {
  test.each([
    ['bulkJob', 'query ($id: ID!) { found: bulkJob(id: $id) { id } }'],
    ['node', 'query ($id: ID!) { found: node(id: $id) { id } }'],
  ])('%s', async (_name, source) => {
    expect(await run(world.services, source, { id: id('BulkJob', noJob) })).toEqual({
      data: { found: null },
    });
  });

  test('nodes: in order, null between the others', async () => {
    const { id: key } = world.jobs.fake.create(1, 'list');
    const ids = [
      id('BulkJob', noJob),
      id('BulkJob', key),
      id('Email', 'ada@mail.test'),
      id('Domain', 'mail.test'),
      id('MailExchange', 'mx1.mail.test'),
    ];
    const { data, errors } = await run(
      world.services,
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on BulkJob { title: name } ... on Email { address } ... on Domain { name } } }',
      { ids },
    );
    expect(errors).toBeUndefined();
    expect(data?.nodes).toEqual([
      null,
      { __typename: 'BulkJob', id: ids[1], title: 'list' },
      { __typename: 'Email', id: ids[2], address: 'ada@mail.test' },
      { __typename: 'Domain', id: ids[3], name: 'mail.test' },
      { __typename: 'MailExchange', id: ids[4] },
    ]);
  });
});

describe('texts that want to be addresses', () => {
  const control = [
    '',
    ' ',
    '\r\n',
    'a\0b@mail.test',
    '\ud800@mail.test',
    'a\u202eb@mail.test',
    'a@b\rDATA',
    '@',
  ];
  test.each(control)('%j is a result', async (address) => {
    const { data, errors } = await run(world.services, readOperation('VerifyEmail'), { address });
    expect(errors).toBeUndefined();
    expect(data?.email).toMatchObject({ address, syntax: { isValid: false }, mailbox: null });
    expect(world.dns.queriesSent).toBe(0);
  });

  test('10 MB come back as 1,000 characters', async () => {
    const address = `${'a'.repeat(10_000_000)}@mail.test`;
    const { data } = await run(world.services, readOperation('SyntaxOnly'), { address });
    expect(data?.email).toMatchObject({
      address: 'a'.repeat(1_000),
      syntax: { isValid: false, problem: { code: 'TOO_LONG' } },
    });
  });
});

describe('what a mutation refuses is data', () => {
  const start = async (input: Record<string, unknown>) =>
    (await run(world.services, readOperation('StartBulkJob'), { input })).data?.startBulkJob as Record<
      string,
      unknown
    >;

  test('an empty list', async () => {
    expect(await start({ source: { addresses: [] } })).toEqual({
      __typename: 'EmptyListError',
      message: 'The list has no row.',
      code: 'EMPTY_LIST',
    });
  });

  test('10,001 addresses, and the limit is named', async () => {
    expect(await start({ source: { addresses: Array(10_001).fill('a') } })).toMatchObject({
      __typename: 'TooManyAddressesError',
      code: 'TOO_MANY_ADDRESSES',
      message: 'At most 10,000 addresses are taken this way: give them as a file.',
    });
    expect(await start({ source: { addresses: Array(10_000).fill('a') } })).toMatchObject({
      __typename: 'BulkJob',
    });
  });

  test('an idempotency key: the same input gives the same job, another input an error', async () => {
    const input = { name: 'a', idempotencyKey: 'k1', source: { addresses: ['ada@mail.test'] } };
    const first = await start(input);
    expect(first).toMatchObject({ __typename: 'BulkJob' });
    expect(await start(input)).toMatchObject({ id: first.id });
    expect(await start({ ...input, source: { addresses: ['bob@mail.test'] } })).toMatchObject({
      __typename: 'IdempotencyConflictError',
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  test('cancel: the job, and not found', async () => {
    const source = `mutation ($id: ID!) { cancelBulkJob(id: $id) {
      __typename ... on BulkJob { state } ... on Error { message code }
    } }`;
    const { id: key } = world.jobs.fake.create(3, null);
    expect((await run(world.services, source, { id: id('BulkJob', key) })).data).toEqual({
      cancelBulkJob: { __typename: 'BulkJob', state: 'CANCELLED' },
    });
    expect((await run(world.services, source, { id: id('BulkJob', noJob) })).data).toMatchObject({
      cancelBulkJob: { __typename: 'NotFoundError', code: 'NOT_FOUND' },
    });
  });
});

describe('subscribing', () => {
  test.each([
    ['a job that is not there', id('BulkJob', noJob), 'NOT_FOUND'],
    ["another type's id", id('Email', 'ada@mail.test'), 'BAD_ID'],
  ])('%s is refused at once', async (_name, value, code) => {
    const refusal = await watch(world.services, readOperation('BulkJobProgress'), { id: value });
    if (Symbol.asyncIterator in refusal) throw new Error('was not refused');
    expect(codesOf(refusal)).toEqual([code]);
  });
});
