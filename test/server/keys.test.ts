/** Who is let in, what each key opens, and whose the jobs are. */
import { beforeEach, describe, expect, test } from 'vitest';
import { codesOf } from '../graphql/run.ts';
import { createTestServer, get, post } from './gateway.ts';
import { bearer, openTestKeys, type TestKeys } from './keys.ts';

let keys: TestKeys;
beforeEach(async () => {
  keys = await openTestKeys();
});

const typename = { query: '{ __typename }' };
const origin = 'https://shop.test';

const open = (options: Parameters<typeof createTestServer>[0] = {}) =>
  createTestServer({ keys: keys.keys, ...options });

const answerOf = async (response: Response) => ({
  status: response.status,
  codes: codesOf((await response.clone().json()) as never),
  body: await response.text(),
});

describe('who asks', () => {
  test('without any key everybody is served', async () => {
    const { server } = open();
    expect((await post(server, typename)).status).toBe(200);
    expect((await post(server, typename, { authorization: 'Bearer whatever' })).status).toBe(200);
  });

  test('once a key was made, nobody is without one, not even when it is revoked', async () => {
    const { server } = open();
    const { text, id } = await keys.create();
    expect((await post(server, typename, bearer(text))).status).toBe(200);
    expect((await post(server, typename)).status).toBe(401);
    await keys.revoke(id);
    expect((await post(server, typename)).status).toBe(401);
  });

  test.each([
    ['no header', {}],
    ['an empty one', { authorization: '' }],
    ['no token', { authorization: 'Bearer' }],
    ['another scheme', { authorization: `Basic ${btoa('rcpt:rcpt')}` }],
    ['two tokens', { authorization: 'Bearer a b' }],
    ['two in one', { authorization: 'Bearer a, Bearer b' }],
    ['a token that is no key', { authorization: 'Bearer rcpt_sk_1' }],
    ['8 KB of it', { authorization: `Bearer ${'x'.repeat(8_000)}` }],
  ])('%s is refused with a code, before the document is looked at', async (_name, headers) => {
    const { server } = open();
    await keys.create();
    const response = await post(server, '{', headers as Record<string, string>);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="rcpt"');
    expect(response.headers.get('x-request-id')).toMatch(/-1$/);
    expect(await answerOf(response)).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
  });

  test('a key of somebody else, a revoked and an expired one', async () => {
    const { server } = open();
    const strangers = await (await openTestKeys()).create();
    const revoked = await keys.create();
    await keys.revoke(revoked.id);
    const expired = await keys.create({ expiresAt: new Date(Date.now() + 50) });
    while ((await post(server, typename, bearer(expired.text))).status === 200);
    for (const [text, word] of [
      [strangers.text, 'no such'],
      [revoked.text, 'revoked'],
      [expired.text, 'expired'],
    ] as const) {
      const { status, codes, body } = await answerOf(await post(server, typename, bearer(text)));
      expect([status, codes]).toEqual([401, ['UNAUTHENTICATED']]);
      expect(body).toContain(word);
      expect(body).not.toContain(text);
    }
  });

  test('the scheme is written in any case', async () => {
    const { server } = open();
    const { text } = await keys.create();
    for (const scheme of ['bearer', 'BEARER', 'Bearer '])
      expect((await post(server, typename, { authorization: `${scheme} ${text}` })).status).toBe(200);
  });

  test('the page, the health and links need none', async () => {
    const { server } = open();
    await keys.create();
    expect((await get(server, '/graphql', { accept: 'text/html' })).status).toBe(200);
    expect((await get(server, '/health')).status).toBe(200);
    expect((await get(server, '/graphql?query={__typename}')).status).toBe(401);
  });

  test('another name of the host is served once it asks for keys', async () => {
    const { server } = open();
    const named = { host: 'rcpt.example' };
    expect((await post(server, typename, named)).status).toBe(403);
    const { text } = await keys.create();
    expect((await post(server, typename, { ...named, ...bearer(text) })).status).toBe(200);
  });
});

describe('scopes', () => {
  const email =
    '{ email(address: "ada@mail.test") { verification { status } mailbox { phase transcript { text } } } }';
  const rows: readonly (readonly [string, string, string])[] = [
    ['Query.email', '{ email(address: "ada@mail.test") { address } }', 'verify'],
    [
      'Email.verification',
      `{ node(id: "${btoa('Email:ada@mail.test')}") { ... on Email { verification { status } } } }`,
      'verify',
    ],
    ['Query.emails', '{ emails(addresses: []) { address } }', 'verify'],
    ['Query.domain', '{ domain(name: "mail.test") { mx { preference } } }', 'verify'],
    ['Query.gateway', '{ gateway { version } }', 'verify'],
    ['Query.bulkJobs', '{ bulkJobs(first: 1) { edges { cursor } } }', 'bulk'],
    ['Query.bulkJob', '{ bulkJob(id: "x") { id } }', 'bulk'],
    ['Query.upload', '{ upload(id: "x") { id } }', 'bulk'],
    [
      'Mutation.startBulkJob',
      'mutation { startBulkJob(input: {source: {addresses: ["a@b.test"]}}) { __typename } }',
      'bulk',
    ],
    ['Mutation.createUpload', 'mutation { createUpload(input: {}) { __typename } }', 'bulk'],
    ['Mutation.pauseBulkJob', 'mutation { pauseBulkJob(id: "x") { __typename } }', 'bulk'],
    ['Mutation.deleteBulkJob', 'mutation { deleteBulkJob(id: "x") { __typename } }', 'bulk'],
    ['Gateway.lanes', '{ gateway { lanes(first: 1) { state } } }', 'admin'],
    ['Gateway.storage', '{ gateway { storage { databaseBytes } } }', 'admin'],
  ];

  test.each(rows)('%s', async (coordinate, query, scope) => {
    const { server } = open();
    for (const own of ['verify', 'bulk', 'admin'] as const) {
      const { text } = await keys.create({ scopes: [own] });
      const response = await post(server, { query }, bearer(text));
      const { errors = [] } = (await response.json()) as {
        errors?: { message: string; extensions: object }[];
      };
      if (own === scope || own === 'admin') {
        expect(errors.map(({ extensions }) => extensions)).not.toContainEqual(
          expect.objectContaining({ code: 'FORBIDDEN' }),
        );
        expect(response.status).toBe(200);
      } else {
        // The first that it lacks: of the gateway itself it has not even that.
        const told =
          own === 'bulk' && scope === 'admin'
            ? { scope: 'verify', coordinate: 'Query.gateway' }
            : { scope, coordinate };
        expect(response.status).toBe(403);
        expect(errors).toEqual([
          {
            message: expect.stringContaining(told.coordinate),
            extensions: { code: 'FORBIDDEN', ...told, requestId: expect.any(String) },
          },
        ]);
      }
    }
  });

  test('what is refused has touched nothing, the rest of its document included', async () => {
    const { server, world } = open();
    const { text } = await keys.create({ scopes: ['bulk'] });
    const query = `{ bulkJobs(first: 1) { edges { cursor } } ${email.slice(2)}`;
    const { status, body } = await answerOf(await post(server, { query }, bearer(text)));
    expect([status, JSON.parse(body).data]).toEqual([403, undefined]);
    expect(world.dns.asked).toEqual([]);
    expect(world.jobs.fake.reads).toBe(0);
  });

  test('what @skip leaves out is not asked for', async () => {
    const { server } = open();
    const { text } = await keys.create({ scopes: ['verify'] });
    const query =
      'query Q($no: Boolean!) { __typename bulkJobs(first: 1) @skip(if: $no) { edges { cursor } } }';
    const ask = async (no: boolean) =>
      (await post(server, { query, variables: { no } }, bearer(text))).status;
    expect([await ask(true), await ask(false), await ask(true)]).toEqual([200, 403, 200]);
  });

  test("node and the rate limit are every secret key's", async () => {
    const { server } = open();
    const { text } = await keys.create({ scopes: ['bulk'] });
    const query = `{ rateLimit { cost } node(id: "${btoa('Email:ada@mail.test')}") { id } nodes(ids: []) { id } }`;
    expect(await (await post(server, { query }, bearer(text))).json()).toMatchObject({
      data: { node: { id: expect.any(String) }, nodes: [] },
    });
  });

  test('fragments, aliases and abstract types hide nothing', async () => {
    const { server } = open();
    const { text } = await keys.create({ scopes: ['verify'] });
    for (const query of [
      '{ ...F } fragment F on Query { a: gateway { ... on Gateway { b: lanes(first: 1) { state } } } }',
      '{ node(id: "x") { ... on BulkJob { id } } gateway { ...G } } fragment G on Gateway { storage { freeBytes } }',
    ])
      expect((await post(server, { query }, bearer(text))).status).toBe(403);
  });
});

describe('publishable keys', () => {
  const verify =
    '{ email(address: "ada@mail.test") { syntax { isValid } verification { status } mailbox { phase } } }';
  const from = (text: string, page: string | null = origin) => ({
    ...bearer(text),
    ...(page === null ? {} : { origin: page }),
  });

  test('verify an address for the pages of their origins', async () => {
    const { server } = open();
    const { text } = await keys.create({ origins: [origin] });
    const response = await post(server, { query: verify }, from(text));
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('vary')).toContain('Origin');
    expect(await response.json()).toMatchObject({
      data: { email: { verification: { status: 'DELIVERABLE' }, mailbox: { phase: 'RCPT_TO' } } },
    });
  });

  test.each([
    ['{ __schema { types { name } } }', 'Query.__schema'],
    ['{ ... { t: __type(name: "Email") { name } } }', 'Query.__type'],
  ])('%s, which costs no points and much time, is for secret keys', async (query, coordinate) => {
    const { server } = open();
    const publishable = await keys.create({ origins: [origin] });
    const refused = await post(server, { query }, from(publishable.text));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN', coordinate } }],
    });
    const secret = await keys.create();
    expect(await (await post(server, { query }, bearer(secret.text))).json()).not.toHaveProperty('errors');
    expect(
      await (await post(server, { query: '{ __typename }' }, from(publishable.text))).json(),
    ).toMatchObject({ data: { __typename: 'Query' } });
  });

  test.each([
    ['a page of another origin', 'https://thief.test', 403, 'CROSS_ORIGIN'],
    ['a page of our own', 'http://127.0.0.1:4000', 403, 'ORIGIN_NOT_ALLOWED'],
    ['the page of another key', 'https://other.test', 403, 'ORIGIN_NOT_ALLOWED'],
    ['the origin with a port', `${origin}:8443`, 403, 'CROSS_ORIGIN'],
    ['an opaque origin', 'null', 403, 'CROSS_ORIGIN'],
    ['no browser at all', null, 403, 'ORIGIN_NOT_ALLOWED'],
  ])('stolen, by %s, they open nothing', async (_name, page, status, code) => {
    const { server, world } = open();
    const { text } = await keys.create({ origins: [origin] });
    await keys.create({ origins: ['https://other.test'] });
    const answer = await answerOf(await post(server, { query: verify }, from(text, page)));
    expect(answer).toMatchObject({ status, codes: [code] });
    expect(world.dns.asked).toEqual([]);
  });

  test('a secret key is no use to a page that nobody named', async () => {
    const { server } = open();
    const { text } = await keys.create();
    expect(await answerOf(await post(server, typename, from(text, 'https://thief.test')))).toMatchObject({
      status: 403,
      codes: ['CROSS_ORIGIN'],
    });
  });

  test.each([
    '{ email(address: "a@mail.test") { mailbox { transcript { text } } } }',
    '{ email(address: "a@mail.test") { domain { mx { preference } } } }',
    '{ email(address: "a@mail.test") { domain { catchAll { answer } } } }',
    '{ emails(addresses: ["a@mail.test"]) { address } }',
    '{ domain(name: "mail.test") { name } }',
    '{ node(id: "x") { id } }',
    '{ bulkJobs(first: 1) { edges { cursor } } }',
    '{ gateway { version } }',
    'mutation { createUpload(input: {}) { __typename } }',
  ])('%s is not for them', async (query) => {
    const { server, world } = open();
    const { text } = await keys.create({ origins: [origin] });
    expect(await answerOf(await post(server, { query }, from(text)))).toMatchObject({
      status: 403,
      codes: ['FORBIDDEN'],
    });
    expect(world.dns.asked).toEqual([]);
  });

  test('what is known of a name without asking is', async () => {
    const { server } = open();
    const { text } = await keys.create({ origins: [origin] });
    const query =
      '{ email(address: "a@gmail.com") { suggestion domain { name isFree isDisposable } } rateLimit { cost } }';
    expect((await post(server, { query }, from(text))).status).toBe(200);
  });

  test('may be held to documents that the operator keeps', async () => {
    const known = '{ email(address: "ada@mail.test") { address } }';
    const { hashDocument } = await import('../../src/server/persisted.ts');
    const persistedOperations = new Map([[hashDocument(known), known]]);
    const { server } = open({ documents: { persistedOperations } });
    const held = await keys.create({ origins: [origin], isPersistedOnly: true });
    const free = await keys.create({ origins: [origin] });
    const ask = async (text: string, body: object) => answerOf(await post(server, body, from(text)));
    const byHash = { extensions: { persistedQuery: { version: 1, sha256Hash: hashDocument(known) } } };
    expect(await ask(held.text, { query: known })).toMatchObject({ status: 200 });
    expect(await ask(held.text, byHash)).toMatchObject({ status: 200 });
    expect(await ask(held.text, { query: verify })).toMatchObject({ status: 403, codes: ['PERSISTED_ONLY'] });
    expect(await ask(free.text, { query: verify })).toMatchObject({ status: 200 });
  });
});
