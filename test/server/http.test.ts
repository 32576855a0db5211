import { describe, expect, test } from 'vitest';
import { createTestServer, get, post } from './gateway.ts';

const version = '{ gateway { version isSandbox } }';
const codes = (body: { errors?: { extensions?: { code?: string } }[] }) =>
  body.errors?.map(({ extensions }) => extensions?.code);

describe('a query', () => {
  test('by POST', async () => {
    const response = await post(createTestServer().server, { query: version });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      data: { gateway: { version: '1.2.3', isSandbox: false } },
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{8}-1$/);
    expect(response.headers.get('x-rcpt-simulated')).toBeNull();
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('by GET', async () => {
    const response = await get(createTestServer().server, `/graphql?query=${encodeURIComponent(version)}`, {
      accept: 'application/json',
    });
    expect(await response.json()).toMatchObject({ data: { gateway: { version: '1.2.3' } } });
  });

  test('in the sandbox, everything says so', async () => {
    const { server } = createTestServer({ isSandbox: true });
    const answered = await post(server, { query: version });
    expect(answered.headers.get('x-rcpt-simulated')).toBe('true');
    expect(await answered.json()).toMatchObject({ data: {}, extensions: { simulated: true } });
    const invalid = await post(server, { query: '{ nothing }' });
    expect(await invalid.json()).toMatchObject({ extensions: { simulated: true } });
    const missing = await get(server, '/nothing');
    expect(missing.headers.get('x-rcpt-simulated')).toBe('true');
  });
});

const bodies: readonly (readonly [name: string, body: unknown, status: number, code: string])[] = [
  ['malformed JSON', '{"query": ', 400, 'BAD_REQUEST'],
  ['JSON that is no object', '"query"', 400, 'BAD_REQUEST'],
  ['no query', {}, 200, 'BAD_REQUEST'],
  ['an empty body', '', 400, 'BAD_REQUEST'],
  ['a document that does not parse', { query: '{ gateway' }, 200, 'GRAPHQL_PARSE_FAILED'],
  ['a field that is not there', { query: '{ nothing }' }, 200, 'VALIDATION_FAILED'],
  [
    'a variable of the wrong type',
    { query: 'query ($n: Int!) { bulkJobs(first: $n) { edges { cursor } } }', variables: { n: 'x' } },
    400,
    'BAD_INPUT',
  ],
  [
    'two operations and no name',
    { query: 'query A { gateway { version } } query B { gateway { version } }' },
    400,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    'an operation name that is not there',
    { query: 'query A { gateway { version } }', operationName: 'B' },
    400,
    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    '3,000 aliases',
    { query: `{ ${Array.from({ length: 3_000 }, (_, i) => `a${i}: __typename`).join(' ')} }` },
    200,
    'TOO_MANY_TOKENS',
  ],
  ['a batch', [{ query: version }], 400, 'BATCHING_UNSUPPORTED'],
  ['an empty batch', [], 400, 'BATCHING_UNSUPPORTED'],
];

describe('a request that is wrong', () => {
  test.each(bodies)('%s', async (_name, body, status, code) => {
    const { server, logged } = createTestServer();
    const response = await post(server, body, { accept: 'application/json' });
    const answer = (await response.json()) as {
      errors: { extensions: { code: string; requestId: string } }[];
    };
    expect([response.status, codes(answer)]).toEqual([status, [code]]);
    expect(answer.errors[0]?.extensions.requestId).toBe(response.headers.get('x-request-id'));
    expect(logged).toEqual([]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/graphql', ''])(
    'content of type %j, as a form of any page can send it',
    async (type) => {
      const response = await post(createTestServer().server, { query: version }, { 'content-type': type });
      expect([response.status, codes((await response.json()) as never)]).toEqual([
        415,
        ['UNSUPPORTED_MEDIA_TYPE'],
      ]);
    },
  );

  test('JSON with a charset is JSON', async () => {
    const response = await post(
      createTestServer().server,
      { query: version },
      { 'content-type': 'application/json; charset=utf-8' },
    );
    expect(response.status).toBe(200);
  });

  test('a mutation by GET', async () => {
    const { server, world } = createTestServer();
    const query = 'mutation { startBulkJob(input: { source: { addresses: ["a"] } }) { __typename } }';
    const response = await get(server, `/graphql?query=${encodeURIComponent(query)}`, {
      accept: 'application/json',
    });
    expect([response.status, codes((await response.json()) as never)]).toEqual([405, ['BAD_REQUEST']]);
    expect(
      (await world.services.jobs.list({ limit: 1, afterId: null, owner: null, states: null, search: null }))
        .items,
    ).toEqual([]);
  });

  test('a path that is not there', async () => {
    const response = await get(createTestServer().server, '/nothing');
    expect([response.status, codes((await response.json()) as never)]).toEqual([404, ['NOT_FOUND']]);
  });
});

describe('strangers', () => {
  test.each([
    ['a name that resolves to loopback', { host: 'evil.example:4000' }, 'HOST_NOT_ALLOWED'],
    ['a name that looks like loopback', { host: '127.0.0.1.evil.example' }, 'HOST_NOT_ALLOWED'],
    ['a page of another origin', { origin: 'https://evil.example' }, 'CROSS_ORIGIN'],
    ['a page of another port', { origin: 'http://127.0.0.1:9999' }, 'CROSS_ORIGIN'],
    ['a page without origin', { origin: 'null' }, 'CROSS_ORIGIN'],
    ['an image on another site', { 'sec-fetch-site': 'cross-site' }, 'CROSS_ORIGIN'],
    ['a sister site', { 'sec-fetch-site': 'same-site' }, 'CROSS_ORIGIN'],
  ])('%s', async (_name, headers, code) => {
    const { server, world } = createTestServer();
    const query = '{ email(address: "ada@mail.test") { verification { status } } }';
    const posted = await post(server, { query }, headers as never);
    expect([posted.status, codes((await posted.json()) as never)]).toEqual([403, [code]]);
    const got = await get(server, `/graphql?query=${encodeURIComponent(query)}`, {
      accept: '*/*',
      ...(headers as never as Record<string, string>),
    });
    expect(got.status).toBe(403);
    expect(world.prober.probed).toEqual([]);
  });

  test.each([
    { host: 'localhost:4000' },
    { host: '127.0.0.1:4000' },
    { host: '127.9.9.9' },
    { host: '[::1]:4000' },
    { host: 'rcpt.localhost:4000' },
    { host: 'localhost:4000', origin: 'http://localhost:4000' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('not a stranger: %j', async (headers) => {
    expect((await post(createTestServer().server, { query: version }, headers as never)).status).toBe(200);
  });

  test('bound to the outside, the name is not ours to know', async () => {
    const { server } = createTestServer({ host: '0.0.0.0' });
    expect((await post(server, { query: version }, { host: 'rcpt.example' })).status).toBe(200);
    expect(
      (await post(server, { query: version }, { host: 'rcpt.example', origin: 'https://evil.example' }))
        .status,
    ).toBe(403);
  });
});

describe('a fault of ours', () => {
  const boom = () => {
    throw new Error('the table ada@mail.test is on fire');
  };

  test('is INTERNAL to the client and told to the log, under one request id', async () => {
    const { world, ...first } = createTestServer();
    const { server, logged } = createTestServer({
      services: { ...world.services, jobs: { ...world.services.jobs, list: boom } },
    });
    first.logged.length = 0;
    const response = await post(server, {
      query: '{ gateway { version } bulkJobs(first: 1) { edges { cursor } } }',
    });
    const requestId = response.headers.get('x-request-id');
    const text = await response.text();
    expect(text).not.toMatch(/fire|at .*\.ts/);
    expect(JSON.parse(text)).toMatchObject({
      errors: [{ path: ['bulkJobs'], extensions: { code: 'INTERNAL', requestId } }],
    });
    expect(logged).toMatchObject([
      { event: 'request failed', details: { requestId, name: 'Error', path: ['bulkJobs'] } },
    ]);
  });

  test('no variable, document or address is in the log', async () => {
    const { world } = createTestServer();
    const { server, logged } = createTestServer({
      services: {
        ...world.services,
        verifier: { ...world.services.verifier, verify: async () => Promise.reject(new TypeError('bug')) },
      },
    });
    await post(server, {
      query: 'query ($a: String!) { email(address: $a) { verification { status } } }',
      variables: { a: 'ada@mail.test' },
    });
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).not.toMatch(/ada@mail|query/);
  });
});

describe('what is not GraphQL', () => {
  test('health', async () => {
    const { server } = createTestServer();
    expect(await (await get(server, '/health')).json()).toEqual({ status: 'ready' });
    expect((await get(server, '/health/live')).status).toBe(200);
    await server.close();
    const closing = await get(server, '/health/ready');
    expect([closing.status, await closing.json()]).toEqual([503, { status: 'closing' }]);
  });

  test('the root leads to GraphiQL', async () => {
    const response = await get(createTestServer().server, '/');
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
  });
});
