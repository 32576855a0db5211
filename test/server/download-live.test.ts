/** Downloads of real jobs over a port: the caller's columns, every format, while it runs, and readers that leave. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeVerify } from '../jobs/fakes.ts';
import { until } from './gateway.ts';
import { type Lists, openLists, put } from './lists.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
const open = async (...options: Parameters<typeof openLists>): Promise<Lists> => {
  const lists = await openLists(...options);
  closers.push(lists.close);
  return lists;
};

const startFile = async (lists: Lists, fileName: string, content: string) => {
  const { id: uploadId, url } = await lists.createUpload({ fileName });
  await put(url, content);
  const { id } = await lists.start({ source: { uploadId } });
  return { id: String(id), key: Buffer.from(String(id), 'base64url').toString().slice('BulkJob:'.length) };
};

const linksOf = async (lists: Lists, id: string) => {
  const { bulkJob } = await lists.ask(
    'query ($id: ID!) { bulkJob(id: $id) { csv: resultsUrl(format: CSV) ndjson: resultsUrl(format: NDJSON) xlsx: resultsUrl(format: XLSX) } }',
    { id },
  );
  return bulkJob as Record<'csv' | 'ndjson' | 'xlsx', string>;
};

const settled = async (lists: Lists, key: string, rows: number) => {
  let count = 0;
  await until(() => {
    lists.jobs.read(key).then((job) => {
      count = job?.counters.settled ?? 0;
    });
    return count >= rows;
  });
};

const csvList = 'Name;E-Mail\n=Ada;ada@mail.test\nBob;bob@mail.test\n';

describe('a job of a file', () => {
  test('as CSV, NDJSON and XLSX, in its columns and under its name', async () => {
    const lists = await open();
    const { id, key } = await startFile(lists, 'Frühling.csv.gz', csvList);
    await settled(lists, key, 2);
    const links = await linksOf(lists, id);

    const csv = await fetch(links.csv);
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
    expect(csv.headers.get('content-disposition')).toBe(
      `attachment; filename="Fr_hling-results.csv"; filename*=UTF-8''Fr%C3%BChling-results.csv`,
    );
    expect(csv.headers.get('referrer-policy')).toBe('no-referrer');
    expect(csv.headers.get('cache-control')).toBe('no-store');
    const lines = (await csv.text()).split('\r\n');
    expect(lines[0]).toMatch(/^Name,E-Mail,status,reason,score,/);
    expect(lines[1]).toMatch(/^'=Ada,ada@mail\.test,DELIVERABLE,/);

    const ndjson = await fetch(links.ndjson);
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson');
    expect(JSON.parse((await ndjson.text()).split('\n')[1] ?? '')).toMatchObject({
      row: 2,
      address: 'bob@mail.test',
      input: { Name: 'Bob', 'E-Mail': 'bob@mail.test' },
      status: 'DELIVERABLE',
    });

    const xlsx = await fetch(links.xlsx);
    expect(xlsx.headers.get('content-type')).toMatch(/spreadsheetml\.sheet$/);
    expect(xlsx.headers.get('content-disposition')).toMatch(/Fr%C3%BChling-results\.xlsx$/);
    expect(Buffer.from(await xlsx.arrayBuffer()).subarray(0, 4)).toEqual(Buffer.from('PK\x03\x04'));

    for (const link of Object.values(links)) {
      const head = await fetch(link, { method: 'HEAD' });
      expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
      expect(head.headers.get('content-disposition')).toMatch(/^attachment/);
    }
  });

  test('while it runs: what is not settled is empty', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { verify } = fakeVerify(async (text) => {
      if (text.startsWith('bob')) await held;
      return 'MAILBOX_EXISTS' as const;
    });
    const lists = await open({}, {}, { verify });
    const { id, key } = await startFile(lists, 'list.csv', csvList);
    await settled(lists, key, 1);
    const { csv } = await linksOf(lists, id);
    const lines = (await (await fetch(csv)).text()).split('\r\n');
    expect(lines[1]).toContain('DELIVERABLE');
    expect(lines[2]).toMatch(/^Bob,bob@mail\.test,,,/);
    release();
    await settled(lists, key, 2);
    expect(await (await fetch(csv)).text()).toMatch(/Bob,bob@mail\.test,DELIVERABLE/);
  });

  test('that is deleted: its link is worth nothing', async () => {
    const lists = await open();
    const { id } = await startFile(lists, 'list.csv', csvList);
    const { csv, xlsx } = await linksOf(lists, id);
    await lists.ask('mutation ($id: ID!) { deleteBulkJob(id: $id) { __typename } }', { id });
    for (const link of [csv, xlsx]) expect((await fetch(link)).status).toBe(404);
  });
});

test('a reader that hangs up, or reads no more, stops the reading of the store', async () => {
  const lists = await open({ maxRows: 40_000, maxBytes: 10_000_000 });
  const text = 'x'.repeat(100);
  const rows = Array.from({ length: 40_000 }, (_, index) => `u${index}@mail.test,${text}`);
  const { id, key } = await startFile(lists, 'list.csv', `email,text\n${rows.join('\n')}\n`);
  await lists.jobs.pause(key);
  const { csv } = await linksOf(lists, id);
  let pages = 0;
  const { rows: read } = lists.jobs;
  Object.assign(lists.jobs, {
    rows: (...page: Parameters<typeof read>) => {
      pages += 1;
      return read(...page);
    },
  });
  const asked = request(csv);
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  await once(response, 'readable');
  // Nobody reads: what the sockets hold is read, and then the store waits too.
  let seen = -1;
  while (seen !== pages) {
    seen = pages;
    await lists.ask('{ __typename }');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(pages).toBeLessThan(80);
  response.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await lists.ask('{ __typename }');
  expect(pages).toBeLessThan(80);
  expect(lists.logged).toEqual([]);
});
