/** Apollo's multipart subscription protocol, octet by octet; the client itself is in `test/clients`. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ServerOptions } from '../../src/server/index.ts';
import { readOperation } from '../graphql/run.ts';
import { createTestServer, until } from './gateway.ts';
import { readParts } from './parts.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const open = async (options: Partial<ServerOptions> = {}) => {
  const { server, world, logged } = createTestServer(options);
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { server, url: `${url}/graphql`, jobs: world.jobs.fake, world, logged };
};

const query = readOperation('BulkJobProgress');
const globalId = (id: string) => Buffer.from(`BulkJob:${id}`).toString('base64url');
/** Apollo Client's, with what Relay's and others write otherwise below. */
const apollo =
  'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9';

const subscribe = (url: string, id: string, accept = apollo, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables: { id: globalId(id) } }),
    ...init,
  });

type Part = {
  readonly payload?: {
    readonly data?: { readonly bulkJobProgress: { readonly progress: { readonly settled: number } } };
  };
};
const settledIn = (part: unknown) => (part as Part).payload?.data?.bulkJobProgress.progress.settled;

describe('multipart subscriptions', () => {
  test.each([
    apollo,
    'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    'multipart/mixed; subscriptionSpec=1.0; boundary=graphql, application/json',
    'application/json, multipart/mixed;SUBSCRIPTIONSPEC="1.0"',
  ])('Accept: %s', async (accept) => {
    const { url, jobs } = await open();
    const { id } = jobs.create(4, null);
    const response = await subscribe(url, id, accept);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    ]);
    const parts = readParts(response);
    expect(settledIn((await parts.next()).value)).toBe(0);
    jobs.advance(id, 1);
    expect(settledIn((await parts.next()).value)).toBe(1);
    jobs.advance(id, 3);
    expect(settledIn((await parts.next()).value)).toBe(4);
    expect((await parts.next()).done).toBe(true);
    expect(jobs.watching).toBe(0);
  });

  test('the octets: every part is closed at once, and the last by two dashes more', async () => {
    const { url, jobs } = await open();
    const { id } = jobs.create(1, null);
    jobs.advance(id, 1);
    const text = await (await subscribe(url, id)).text();
    expect(text).toMatch(
      /^\r\n--graphql\r\nContent-Type: application\/json; charset=utf-8\r\n\r\n\{"payload":\{"data":.+\}\}\r\n--graphql--\r\n$/,
    );
  });

  test('heartbeats while nothing happens', async () => {
    const { url, jobs } = await open({ timeouts: { heartbeatMs: 20 } });
    const { id } = jobs.create(1, null);
    const parts = readParts(await subscribe(url, id));
    expect(settledIn((await parts.next()).value)).toBe(0);
    expect((await parts.next()).value).toEqual({});
    expect((await parts.next()).value).toEqual({});
    jobs.advance(id, 1);
    let last: unknown = {};
    for await (const part of parts) last = part;
    expect(settledIn(last)).toBe(1);
  });

  test('the sandbox says in each part that it is simulated', async () => {
    const { url, jobs } = await open({ isSandbox: true });
    const { id } = jobs.create(1, null);
    jobs.advance(id, 1);
    const { value } = await readParts(await subscribe(url, id)).next();
    expect(value).toMatchObject({ payload: { extensions: { simulated: true } } });
  });

  const absent = '00000000-0000-4000-8000-000000000000';
  test('a refusal is plain JSON to a client that takes it', async () => {
    const { url } = await open();
    const response = await subscribe(url, absent);
    expect(response.headers.get('content-type')).toMatch(/^application\/(?:graphql-response\+)?json/);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  test.each([
    ['a job that is not there', query, 'NOT_FOUND'],
    ['a field that is not there', 'subscription { nothing }', 'VALIDATION_FAILED'],
    ['a document that does not parse', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
  ])('a refusal in one part to a client that takes nothing else: %s', async (_name, document, code) => {
    const { url } = await open();
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0',
      },
      body: JSON.stringify({ query: document, variables: { id: globalId(absent) } }),
    });
    expect(response.status).toBe(200);
    const parts = readParts(response);
    expect((await parts.next()).value).toEqual({
      payload: {
        data: null,
        errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
      },
    });
    expect((await parts.next()).done).toBe(true);
  });

  test('a fault of ours while it runs is masked, and the stream goes on or ends in order', async () => {
    const { url, world, logged } = await open();
    const { id } = world.jobs.fake.create(2, null);
    Object.assign(world.services.jobs, {
      watch: async () =>
        (async function* () {
          yield {
            job: await world.services.jobs.read(id),
            progress: {
              get total() {
                throw new Error('on fire');
              },
            },
          };
        })(),
    });
    const text = await (await subscribe(url, id)).text();
    expect(text).toContain('"code":"INTERNAL"');
    expect(text).not.toMatch(/on fire|unexpected/);
    expect(text).toMatch(/--graphql--\r\n$/);
    expect(logged.length).toBeGreaterThan(0);
  });

  test('a query is answered as ever', async () => {
    const { url } = await open();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: apollo },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('closing: an error of the transport, which clients retry, and the last boundary', async () => {
    const { server, url, jobs } = await open();
    const { id } = jobs.create(2, null);
    const parts = readParts(await subscribe(url, id));
    await parts.next();
    const startedAt = Date.now();
    await server.close();
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    expect((await parts.next()).value).toMatchObject({
      payload: null,
      errors: [{ extensions: { code: 'GATEWAY_CLOSING' } }],
    });
    expect((await parts.next()).done).toBe(true);
    expect(jobs.watching).toBe(0);
  });

  test('ten clients that vanish leave nothing behind', async () => {
    const { url, jobs } = await open({ timeouts: { heartbeatMs: 20 } });
    const { id } = jobs.create(10, null);
    const hangUp = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => subscribe(url, id, apollo, { signal: hangUp.signal })),
    );
    await Promise.all(responses.map((response) => readParts(response).next()));
    expect(jobs.watching).toBe(10);
    hangUp.abort();
    await until(() => jobs.watching === 0);
  });
});
