import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleList } from '../../src/sandbox/index.ts';
import { ask } from './ask.ts';
import { type RunningGateway, runRcpt, startRcpt } from './process.ts';

let dir: string;
let gateway: RunningGateway;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rcpt-attach-'));
  gateway = await startRcpt('sandbox', { RCPT_DATA_DIR: join(dir, 'data'), RCPT_GREYLIST_RETRY: '1s,1s' });
});
afterAll(async () => {
  await gateway.stop('SIGTERM');
  await rm(dir, { recursive: true });
});

const start = async (url: string, addresses: readonly string[]): Promise<string> => {
  const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(
    { url },
    'mutation($input: StartBulkJobInput!) { startBulkJob(input: $input) { ... on BulkJob { id } ... on Error { message } } }',
    { input: { source: { addresses } } },
  );
  return startBulkJob.id;
};

describe('rcpt bulk --attach', () => {
  test('follows the job to its end and downloads its results', async () => {
    const id = await start(gateway.url, exampleList(300));
    const run = await runRcpt(['bulk', '--attach', id, '--url', gateway.url, '-o', 'results.ndjson'], {
      cwd: dir,
    });
    expect(run).toMatchObject({ code: 0, out: '', err: expect.stringContaining('300/300') });
    const lines = (await readFile(join(dir, 'results.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).address)).toEqual(exampleList(300));
    expect((await readdir(dir)).toSorted()).toEqual(['data', 'results.ndjson']);
  });

  test('finds the gateway by its settings, and without -o downloads nothing', async () => {
    const id = await start(gateway.url, ['anna@accepts.test']);
    const run = await runRcpt(['bulk', '--attach', id], {
      cwd: dir,
      env: { RCPT_PORT: new URL(gateway.url).port },
    });
    expect(run).toMatchObject({ code: 0, out: '', err: expect.stringContaining('1/1') });
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'a gateway that is ended by %s and comes back is followed on',
    async (signal) => {
      const env = { RCPT_DATA_DIR: join(dir, signal), RCPT_GREYLIST_RETRY: '4s' };
      const first = await startRcpt('sandbox', env);
      const id = await start(first.url, exampleList(1_000));
      // Between the two, to see when the first event has come, and to lead to the second gateway later.
      let port = Number(new URL(first.url).port);
      let isFollowed: () => void = () => undefined;
      const followed = new Promise<void>((resolve) => {
        isFollowed = resolve;
      });
      const between = createTcpServer((socket) => {
        const onward = connect(port, '127.0.0.1');
        onward.on('data', (octets) => {
          if (octets.includes('settled')) isFollowed();
        });
        socket.on('error', () => onward.destroy()).pipe(onward);
        onward.on('error', () => socket.destroy()).pipe(socket);
      }).listen(0, '127.0.0.1');
      await once(between, 'listening');
      const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}/graphql`;
      const attached = runRcpt(['bulk', '--attach', id, '--url', url]);
      await followed;
      await first.stop(signal);
      const second = await startRcpt('sandbox', env);
      port = Number(new URL(second.url).port);
      const run = await attached;
      between.close();
      await second.stop('SIGTERM');
      expect(run).toMatchObject({ code: 0, err: expect.stringContaining('1,000/1,000') });
    },
    60_000,
  );

  test.each([
    ['an id that is none', ['bulk', '--attach', 'nonsense'], 'id'],
    [
      'a job that is not there',
      ['bulk', '--attach', Buffer.from('BulkJob:00000000-0000-4000-8000-000000000000').toString('base64')],
      'no such job',
    ],
  ])('%s is one clear line', async (_, args, message) => {
    const run = await runRcpt([...args, '--url', gateway.url]);
    expect(run).toMatchObject({ code: 74, err: expect.stringContaining(message) });
    expect(run.err).toMatch(/^rcpt: .+\n$/);
  });

  test.each([
    ['nobody listens', 'http://127.0.0.1:1/graphql', 'no gateway answers at http://127.0.0.1:1/graphql'],
    ['no URL', 'gateway', 'no gateway answers at gateway'],
  ])('%s: one clear line', async (_, url, message) => {
    const run = await runRcpt(['bulk', '--attach', 'x', '--url', url]);
    expect(run).toMatchObject({ code: 74, err: `rcpt: ${message}\n` });
  });

  test.each([
    ['text/html', '<p>hello', 'is no rcpt gateway'],
    ['text/event-stream', `data: ${'x'.repeat(600_000)}`, 'sends events without end'],
  ])('somebody else who answers %s: one clear line', async (type, body, message) => {
    const stranger = createServer((_request, response) => {
      response.setHeader('content-type', type).end(body);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    const { port } = stranger.address() as AddressInfo;
    const run = await runRcpt(['bulk', '--attach', 'x', '--url', `http://127.0.0.1:${port}/graphql`]);
    stranger.close();
    expect(run).toMatchObject({ code: 74, err: expect.stringContaining(message) });
    expect(run.err).toMatch(/^rcpt: .+\n$/);
  });

  test.each([
    ['neither a file nor a job', ['bulk']],
    ['both', ['bulk', 'list.csv', '--attach', 'x']],
  ])('%s is a wrong call', async (_, args) => {
    const run = await runRcpt(args, { cwd: dir });
    expect(run).toMatchObject({ code: 64, err: expect.stringContaining('rcpt bulk --help') });
  });
});
