import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createWebhooks } from '../../../src/jobs/index.ts';
import { createGuard } from '../../../src/smtp/index.ts';
import { openSqliteStore } from '../../../src/store/index.ts';
import { openJobs } from '../fakes.ts';
import { inlineList } from '../inputs.ts';
import { addresses, verdictOf } from '../verdicts.ts';
import { secret, startReceiver, until, verify } from './world.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).reverse()) close();
});

const begin = (...args: string[]): { readonly child: ChildProcess; said(): string } => {
  const script = fileURLToPath(new URL('./life.child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  open.push(() => child.kill('SIGKILL'));
  return { child, said: () => said };
};

describe('a job from its start to its webhook', () => {
  it('is told of again after kill -9 during the attempt, under the same id', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rcpt-webhook-'));
    open.push(() => rmSync(dir, { recursive: true, force: true }));
    let respond: (response: ServerResponse) => void = () => {};
    const receiver = await startReceiver((response) => respond(response));
    const url = `http://127.0.0.1:${receiver.port}/`;

    const first = begin(dir, url, secret, 'first');
    await until(() => receiver.heard.length === 1);
    const killed = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await killed;

    respond = (response) => response.writeHead(204).end();
    const second = begin(dir, url, secret);
    await until(() => receiver.heard.length === 2);
    // The note of the answer follows the answer; the end waits for it.
    const ended = once(second.child, 'exit');
    second.child.kill('SIGTERM');
    await ended;
    expect(JSON.parse(second.said())).toMatchObject([
      { event: 'bulk_job.completed', state: 'DELIVERED', attempts: [{ status: 204 }] },
    ]);
    expect(first.said()).toBe('started\n');
    const [one, other] = receiver.heard;
    if (one === undefined || other === undefined) throw new Error('not two requests');
    expect(other.headers['webhook-id']).toBe(one.headers['webhook-id']);
    expect(other.body).toBe(one.body);
    expect(verify(other)).toMatchObject({
      type: 'bulk_job.completed',
      data: { name: 'März', state: 'COMPLETED', progress: { total: 1_000, settled: 1_000 } },
    });
  });

  it('starts with no webhook that cannot be used', async () => {
    const store = openSqliteStore({ path: '' });
    const sender = createWebhooks({
      store: store.webhooks,
      lookupAddresses: async () => ({ kind: 'none' }),
      guard: createGuard([]),
      printJobId: (id) => id,
    });
    const { jobs, errors } = openJobs(store.jobs, {
      verify: async (address) => verdictOf(address, 'MAILBOX_EXISTS'),
      webhooks: { store: store.webhooks, sender },
    });
    const start = (webhook: { readonly url: string; readonly secret: string }) =>
      jobs.start(inlineList(addresses(1), { webhook: { ...webhook, tellsProgress: false } }));
    expect(await start({ url: 'http://169.254.169.254/', secret })).toEqual({
      kind: 'badWebhook',
      message: expect.stringContaining('special-purpose'),
    });
    expect(await start({ url: 'https://example.com/', secret: 'short' })).toEqual({
      kind: 'badWebhook',
      message: expect.stringContaining("The webhook's secret"),
    });
    expect(
      (await jobs.list({ limit: 1, afterId: null, owner: null, states: null, search: null })).items,
    ).toEqual([]);
    await jobs.close(1_000);
    store.close();
    expect(errors).toEqual([]);
  });
});
