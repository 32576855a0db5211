/** Pages of other origins: those that the operator named, and all the others. On a port, as browsers come. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createTestServer, get, post } from './gateway.ts';

const app = 'https://app.example';
const evil = 'https://evil.example';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const open = async (corsOrigins: readonly string[] = [app]) => {
  const { server, world } = createTestServer({ corsOrigins });
  const { url } = await server.listen();
  closers.push(() => server.close());
  return { url, world };
};

const preflight = (url: string, origin: string, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', ...headers },
  });

const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

describe('a browser asks first', () => {
  test.each(['/graphql', '/uploads/1', '/results/1.csv'])('for a page that may, at %s', async (path) => {
    const { url } = await open();
    const response = await preflight(url + path, app, {
      'access-control-request-headers': 'authorization,content-type',
      'sec-fetch-site': 'cross-site',
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('vary')).toContain('Origin');
    expect(corsOf(response)).toEqual({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT',
      'access-control-allow-headers': 'Authorization, Content-Type, *',
      'access-control-max-age': '3600',
      'access-control-expose-headers': expect.stringMatching(/X-Request-Id.*Retry-After.*RateLimit/),
    });
  });

  test.each([
    ['another origin', [app], evil],
    ['when none may', [], app],
    ['the same name by HTTP', [app], 'http://app.example'],
    ['the same name on another port', [app], `${app}:8443`],
    ['a name that ends alike', [app], 'https://evil-app.example'],
    ['a name that begins alike', [app], `${app}.evil.example`],
    ['no origin', [app], 'null'],
  ])('%s: no', async (_name, origins, origin) => {
    const { url } = await open(origins);
    const response = await preflight(`${url}/graphql`, origin);
    expect([response.status, corsOf(response)]).toEqual([403, {}]);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'CROSS_ORIGIN' } }] });
  });

  test('OPTIONS that is no such question is not one', async () => {
    const { url } = await open();
    expect((await fetch(`${url}/graphql`, { method: 'OPTIONS' })).status).toBe(405);
  });

  test('a host that is not ours is refused there too', async () => {
    const { server } = createTestServer({ corsOrigins: [app] });
    const { url } = await server.listen();
    closers.push(() => server.close());
    const { request } = await import('node:http');
    const asked = request(`${url}/graphql`, {
      method: 'OPTIONS',
      headers: { host: 'evil.example', origin: app, 'access-control-request-method': 'POST' },
    }).end();
    const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(403);
  });
});

const query = '{ email(address: "ada@mail.test") { verification { status } } }';

describe('a page of another origin', () => {
  test('that may: is answered, and its script may read the answer', async () => {
    const { server } = createTestServer({ corsOrigins: ['http://localhost:5173', app] });
    const headers = { origin: app, 'sec-fetch-site': 'cross-site' };
    const posted = await post(server, { query }, headers);
    expect(await posted.json()).toMatchObject({ data: { email: {} } });
    expect(corsOf(posted)).toMatchObject({ 'access-control-allow-origin': app });
    expect(posted.headers.get('access-control-allow-credentials')).toBeNull();
    expect(posted.headers.get('vary')).toContain('Origin');
    const got = await get(server, `/graphql?query=${encodeURIComponent(query)}`, {
      ...headers,
      accept: 'application/json',
    });
    expect([got.status, corsOf(got)['access-control-allow-origin']]).toEqual([200, app]);
    const refused = await post(server, '{"query":', headers);
    expect([refused.status, corsOf(refused)['access-control-allow-origin']]).toEqual([400, app]);
  });

  test('that may not: nothing is done, and nothing says that it may', async () => {
    const { server, world } = createTestServer({ corsOrigins: [app] });
    for (const response of [
      await post(server, { query }, { origin: evil }),
      await get(server, `/graphql?query=${encodeURIComponent(query)}`, { origin: evil, accept: '*/*' }),
      await get(server, `/graphql?query=${encodeURIComponent(query)}`, {
        'sec-fetch-site': 'cross-site',
        accept: '*/*',
      }),
    ]) {
      expect([response.status, corsOf(response)]).toEqual([403, {}]);
      expect(response.headers.get('vary')).toContain('Origin');
    }
    expect(world.prober.probed).toEqual([]);
  });

  test('that may still sends no form unasked', async () => {
    const { server } = createTestServer({ corsOrigins: [app] });
    const form = await post(server, '', { origin: app, 'content-type': 'multipart/form-data; boundary=x' });
    expect(await form.json()).toMatchObject({ errors: [{ extensions: { code: 'PREFLIGHT_REQUIRED' } }] });
    const text = await post(server, { query }, { origin: app, 'content-type': 'text/plain' });
    expect(text.status).toBe(415);
  });

  test('by EventSource: the stream is readable', async () => {
    const { url } = await open();
    const subscription = 'subscription { watchVerification(address: "ada@mail.test") { stage } }';
    const response = await fetch(`${url}/graphql?query=${encodeURIComponent(subscription)}`, {
      headers: { accept: 'text/event-stream', origin: app },
    });
    expect(corsOf(response)['access-control-allow-origin']).toBe(app);
    expect(await response.text()).toContain('VERDICT');
  });

  test.each([
    [app, 'open'],
    [evil, 'error'],
  ])('a WebSocket of %s: %s', async (origin, event) => {
    const { url } = await open();
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/graphql`, 'graphql-transport-ws', {
      headers: { origin },
    });
    const heard = await Promise.race([
      once(socket, 'open').then(() => 'open'),
      new Promise((resolve) => socket.once('error', () => resolve('error'))),
    ]);
    expect(heard).toBe(event);
    socket.terminate();
  });
});
