import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hashDocument, readPersistedOperations } from '../../src/server/persisted.ts';
import { readOperation } from '../graphql/run.ts';
import { createTestServer, get, post } from './gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'rcpt-persisted-'));
afterAll(() => rmSync(folder, { recursive: true }));

const version = '{ gateway { version } }';
const hash = hashDocument(version);
const unknown = hashDocument('{ gateway { isSandbox } }');
const operations = new Map([[hash, version]]);

const write = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

describe('the documents', () => {
  test('of a folder: our own operations', () => {
    const read = readPersistedOperations('schema/operations');
    const document = readOperation('VerifyEmail');
    expect(read.get(hashDocument(document))).toBe(document);
    expect(read.size).toBe(14);
  });

  test.each([
    ['an object of hash to document', { [hash]: version }],
    ['a hash in capitals', { [hash.toUpperCase()]: version }],
    [
      "Apollo's manifest",
      {
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [{ id: hash, name: 'A', type: 'query', body: version }],
      },
    ],
  ])('%s', (_name, content) => {
    expect([...readPersistedOperations(write('list.json', content))]).toEqual([[hash, version]]);
  });

  test.each([
    ['nothing there', join(folder, 'nothing'), 'no such file'],
    ['no JSON', write('no.json', 'query {'), 'neither a folder nor a JSON object'],
    ['an array', write('array.json', [version]), 'neither a folder nor a JSON object'],
    ['an empty object', write('empty.json', {}), 'no document in it'],
    ["another document's hash", write('other.json', { [unknown]: version }), 'is not the SHA-256 hash'],
    [
      "Relay's MD5",
      write('md5.json', { '9b74c9897bac770ffc029102a200c5de': version }),
      'not the SHA-256 hash',
    ],
    ['a number', write('number.json', { [hash]: 7 }), 'each entry must be'],
    [
      'a manifest without operations',
      write('manifest.json', { format: 'apollo-persisted-query-manifest' }),
      'no operations',
    ],
  ])('%s stops the start', (_name, path, message) => {
    expect(() => readPersistedOperations(path)).toThrow(message);
    expect(() => readPersistedOperations(path)).toThrow(/^RCPT_PERSISTED_OPERATIONS: /);
  });
});

const persisted = (sha256Hash: unknown, query?: string) => ({
  ...(query === undefined ? {} : { query }),
  extensions: { persistedQuery: { version: 1, sha256Hash } },
});
const answerOf = async (response: Response) => {
  const { data, errors } = (await response.json()) as {
    data?: { gateway: unknown };
    errors?: { message: string; extensions: { code: string } }[];
  };
  return [response.status, data?.gateway ?? errors?.[0]?.extensions.code];
};
const found = { version: '1.2.3' };

const rows: readonly (readonly [
  name: string,
  mode: 'none' | 'some' | 'only',
  body: unknown,
  status: number,
  answer: unknown,
])[] = [
  ['a hash that is known', 'some', persisted(hash), 200, found],
  ['in capitals', 'some', persisted(hash.toUpperCase()), 200, found],
  ['a hash that is not', 'some', persisted(unknown), 200, 'PERSISTED_QUERY_NOT_FOUND'],
  ['a hash where there are none', 'none', persisted(hash), 200, 'PERSISTED_QUERY_NOT_SUPPORTED'],
  ['a hash with its document', 'none', persisted(hash, version), 200, found],
  ['a hash with another document', 'some', persisted(unknown, version), 400, 'PERSISTED_QUERY_MISMATCH'],
  ['a hash that is none', 'some', persisted('../../etc/passwd'), 400, 'PERSISTED_QUERY_MISMATCH'],
  ['a hash that is an object', 'some', persisted({ $ne: '' }), 400, 'PERSISTED_QUERY_MISMATCH'],
  ['null for a hash', 'some', { extensions: { persistedQuery: null } }, 400, 'PERSISTED_QUERY_MISMATCH'],
  ['a document, when all may run', 'some', { query: version }, 200, found],
  ['only those: by hash', 'only', persisted(hash), 200, found],
  ['only those: by its text', 'only', { query: version }, 200, found],
  ['only those: another document', 'only', { query: `${version} ` }, 403, 'PERSISTED_ONLY'],
  [
    'only those: another document under its own hash',
    'only',
    persisted(unknown, '{ gateway { isSandbox } }'),
    403,
    'PERSISTED_ONLY',
  ],
  [
    'only those: introspection',
    'only',
    { query: '{ __schema { queryType { name } } }' },
    403,
    'PERSISTED_ONLY',
  ],
  ['only those: nothing', 'only', {}, 400, 'BAD_REQUEST'],
  ['extensions that are no object', 'some', { extensions: [persisted(hash)] }, 400, 'BAD_REQUEST'],
];

const serverOf = (mode: 'none' | 'some' | 'only') =>
  createTestServer(
    mode === 'none'
      ? {}
      : { documents: { persistedOperations: operations, isPersistedOnly: mode === 'only' } },
  ).server;

describe('a request', () => {
  test.each(rows)('%s', async (_name, mode, body, status, answer) => {
    const accept = 'application/graphql-response+json, application/json';
    const response = await post(serverOf(mode), body, { accept });
    expect(await answerOf(response)).toEqual([status, answer]);
  });

  test('by GET, as a cache on the way would have it', async () => {
    const extensions = encodeURIComponent(JSON.stringify(persisted(hash).extensions));
    const response = await get(serverOf('only'), `/graphql?extensions=${extensions}`, {
      accept: 'application/json',
    });
    expect(await answerOf(response)).toEqual([200, found]);
  });

  test('what a client sends is never added', async () => {
    const server = serverOf('some');
    const document = '{ gateway { isSandbox } }';
    expect((await post(server, persisted(unknown, document))).status).toBe(200);
    expect(await answerOf(await post(server, persisted(unknown)))).toEqual([
      200,
      'PERSISTED_QUERY_NOT_FOUND',
    ]);
  });
});
