/** `rcpt keys` beside a gateway that runs: two real processes, one data directory. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, post } from './ask.ts';
import { type RunningGateway, runRcpt, startRcpt } from './process.ts';

let dir: string;
let gateway: RunningGateway;
let env: Record<string, string>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rcpt-keys-'));
  env = { RCPT_DATA_DIR: join(dir, 'data') };
  gateway = await startRcpt('sandbox', env);
});
afterAll(async () => {
  await gateway.stop('SIGTERM');
  await rm(dir, { recursive: true });
});

const keys = (...args: string[]) => runRcpt(['keys', ...args], { env, cwd: dir });
const create = async (...args: string[]) => {
  const { code, out, err } = await keys('create', '--sandbox', ...args);
  expect({ code, err }).toMatchObject({ code: 0 });
  return out.trimEnd();
};
const statusOf = async (key: string | null) => (await post(gateway, '{ __typename }', { key })).status;
/** A gateway looks every second. */
const until = async (key: string | null, status: number): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while ((await statusOf(key)) !== status)
    if (Date.now() > deadline) throw new Error(`it did not answer ${status} within five seconds`);
};

describe('rcpt keys', () => {
  test('the first one closes the gateway that runs, and opens it to whoever has it', async () => {
    expect(await statusOf(null)).toBe(200);
    const key = await create('--name', 'back office', '--scope', 'verify,bulk', '--per-minute', '900');
    expect(key).toMatch(/^rcpt_sk_[0-9A-Za-z]{40}$/);
    await until(null, 401);
    expect(await statusOf(key)).toBe(200);
    const { rateLimit } = (await (await post(gateway, '{ rateLimit { limit } }', { key })).json()).data;
    expect(rateLimit).toEqual({ limit: 900 });
  });

  test('its text is nowhere in the data directory', async () => {
    const key = await create('--name', 'secret', '--scope', 'admin');
    const folder = join(dir, 'data', 'sandbox');
    const files = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      if (!(await stat(file)).isFile()) continue;
      expect((await readFile(file)).includes(key.slice(15)), file).toBe(false);
    }
  });

  test('a revoked one is refused, and the stream that it holds ends', async () => {
    const key = await create('--name', 'short-lived', '--scope', 'bulk');
    await until(key, 200);
    const started = await post(
      gateway,
      'mutation { startBulkJob(input: {source: {addresses: ["user1@greylisting.test"]}}) { ... on BulkJob { id } } }',
      { key },
    );
    const { id } = (await started.json()).data.startBulkJob;
    const stream = await post(gateway, `subscription { bulkJobProgress(id: "${id}") { job { state } } }`, {
      key,
      headers: { accept: 'text/event-stream' },
    });
    const { code, out } = await keys('revoke', '--sandbox', key.slice(0, 14));
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('(short-lived) is revoked'),
    });
    expect(await stream.text()).toContain('"code":"UNAUTHENTICATED"');
    await until(key, 401);
  });

  test('jobs of one key are like none to another, and an admin sees them', async () => {
    const [one, two] = [
      await create('--name', 'one', '--scope', 'bulk'),
      await create('--name', 'two', '--scope', 'bulk'),
    ];
    const admin = await create('--name', 'admin', '--scope', 'admin');
    await until(admin, 200);
    const as = (key: string) => ({ url: gateway.url, key });
    const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
      as(one),
      'mutation { startBulkJob(input: {name: "mine", source: {addresses: ["user1@accepts.test"]}}) { ... on BulkJob { id } } }',
      {},
    );
    const { createUpload } = await ask<{ createUpload: { id: string } }>(
      as(one),
      'mutation { createUpload(input: {}) { ... on Upload { id } } }',
      {},
    );
    const look = (key: string) =>
      ask<object>(
        as(key),
        `query ($job: ID!, $upload: ID!) {
          node(id: $job) { id } bulkJob(id: $job) { name } bulkJobs(first: 10, search: "mine") { edges { node { name } } }
          upload(id: $upload) { id }
        }`,
        { job: startBulkJob.id, upload: createUpload.id },
      );
    const all = {
      node: { id: startBulkJob.id },
      bulkJob: { name: 'mine' },
      bulkJobs: { edges: [{ node: { name: 'mine' } }] },
      upload: { id: createUpload.id },
    };
    expect(await look(one)).toEqual(all);
    expect(await look(admin)).toEqual(all);
    expect(await look(two)).toEqual({ node: null, bulkJob: null, bulkJobs: { edges: [] }, upload: null });
    const control = await ask<Record<string, object>>(
      as(two),
      `mutation ($id: ID!) {
        pauseBulkJob(id: $id) { ... on Error { code } } cancelBulkJob(id: $id) { ... on Error { code } }
        resumeBulkJob(id: $id) { ... on Error { code } } deleteBulkJob(id: $id) { ... on Error { code } }
      }`,
      { id: startBulkJob.id },
    );
    expect(Object.values(control)).toEqual(Array(4).fill({ code: 'NOT_FOUND' }));
    for (const field of ['bulkJobProgress { job { id } }', 'bulkJobResults { cursor }']) {
      const [name, rest] = field.split(' { ', 1).concat(field.slice(field.indexOf('{')));
      const answer = await post(gateway, `subscription { ${name}(id: "${startBulkJob.id}") ${rest} }`, {
        key: two,
        headers: { accept: 'text/event-stream' },
      });
      expect(await answer.text()).toContain('"code":"NOT_FOUND"');
    }
  });

  test('bulk --attach shows the key of its settings', async () => {
    const key = await create('--name', 'terminal', '--scope', 'bulk');
    await until(key, 200);
    const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
      { url: gateway.url, key },
      'mutation { startBulkJob(input: {source: {addresses: ["user1@accepts.test"]}}) { ... on BulkJob { id } } }',
      {},
    );
    const attach = (more: Record<string, string>) =>
      runRcpt(['bulk', '--attach', startBulkJob.id, '--url', gateway.url, '-o', 'attached.csv'], {
        cwd: dir,
        env: more,
      });
    expect(await attach({})).toMatchObject({ code: 74, err: expect.stringContaining('RCPT_API_KEY') });
    expect(await attach({ RCPT_API_KEY: key })).toMatchObject({
      code: 0,
      err: expect.stringContaining('1/1'),
    });
    expect(await readFile(join(dir, 'attached.csv'), 'utf8')).toContain('user1@accepts.test');
  });

  test('the list shows each by its beginning, and finds by it', async () => {
    const key = await create(
      '--name',
      'sign-up',
      '--scope',
      'verify',
      '--origin',
      'https://shop.test',
      '--expires',
      '90d',
    );
    expect(key).toMatch(/^rcpt_pk_/);
    const { out } = await keys('list', '--sandbox');
    expect(out).toMatch(/^key +name +state +may +points\/min +created +expires +last used$/m);
    expect(out).toMatch(
      new RegExp(`^${key.slice(0, 14)}… +sign-up +good +verify https://shop.test +500 +2`, 'm'),
    );
    expect(out).toMatch(/short-lived +revoked/);
    expect(out).not.toContain(key.slice(0, 15));
    const found = await keys('list', '--sandbox', '--json', key.slice(0, 12));
    expect(JSON.parse(found.out)).toEqual([
      expect.objectContaining({ name: 'sign-up', kind: 'PUBLISHABLE', state: 'good', lastUsedAt: null }),
    ]);
    expect(await keys('list', '--sandbox', 'nothing like it')).toMatchObject({ code: 0, out: '' });
  });

  test.each([
    ['no scope', ['create', '--name', 'x'], 64, '--scope'],
    ['an unknown scope', ['create', '--name', 'x', '--scope', 'verify,root'], 64, '"root" is no scope'],
    ['no name', ['create', '--name', '', '--scope', 'verify'], 64, 'a name has'],
    [
      'a public key for lists',
      ['create', '--name', 'x', '--scope', 'bulk', '--origin', 'https://a.test'],
      64,
      'public',
    ],
    [
      'an origin with a path',
      ['create', '--name', 'x', '--scope', 'verify', '--origin', 'https://a.test/x'],
      64,
      '--origin',
    ],
    ['no points', ['create', '--name', 'x', '--scope', 'verify', '--per-minute', '0'], 64, '--per-minute'],
    [
      'an end that is none',
      ['create', '--name', 'x', '--scope', 'verify', '--expires', 'soon'],
      64,
      '--expires',
    ],
    ['a key that is not there', ['revoke', 'rcpt_sk_nobody'], 74, 'no such key'],
    // As an unset variable of a script gives it.
    ['a beginning that is empty', ['revoke', ''], 74, 'no such key'],
    ['a beginning of many', ['revoke', 'rcpt_'], 74, 'keys begin like that'],
    ['a bad setting', ['list'], 78, 'RCPT_PORT'],
  ])('%s is one clear line', async (_name, args, code, message) => {
    const bad = code === 78 ? { RCPT_PORT: 'http' } : {};
    const [command = '', ...rest] = args;
    const run = await runRcpt(['keys', command, '--sandbox', ...rest], { env: { ...env, ...bad }, cwd: dir });
    expect(run).toMatchObject({ code, out: '', err: expect.stringContaining(message) });
    expect(run.err).not.toMatch(/^\s+at /m);
  });
});

test('with a key the gateway listens for everybody, without one it does not', async () => {
  const open = { RCPT_DATA_DIR: join(dir, 'open'), RCPT_HOST: '0.0.0.0' };
  expect(await runRcpt(['serve'], { env: { ...open, RCPT_PORT: '0' } })).toMatchObject({
    code: 78,
    err: expect.stringContaining('rcpt keys create'),
  });
  const { code } = await runRcpt(['keys', 'create', '--name', 'x', '--scope', 'verify'], { env: open });
  expect(code).toBe(0);
  const listening = await startRcpt('serve', open);
  try {
    const local = listening.url.replace('0.0.0.0', '127.0.0.1');
    expect((await post({ url: local }, '{ __typename }')).status).toBe(401);
  } finally {
    await listening.stop('SIGTERM');
  }
});
