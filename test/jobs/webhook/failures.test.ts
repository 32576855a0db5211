import { createServer as createTcpServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createRawServer, listen, openSockets } from '../../dns/peers.ts';
import {
  createJob,
  deliveriesOf,
  holdTime,
  hour,
  minute,
  openWorld,
  secret,
  start,
  startReceiver,
  until,
  untilTried,
  type WorldOptions,
} from './world.ts';

beforeEach(holdTime);

/** A word of the receiver's, wherever it can put one. */
const told = 'told-by-the-receiver';

const attemptAt = async (url: string, options: WorldOptions = {}) => {
  const world = await openWorld(options);
  const job = await createJob(world, url);
  await job.settle();
  const delivery = await untilTried(world, job.id);
  expect(world.errors).toEqual([]);
  expect(inspect(delivery, { depth: null })).not.toContain(told);
  const [attempt] = delivery.attempts;
  if (attempt === undefined || delivery.attempts.length > 1) throw new Error('not one attempt');
  const waitMs = delivery.nextAttemptAt === null ? null : delivery.nextAttemptAt.getTime() - Date.now();
  return { state: delivery.state, status: attempt.status, error: attempt.error, waitMs };
};

const refused = (error: string | RegExp, over = {}) => ({
  state: 'PENDING',
  status: null,
  error: expect.stringMatching(error),
  waitMs: 5_000,
  ...over,
});

describe('a response', () => {
  const answer = async (status: number, headers: Record<string, string> = {}) => {
    const receiver = await startReceiver((response) =>
      response.writeHead(status, told, { ...headers, 'x-more': told }).end(`{"error":"${told}"}`),
    );
    const outcome = await attemptAt(receiver.url);
    return { ...outcome, requests: receiver.heard.length };
  };

  it.each([200, 201, 202, 204, 299])('%i is delivered', async (status) => {
    expect(await answer(status)).toEqual({
      state: 'DELIVERED',
      status,
      error: null,
      waitMs: null,
      requests: 1,
    });
  });

  it.each([300, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504, 599])(
    '%i is tried again',
    async (status) => {
      expect(await answer(status)).toEqual({
        ...refused(`answered ${status}[.:]`),
        status,
        requests: 1,
      });
    },
  );

  it.each([301, 302, 303, 307, 308])('%i is not followed, and the log says so', async (status) => {
    const elsewhere = await startReceiver();
    const location = `http://127.0.0.1:${elsewhere.port}/${told}`;
    expect(await answer(status, { location })).toEqual({
      ...refused(`answered ${status}: redirects are not followed`),
      status,
      requests: 1,
    });
    expect(elsewhere.heard).toEqual([]);
  });

  it('410 ends it at once', async () => {
    expect(await answer(410)).toEqual({
      state: 'FAILED',
      status: 410,
      error: expect.stringContaining('wants no more'),
      waitMs: null,
      requests: 1,
    });
  });

  it.each([
    ['120', 2 * minute],
    ['0', 5_000],
    ['-7', 5_000],
    ['soon', 5_000],
    ['31536000', 8 * hour],
    ['999999999999999', 8 * hour],
    ['99999999999999999999', 5_000],
    [new Date(start.getTime() + 10 * minute).toUTCString(), 10 * minute],
    [new Date(start.getTime() - 10 * minute).toUTCString(), 5_000],
    [new Date(start.getTime() + 365 * 24 * hour).toUTCString(), 8 * hour],
  ])('429 with Retry-After %s waits for so long, and never for ever', async (text, waitMs) => {
    expect(await answer(429, { 'retry-after': text })).toMatchObject({ state: 'PENDING', waitMs });
  });
});

describe('a host', () => {
  it('without an address is tried again', async () => {
    expect(await attemptAt('http://nowhere.test/')).toEqual(refused('has no address'));
  });

  it('that the DNS cannot tell of is tried again', async () => {
    const zones = { 'broken.test': { behaviour: 'SERVFAIL' as const } };
    expect(await attemptAt('http://broken.test/', { zones })).toEqual(refused(/DNS .*SERVFAIL/));
  });

  it('where nobody listens is tried again', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await attemptAt(`http://hooks.test:${port}/`)).toEqual(refused('not be connected to'));
  });

  const inside: [string, { readonly a?: string[]; readonly aaaa?: string[] }][] = [
    ['loopback', { a: ['127.0.0.1'] }],
    ['loopback, IPv6', { aaaa: ['::1'] }],
    ['metadata', { a: ['169.254.169.254'] }],
    ['private', { a: ['10.0.0.1', '192.168.0.1', '172.16.0.1'] }],
    ['IPv4-mapped', { aaaa: ['::ffff:10.0.0.1', '::ffff:127.0.0.1'] }],
    ['NAT64 of private', { aaaa: ['64:ff9b::a00:1'] }],
    ['unspecified', { a: ['0.0.0.0'], aaaa: ['::'] }],
  ];
  it.each(inside)('that is %s in the DNS is not connected to', async (_range, entry) => {
    const receiver = await startReceiver();
    let connections = 0;
    receiver.server.on('connection', () => {
      connections += 1;
    });
    expect(
      await attemptAt(`http://inside.test:${receiver.port}/`, {
        zones: { 'inside.test': entry },
        allowHosts: [],
      }),
    ).toEqual(refused('special-purpose'));
    expect(connections).toBe(0);
  });

  it('that is a special-purpose address by itself, or by a name of this machine, is not connected to', async () => {
    const receiver = await startReceiver();
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', 'localhost', 'a.localhost'])
      expect(await attemptAt(`http://${host}:${receiver.port}/`, { allowHosts: [] })).toEqual(
        refused('special-purpose'),
      );
    expect(receiver.heard).toEqual([]);
  });

  it('that RCPT_ALLOW_HOSTS exempts is connected to, and its neighbour is not', async () => {
    const receiver = await startReceiver();
    const at = (host: string) =>
      attemptAt(`http://${host}:${receiver.port}/`, { allowHosts: ['127.0.0.1/32'] });
    expect(await at('localhost')).toMatchObject({ state: 'DELIVERED' });
    expect(await at('127.0.0.2')).toEqual(refused('special-purpose'));
  });

  it('that moves inside once its address was checked is not followed', async () => {
    let questions = 0;
    const outside = await startReceiver();
    const inside = await startReceiver(undefined, { host: '127.0.0.2', port: outside.port });
    const world = await openWorld({
      allowHosts: ['127.0.0.1/32'],
      lookupAddresses: async () => {
        questions += 1;
        return {
          kind: 'addresses',
          addresses: [{ ip: questions === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }],
        };
      },
    });
    const first = await createJob(world, outside.url);
    await first.settle();
    expect(await untilTried(world, first.id)).toMatchObject({ state: 'DELIVERED' });
    const second = await createJob(world, outside.url);
    await second.settle();
    expect((await untilTried(world, second.id)).attempts).toMatchObject([
      { status: null, error: expect.stringContaining('special-purpose') },
    ]);
    expect([questions, outside.heard.length, inside.heard.length]).toEqual([2, 1, 0]);
  });
});

describe('TLS', () => {
  it('for another name is refused', async () => {
    const receiver = await startReceiver(undefined, { isSecured: true });
    const zones = { 'other.test': { a: ['127.0.0.1'] } };
    expect(await attemptAt(`https://other.test:${receiver.port}/`, { zones })).toEqual(
      refused('certificate was refused .*ALTNAME'),
    );
    expect(receiver.heard).toEqual([]);
  });

  it('of an unknown authority is refused, whatever the environment says', async () => {
    const receiver = await startReceiver(undefined, { isSecured: true });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      // biome-ignore lint/suspicious/noExplicitAny: that there is no authority of ours is what is tried
      const outcome = await attemptAt(receiver.url, { ca: undefined as any });
      expect(outcome).toEqual(refused('certificate was refused'));
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    expect(receiver.heard).toEqual([]);
  });

  it('where plain HTTP is spoken is refused', async () => {
    const port = await listen(createRawServer('HTTP/1.1 200 OK\r\n\r\n', 'end'));
    expect(await attemptAt(`https://hooks.test:${port}/`)).toEqual(refused('TLS handshake failed'));
  });
});

describe('a receiver that misbehaves', () => {
  const rows: [string, () => Server, object][] = [
    ['hangs before the headers', () => createRawServer('', 'silence'), refused('within 1 s')],
    ['hangs inside them', () => createRawServer('HTTP/1.1 200 OK\r\nx: ', 'silence'), refused('within 1 s')],
    [
      'never ends its headers',
      () => createRawServer('HTTP/1.1 200 OK\r\n', { forEver: 'x: y\r\n' }),
      refused('hung up or did not speak HTTP'),
    ],
    ['hangs up', () => createRawServer('', 'end'), refused('hung up')],
    ['speaks SMTP', () => createRawServer('220 mail.example.test ESMTP\r\n', 'end'), refused('HTTP')],
    // It said 2xx before it began: that is what counts.
    [
      'never ends its body',
      () => createRawServer('HTTP/1.1 200 OK\r\n\r\n', { forEver: told }),
      { state: 'DELIVERED', status: 200, error: null, waitMs: null },
    ],
    [
      'breaks its body off',
      () => createRawServer('HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nx', 'end'),
      refused('answered 500', { status: 500 }),
    ],
  ];
  it.each(rows)('and %s', async (what, create, outcome) => {
    const port = await listen(create());
    const timeoutMs = what.startsWith('hangs ') ? 300 : 15_000;
    expect(await attemptAt(`http://hooks.test:${port}/`, { timeoutMs })).toEqual(outcome);
    await until(() => openSockets() === 0);
  });

  it('or is only slow is waited for', async () => {
    const receiver = await startReceiver((response) => {
      setImmediate(() => setImmediate(() => response.writeHead(200).end('done')));
    });
    expect(await attemptAt(receiver.url)).toMatchObject({ state: 'DELIVERED' });
  });

  it('and holds up nobody else, one hanging receiver in each place but one', async () => {
    const hanging = await listen(createRawServer('', 'silence'));
    const receiver = await startReceiver();
    const world = await openWorld();
    for (let n = 0; n < 15; n += 1) await (await createJob(world, `http://hooks.test:${hanging}/`)).settle();
    await until(() => openSockets() === 15);
    const jobs = [];
    for (let n = 0; n < 5; n += 1) jobs.push(await createJob(world, receiver.url));
    for (const job of jobs) await job.settle();
    for (const { id } of jobs) expect(await untilTried(world, id)).toMatchObject({ state: 'DELIVERED' });
  });
});

describe('nothing that is kept or reported', () => {
  it('holds the secret, the URL or a word of the receiver', async () => {
    const receiver = await startReceiver((response) => response.writeHead(500, told).end(told));
    const world = await openWorld();
    // Whatever goes wrong on our side.
    let isBroken = true;
    const { noteAttempt } = world.store.webhooks;
    Object.assign(world.store.webhooks, {
      noteAttempt: async (...note: Parameters<typeof noteAttempt>) => {
        if (isBroken) {
          isBroken = false;
          throw Object.assign(new Error('the disk is full'), { isPassing: true });
        }
        return noteAttempt(...note);
      },
    });
    const job = await createJob(world, `${receiver.url}?token=t0ken`);
    await job.settle();
    await until(() => world.errors.length === 1);
    await vi.advanceTimersByTimeAsync(200);
    await untilTried(world, job.id);
    const kept = inspect([world.errors, await deliveriesOf(world, job.id)], { depth: null });
    for (const word of [secret, secret.slice(6, 20), 't0ken', 'hooks.test', told])
      expect(kept).not.toContain(word);
    expect(kept).toContain('answered 500');
    expect(receiver.heard).toHaveLength(1);
  });
});
