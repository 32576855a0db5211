/** Webhooks on the real store, the real resolver and real receivers on loopback; time as the test tells it. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type Server as HttpServer,
  type IncomingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, vi } from 'vitest';
import type { NormalizedAddress } from '../../../src/address/index.ts';
import {
  type Chunk,
  createWebhooks,
  type Delivery,
  type Webhooks,
  type WebhooksOptions,
} from '../../../src/jobs/index.ts';
import type { Zones } from '../../../src/sandbox/dns-server.ts';
import { createGuard } from '../../../src/smtp/index.ts';
import { openSqliteStore, type SqliteStore } from '../../../src/store/index.ts';
import { listen } from '../../dns/peers.ts';
import { openWorld as openDnsWorld } from '../../dns/world.ts';
import { authority, certificate, key } from './certificates.ts';

export const start = new Date('2026-03-01T12:00:00.000Z');
export const secret = `whsec_${Buffer.alloc(32, 'a secret of the tests ').toString('base64')}`;
export const minute = 60_000;
export const hour = 60 * minute;

/** Taken before time is held; vitest's own polling would let held time pass. */
const realTimers = { setTimeout, now: performance.now.bind(performance) };

/** In real time; fails when it does not come true. */
export const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  const giveUpAt = realTimers.now() + 15_000;
  while (!(await isTrue())) {
    if (realTimers.now() > giveUpAt) throw new Error('it did not become true');
    await new Promise((resolve) => realTimers.setTimeout(resolve, 2));
  }
};

const open: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  vi.useRealTimers();
});

/** Time stands still but for `pass`; sockets and files have their own. */
export const holdTime = (): void => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'], now: start });
};

export type Heard = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: Date;
};

export type Receiver = {
  readonly port: number;
  readonly url: string;
  readonly heard: Heard[];
  readonly server: HttpServer;
};

/** Keeps what it hears; the second argument of `respond` counts from 1. Without `respond`: 204. */
export const startReceiver = async (
  respond: (response: ServerResponse, count: number) => void = (response) => response.writeHead(204).end(),
  { isSecured = false, host = '127.0.0.1', port = 0 } = {},
): Promise<Receiver> => {
  const heard: Heard[] = [];
  const server = (isSecured ? createHttpsServer({ cert: certificate, key }) : createServer()) as HttpServer;
  server.on('request', async (request, response) => {
    response.on('error', () => {});
    const body = Buffer.concat(await request.toArray().catch(() => [])).toString();
    heard.push({ path: request.url ?? '', headers: request.headers, body, at: new Date() });
    respond(response, heard.length);
  });
  const listening = await listen(server, host, port);
  const url = `${isSecured ? 'https' : 'http'}://hooks.test:${listening}/hook`;
  return { port: listening, url, heard, server };
};

export type World = {
  readonly store: SqliteStore;
  readonly webhooks: Webhooks;
  readonly errors: unknown[];
  /** Ends the process, as it were, and begins another on the same file. */
  restart(): Promise<void>;
};

const zones: Zones = { 'hooks.test': { a: ['127.0.0.1'] } };

export type WorldOptions = Partial<WebhooksOptions> & {
  readonly zones?: Zones;
  readonly allowHosts?: readonly string[];
};

export const openWorld = async (over: WorldOptions = {}): Promise<World> => {
  const { zones: more = {}, allowHosts = ['127.0.0.0/8'], ...options } = over;
  const { dns } = await openDnsWorld({ ...zones, ...more });
  const dir = mkdtempSync(join(tmpdir(), 'rcpt-webhook-'));
  const errors: unknown[] = [];
  const begin = () => {
    const store = openSqliteStore({ path: join(dir, 'store.sqlite') });
    const webhooks = createWebhooks({
      store: store.webhooks,
      lookupAddresses: (name, signal) => dns.lookupAddresses(name, signal),
      guard: createGuard(allowHosts),
      printJobId: (id) => `global-${id}`,
      onError: (error) => errors.push(error),
      random: () => 0.5,
      ca: authority,
      ...options,
    });
    return { store, webhooks };
  };
  let now = begin();
  const end = async () => {
    const closing = now.webhooks.close();
    // What is under way is given a moment, of the time that stands still.
    if (vi.isFakeTimers()) await vi.advanceTimersByTimeAsync(10_000);
    await closing;
    now.store.close();
  };
  open.push(() => rmSync(dir, { recursive: true, force: true }), end);
  return {
    get store() {
      return now.store;
    },
    get webhooks() {
      return now.webhooks;
    },
    errors,
    async restart() {
      await end();
      now = begin();
    },
  };
};

export type TestJob = { readonly id: string; settle(rows?: number): Promise<void> };

/** A job that the test settles by hand, so many rows at a time. */
export const createJob = async (
  { store, webhooks }: World,
  url: string,
  { rows = 1, name = null as string | null, tellsProgress = false } = {},
): Promise<TestJob> => {
  const id = randomUUID();
  const list = Array.from({ length: rows }, (_, n) => {
    const address = `u${n}@d.example`;
    return { row: n + 1, address, canonical: address as NormalizedAddress, domain: 'd.example', cells: null };
  });
  const outcome = await store.jobs.createJob(
    {
      id,
      owner: null,
      name,
      createdAt: new Date(),
      expiresAt: new Date(Date.now() + 30 * 24 * hour),
      idempotencyKey: null,
      inputHash: null,
      readShape: () => ({ format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 }),
      maxAgeSeconds: null,
      webhook: { url, secret, tellsProgress },
    },
    list,
  );
  expect(outcome.kind).toBe('created');
  let chunk: Chunk | null = null;
  let settled = 0;
  return {
    id,
    async settle(count = rows) {
      chunk ??= await store.jobs.takeChunk(new Date(), new Date(Date.now() + 48 * hour));
      if (chunk === null) throw new Error('there is nothing to settle');
      const some = chunk.rows.slice(settled, settled + count);
      settled += count;
      const results = some.map(({ row, address }) => ({
        row,
        address,
        duplicateOf: null,
        status: 'DELIVERABLE' as const,
        reason: 'MAILBOX_EXISTS' as const,
        score: 95,
        provider: null,
        exchange: 'mx.d.example',
        reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
        checkedAt: new Date(),
      }));
      await store.jobs.settleRows(chunk, { settled: results, waiting: [] }, new Date());
      webhooks.wake();
    },
  };
};

/** Newest last. */
export const deliveriesOf = async ({ store }: World, jobId: string): Promise<readonly Delivery[]> =>
  [...(await store.webhooks.listDeliveries(jobId, { limit: 100, afterId: null })).items].reverse();

/** Waits, in real time, until the job's last event was attempted `attempts` times in all, or has ended. */
export const untilTried = async (world: World, jobId: string, attempts = 1): Promise<Delivery> => {
  const read = async () => (await deliveriesOf(world, jobId)).at(-1);
  await until(async () => {
    const last = await read();
    return last !== undefined && (last.attempts.length >= attempts || last.state !== 'PENDING');
  });
  return (await read()) as Delivery;
};

/** Lets time pass to the next attempt, makes it, and gives what is noted of it. */
export const passToNextAttempt = async (world: World, jobId: string): Promise<Delivery> => {
  const before = (await deliveriesOf(world, jobId)).at(-1) as Delivery;
  if (before.nextAttemptAt === null) throw new Error('there is none');
  await vi.advanceTimersByTimeAsync(Math.max(0, before.nextAttemptAt.getTime() - Date.now()) + 100);
  return untilTried(world, jobId, before.attempts.length + 1);
};

/** By the reference implementation; throws when the signature or the timestamp is wrong. */
export const verify = ({ body, headers }: Heard, key = secret): unknown =>
  new Webhook(key).verify(body, headers as Record<string, string>);
