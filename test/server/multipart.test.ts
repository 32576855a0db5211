/** Files within a GraphQL request (GraphQL multipart request specification), and what no page of a stranger may send. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readOperation } from '../graphql/run.ts';
import { type Lists, openLists } from './lists.ts';

let lists: Lists;
beforeEach(async () => {
  lists = await openLists();
});
afterEach(() => lists.close());

const operations = JSON.stringify({
  query: readOperation('StartBulkJob'),
  variables: { input: { source: { file: null } } },
});
const map = JSON.stringify({ 0: ['variables.input.source.file'] });
const file = new File(['email,name\nada@mail.test,Ada\nbob@mail.test,Bob\n'], 'spring.csv');

const send = async (
  parts: readonly (readonly [string, string | File])[],
  headers: Record<string, string> = { 'graphql-require-preflight': '1' },
) => {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  // A body that says its length, as browsers send it.
  const encoded = new Response(form);
  const response = await fetch(`${lists.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': encoded.headers.get('content-type') ?? '', ...headers },
    body: await encoded.arrayBuffer(),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

const good = [
  ['operations', operations],
  ['map', map],
  ['0', file],
] as const;

test.each(['graphql-require-preflight', 'apollo-require-preflight'])('a file, with %s', async (header) => {
  const { body } = await send(good, { [header]: '1' });
  expect(body.data.startBulkJob).toMatchObject({ __typename: 'BulkJob', progress: { total: 2 } });
  const [job] = (await lists.jobs.list({ limit: 1, afterId: null, owner: null, states: null, search: null }))
    .items;
  expect(job?.list).toEqual({
    format: 'CSV',
    fileName: 'spring.csv',
    columns: ['email', 'name'],
    addressColumn: 0,
  });
  expect(lists.files()).toEqual([]);
});

describe('refused', () => {
  test('without the header that makes a browser ask first: it is named', async () => {
    const { status, body } = await send(good, {});
    expect([status, body.errors[0].extensions.code]).toEqual([403, 'PREFLIGHT_REQUIRED']);
    expect(body.errors[0].message).toContain('GraphQL-Require-Preflight');
    expect(await lists.jobCount()).toBe(0);
  });

  test('of a page of another origin, header or not', async () => {
    const { status } = await send(good, {
      'graphql-require-preflight': '1',
      origin: 'https://evil.example',
    });
    expect(status).toBe(403);
    expect(await lists.jobCount()).toBe(0);
  });

  const rows: readonly (readonly [string, readonly (readonly [string, string | File])[], number])[] = [
    ['two files', [...good, ['1', file]], 400],
    ['a third field', [['x', 'y'], ...good], 400],
    ['a thousand fields', Array.from({ length: 1_000 }, (_, index) => [`f${index}`, ''] as const), 400],
    ['operations of 300 KB', [['operations', operations + ' '.repeat(300_000)], ...good.slice(1)], 400],
    ['operations that are no JSON', [['operations', '{'], ...good.slice(1)], 200],
    ['no operations', good.slice(1), 200],
    ['a file of 11 MB', [...good.slice(0, 2), ['0', new File(['a'.repeat(11_000_000)], 'big.csv')]], 413],
  ];
  test.each(rows)('%s', async (_name, parts, status) => {
    const answer = await send(parts);
    expect(answer.status).toBe(status);
    expect(answer.body.errors).toHaveLength(1);
    expect(await lists.jobCount()).toBe(0);
    expect(lists.files()).toEqual([]);
    expect(await lists.ask('{ __typename }')).toEqual({ __typename: 'Query' });
  });
});

test('a file without a name, and one that is no list', async () => {
  const nameless = await send([...good.slice(0, 2), ['0', new File(['a@mail.test\n'], '')]]);
  expect(nameless.body.data.startBulkJob).toMatchObject({ progress: { total: 1 } });
  const picture = await send([...good.slice(0, 2), ['0', new File([new Uint8Array(1_000)], 'a.png')]]);
  expect(picture.body.data.startBulkJob).toMatchObject({
    __typename: 'BadFileError',
    code: 'BAD_FILE',
    message: expect.stringMatching(/\.$/),
  });
});
