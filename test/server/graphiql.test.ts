import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { chooseEncoding } from '../../src/server/graphiql.ts';
import type { Server } from '../../src/server/index.ts';
import { createTestServer, get } from './gateway.ts';

let server: Server;
beforeAll(() => {
  ({ server } = createTestServer({ isSandbox: true }));
});

const page = (headers: Record<string, string> = {}) =>
  get(server, '/graphql', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...headers });

describe('the GraphiQL page', () => {
  test('whole, without compression', async () => {
    const response = await page();
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(html).toContain('<title>rcpt sandbox (simulated)</title>');
    expect(html).toContain('the mail internet here is simulated');
    for (const name of ['VerifyEmail', 'SyntaxOnly', 'DomainProfile', 'BulkJobProgress'])
      expect(html).toContain(
        `query ${name}`.replace('query BulkJobProgress', 'subscription BulkJobProgress'),
      );
  });

  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('compressed with %s, once, to a quarter', async (coding, decompress) => {
    const first = await page({ 'accept-encoding': coding });
    const body = Buffer.from(await first.arrayBuffer());
    expect(first.headers.get('content-encoding')).toBe(coding);
    expect(first.headers.get('vary')).toMatch(/accept-encoding/);
    const html = decompress(body).toString();
    expect(html).toMatch(/<\/html>\s*$/);
    expect(body.length * 3).toBeLessThan(html.length);
    const startedAt = performance.now();
    expect(Buffer.from(await (await page({ 'accept-encoding': coding })).arrayBuffer()).equals(body)).toBe(
      true,
    );
    expect(performance.now() - startedAt).toBeLessThan(100);
  });

  test('known by its ETag, it is not sent again', async () => {
    const first = await page({ 'accept-encoding': 'br' });
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{20,}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await page({ 'accept-encoding': 'br', 'if-none-match': known });
      expect([again.status, (await again.arrayBuffer()).byteLength], known).toEqual([304, 0]);
      expect(again.headers.get('etag')).toBe(etag);
    }
    expect((await page({ 'accept-encoding': 'br', 'if-none-match': '"other"' })).status).toBe(200);
    expect((await page({ 'accept-encoding': 'gzip' })).headers.get('etag')).not.toBe(etag);
  });

  test('may ask nobody but its own origin', async () => {
    const policy = (await page()).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:/);
  });

  test('a program that asks for anything else does not get it', async () => {
    const response = await get(server, '/graphql?query={__typename}', { accept: 'application/json' });
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('is plain outside the sandbox', async () => {
    const html = await (await get(createTestServer().server, '/graphql', { accept: 'text/html' })).text();
    expect(html).toContain('<title>rcpt</title>');
    expect(html).not.toContain('the mail internet here is simulated');
  });
});

test.each([
  [null, 'identity'],
  ['', 'identity'],
  ['gzip, deflate, br, zstd', 'br'],
  ['GZIP', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'gzip'],
  ['br;q=0.000, gzip;q=0', 'identity'],
  ['identity', 'identity'],
])('Accept-Encoding: %j gives %s', (accepted, expected) => {
  expect(chooseEncoding(accepted)).toBe(expected);
});
