/** What operations cost whoever pays, and what happens when there is nothing left. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localBuckets } from '../../src/keys/index.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { createTestServer, post } from './gateway.ts';
import { bearer, openTestKeys, type TestKeys } from './keys.ts';

let keys: TestKeys;
let at = 0;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  keys = await openTestKeys();
  at = 0;
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Buckets on a clock that stands until a test moves it. */
const open = (options: Partial<ServerOptions> = {}) =>
  createTestServer({ keys: keys.keys, buckets: localBuckets(() => at), ...options });

type Answer = {
  readonly data?: Record<string, never>;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
  readonly extensions?: {
    readonly cost: {
      readonly requestedQueryCost: number;
      readonly actualQueryCost: number | null;
      readonly throttleStatus: Record<string, number> | null;
    };
  };
};
const read = async (response: Response): Promise<Answer> => (await response.json()) as Answer;

const verify = (address: string, maxAge?: string) => ({
  query: `query ($address: String!, $maxAge: Duration) { email(address: $address) { verification(maxAge: $maxAge) { status } } }`,
  variables: { address, ...(maxAge === undefined ? {} : { maxAge }) },
});
const rateHeaders = ({ headers }: Response) =>
  Object.fromEntries(
    ['limit', 'remaining', 'reset', 'policy'].map((name) => [name, headers.get(`ratelimit-${name}`)]),
  );

describe('what an operation costs', () => {
  test('is told of every result, whoever asks', async () => {
    const { server } = open();
    const { extensions } = await read(await post(server, verify('ada@mail.test')));
    expect(extensions?.cost).toEqual({ requestedQueryCost: 21, actualQueryCost: 21, throttleStatus: null });
  });

  test('is what was asked: what is remembered is free, and comes back', async () => {
    const { server } = open();
    const { text } = await keys.create({ pointsPerMinute: 600 });
    const ask = async () =>
      (await read(await post(server, verify('ada@mail.test'), bearer(text)))).extensions?.cost;
    const status = { maximumAvailable: 600, restoreRate: 10 };
    expect(await ask()).toEqual({
      requestedQueryCost: 21,
      actualQueryCost: 21,
      throttleStatus: { ...status, currentlyAvailable: 579 },
    });
    for (const currentlyAvailable of [578, 577, 576])
      expect(await ask()).toEqual({
        requestedQueryCost: 21,
        actualQueryCost: 1,
        throttleStatus: { ...status, currentlyAvailable },
      });
  });

  test.each([
    ['no address', verify('nobody'), 21, 1],
    ['a domain that DNS decides', verify('a@nowhere.test'), 21, 3],
    [
      'one asking for two fields',
      { query: '{ email(address: "bob@mail.test") { verification { status } mailbox { phase } } }' },
      41,
      21,
    ],
    [
      'one name of two fields',
      { query: '{ email(address: "bob@mail.test") { domain { mx { preference } acceptsMail } } }' },
      6,
      4,
    ],
    [
      'an alias of the same address',
      {
        query:
          '{ a: email(address: "eve@mail.test") { verification { score } } b: email(address: "eve@mail.test") { verification { score } } }',
      },
      42,
      22,
    ],
    ['nothing that asks', { query: '{ email(address: "a@mail.test") { normalized } }' }, 1, 1],
  ])('%s', async (_name, body, requestedQueryCost, actualQueryCost) => {
    const { server } = open();
    const { text } = await keys.create();
    const { errors, extensions } = await read(await post(server, body, bearer(text)));
    expect(errors).toBeUndefined();
    expect(extensions?.cost).toMatchObject({ requestedQueryCost, actualQueryCost });
  });

  test('is told by the field and by headers, of each key its own', async () => {
    const { server } = open();
    const one = await keys.create({ pointsPerMinute: 60 });
    const two = await keys.create({ pointsPerMinute: 120 });
    const body = { query: '{ rateLimit { limit remaining cost resetAt } }' };
    const first = await post(server, body, bearer(one.text));
    expect(rateHeaders(first)).toEqual({ limit: '60', remaining: '59', reset: '1', policy: '60;w=60' });
    expect((await read(first)).data?.rateLimit).toMatchObject({ limit: 60, remaining: 59, cost: 1 });
    const again = await post(server, body, bearer(one.text));
    expect(rateHeaders(again)).toMatchObject({ remaining: '58', reset: '2' });
    const other = await post(server, body, bearer(two.text));
    expect(rateHeaders(other)).toEqual({ limit: '120', remaining: '119', reset: '1', policy: '120;w=60' });
  });

  test('where nothing is limited there are no such headers', async () => {
    const { server } = open();
    expect(rateHeaders(await post(server, { query: '{ __typename }' }))).toEqual({
      limit: null,
      remaining: null,
      reset: null,
      policy: null,
    });
  });
});

describe('nothing left', () => {
  const listen = async (options: Partial<ServerOptions> = {}) => {
    const { server, world } = open(options);
    const { url } = await server.listen();
    closers.push(() => server.close());
    const ask = (body: object, text: string, headers: Record<string, string> = {}) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(text), ...headers },
        body: JSON.stringify(body),
      });
    return { url, server, world, ask };
  };

  test('429, with the time to come back, and no probe', async () => {
    const { server, world } = open();
    const { text } = await keys.create({ pointsPerMinute: 30 });
    expect((await post(server, verify('ada@mail.test', '0s'), bearer(text))).status).toBe(200);
    const asked = world.dns.asked.length;
    const response = await post(server, verify('ada@mail.test', '0s'), bearer(text));
    expect(response.status).toBe(429);
    // 21 points wanted, 9 there, half a point a second.
    expect(response.headers.get('retry-after')).toBe('24');
    expect(rateHeaders(response)).toEqual({ limit: '30', remaining: '9', reset: '42', policy: '30;w=60' });
    const { data, errors, extensions } = await read(response);
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/21 points.* 9 .*24 s/),
        extensions: { code: 'THROTTLED', retryAfterSeconds: 24, requestId: expect.any(String) },
      },
    ]);
    expect(extensions?.cost).toEqual({
      requestedQueryCost: 21,
      actualQueryCost: null,
      throttleStatus: { maximumAvailable: 30, currentlyAvailable: 9, restoreRate: 0.5 },
    });
    expect(world.dns.asked).toHaveLength(asked);
    at += 24_000;
    expect((await post(server, verify('ada@mail.test', '0s'), bearer(text))).status).toBe(200);
  });

  test('what was given back is there to be spent', async () => {
    const { server } = open();
    const { text } = await keys.create({ pointsPerMinute: 22 });
    await post(server, verify('ada@mail.test'), bearer(text));
    at += 60_000;
    for (let n = 0; n < 2; n++)
      expect((await post(server, verify('ada@mail.test'), bearer(text))).status).toBe(200);
    expect((await post(server, verify('ada@mail.test'), bearer(text))).status).toBe(429);
  });

  test('dearer than the bucket ever holds is another answer, and costs nothing', async () => {
    const { server, world } = open();
    const { text } = await keys.create({ pointsPerMinute: 41 });
    const body = {
      query: '{ emails(addresses: ["a@mail.test", "b@mail.test"]) { verification { status } } }',
    };
    const response = await post(server, body, bearer(text));
    expect(response.status).toBe(400);
    expect(response.headers.get('retry-after')).toBeNull();
    expect((await read(response)).errors).toEqual([
      {
        message: expect.stringContaining('42 points'),
        extensions: { code: 'MAX_COST_EXCEEDED', limit: 41, requestId: expect.any(String) },
      },
    ]);
    expect(world.dns.asked).toEqual([]);
    expect(rateHeaders(response)).toMatchObject({ remaining: '41' });
  });

  test('by a port the next ones of its key are refused unread for a second; others are served', async () => {
    const { ask, url } = await listen();
    const { text } = await keys.create({ pointsPerMinute: 22 });
    const other = await keys.create();
    const cheap = { query: '{ __typename }' };
    expect((await ask(verify('ada@mail.test', '0s'), text)).status).toBe(200);
    expect((await ask(cheap, text)).status).toBe(200);
    expect((await ask(verify('ada@mail.test', '0s'), text)).status).toBe(429);
    // No document at all: nobody reads it.
    const unread = await ask({ query: '{' }, text);
    expect(unread.status).toBe(429);
    expect(Number(unread.headers.get('retry-after'))).toBeGreaterThan(1);
    expect(unread.headers.get('x-request-id')).not.toBeNull();
    expect(rateHeaders(unread)).toMatchObject({ limit: '22', remaining: '1' });
    expect((await read(unread)).errors).toEqual([
      {
        message: expect.any(String),
        extensions: {
          code: 'THROTTLED',
          retryAfterSeconds: expect.any(Number),
          requestId: unread.headers.get('x-request-id'),
        },
      },
    ]);
    expect((await ask(cheap, other.text)).status).toBe(200);
    // What costs no points is not refused for them.
    expect((await fetch(`${url}/health`, { headers: bearer(text) })).status).toBe(200);
    // The second is real time: until it is over, and not for good.
    let status = 429;
    while (status === 429) ({ status } = await ask(cheap, text));
    expect(status).toBe(200);
  });

  test('an upload of megabytes by whoever is refused is not waited for', async () => {
    const { url, ask } = await listen();
    const { text } = await keys.create({ pointsPerMinute: 21 });
    await ask(verify('ada@mail.test', '0s'), text);
    await ask(verify('ada@mail.test', '0s'), text);
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 4_000_000, ...bearer(text) },
      });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
        request.destroy();
      });
      request.on('error', reject);
      request.write('{"query": "');
    });
    expect(status).toBe(429);
  });

  test('each client of a publishable key has its own', async () => {
    const origin = 'https://shop.test';
    const { ask } = await listen({ trustedProxies: ['127.0.0.0/8'] });
    const { text } = await keys.create({ origins: [origin], pointsPerMinute: 21 });
    const from = (ip: string) =>
      ask(verify('ada@mail.test', '0s'), text, { origin, 'x-forwarded-for': ip }).then(
        ({ status }) => status,
      );
    expect(await from('192.0.2.1')).toBe(200);
    expect(await from('192.0.2.1')).toBe(429);
    expect(await from('192.0.2.2')).toBe(200);
    expect(await from('198.51.100.9, 192.0.2.2')).toBe(429);
    expect(await from('2001:db8::1')).toBe(200);
    expect(await from('2001:db8::2')).toBe(429);
  });

  test('a browser may read why', async () => {
    const origin = 'https://shop.test';
    const { ask } = await listen();
    const { text } = await keys.create({ origins: [origin], pointsPerMinute: 21 });
    for (const status of [200, 429, 429]) {
      const response = await ask(verify('ada@mail.test', '0s'), text, { origin });
      expect(response.status).toBe(status);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toContain('Retry-After');
    }
  });
});
