/**
 * Persisted operations: documents that the operator keeps beside the gateway and clients name by their SHA-256 hash, as
 * Apollo's automatic persisted queries do (`extensions.persistedQuery.sha256Hash`). Nothing that a client sends is ever
 * added: what may run is decided where the documents are built.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GraphQLError } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import type { RequestFaultCode } from './fault.ts';
import { mostPersistedOperations, mostPersistedText } from './limits.ts';

/** Document by the lower-case hexadecimal hash of its text. */
export type PersistedOperations = ReadonlyMap<string, string>;

/** The operator named something that holds no documents: the start stops with this line. */
export class PersistedOperationsError extends Error {
  override readonly name = 'PersistedOperationsError';
  readonly code = 'BAD_PERSISTED_OPERATIONS';
}

export const hashDocument = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/**
 * A folder of `.graphql` files, each of which is one document; or a JSON file: an object of hash to document (what Relay's
 * compiler writes with `"algorithm": "SHA256"`), or a manifest of Apollo's.
 * @throws PersistedOperationsError with one line that names the file
 */
export const readPersistedOperations = (path: string): PersistedOperations => {
  const fail = (what: string): never => {
    throw new PersistedOperationsError(`RCPT_PERSISTED_OPERATIONS: ${path}: ${what}`);
  };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return fail('there is no such file or folder');
  const texts = stat.isDirectory() ? readFolder(path) : readList(path, stat.size, fail);
  const operations = new Map<string, string>();
  let characters = 0;
  for (const [hash, text] of texts) {
    const own = hashDocument(text);
    if (hash !== null && hash.toLowerCase() !== own)
      fail(`${hash.slice(0, 80)} is not the SHA-256 hash of its document`);
    characters += text.length;
    operations.set(own, text);
    if (operations.size > mostPersistedOperations || characters > mostPersistedText)
      fail(`more than ${mostPersistedOperations} documents, or ${mostPersistedText} characters of them`);
  }
  return operations.size === 0 ? fail('there is no document in it') : operations;
};

/** Each document with the hash that it claims to have; null when it claims none. */
type Texts = Iterable<readonly [hash: string | null, text: string]>;

const readFolder = function* (path: string): Generator<readonly [null, string]> {
  for (const file of readdirSync(path).toSorted())
    if (/\.(?:graphql|gql)$/.test(file)) yield [null, readFileSync(join(path, file), 'utf8')];
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readList = (path: string, octets: number, fail: (what: string) => never): Texts => {
  // A character has one to four octets, and JSON escapes double some.
  if (octets > 8 * mostPersistedText) return fail('it is too large');
  const json = parseJson(readFileSync(path, 'utf8'));
  if (!isObject(json)) return fail('it is neither a folder nor a JSON object');
  const manifest = json.format === 'apollo-persisted-query-manifest' ? json.operations : null;
  if (manifest !== null && !Array.isArray(manifest)) return fail('the manifest has no operations');
  const rows =
    manifest === null
      ? Object.entries(json)
      : manifest.map((row: unknown) => (isObject(row) ? [row.id, row.body] : [null, null]));
  return rows.map(([hash, text]) =>
    typeof hash === 'string' && typeof text === 'string'
      ? [hash, text]
      : fail('each entry must be a hash and the text of a document'),
  );
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const refuse = (code: RequestFaultCode, message: string, status: number): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status } } });

const readHash = (extensions: unknown): string | null => {
  if (!isObject(extensions) || extensions.persistedQuery === undefined) return null;
  const { persistedQuery } = extensions;
  const hash = isObject(persistedQuery) ? persistedQuery.sha256Hash : null;
  if (typeof hash === 'string' && /^[0-9a-f]{64}$/i.test(hash)) return hash.toLowerCase();
  throw refuse('PERSISTED_QUERY_MISMATCH', 'persistedQuery.sha256Hash must be 64 hexadecimal digits.', 400);
};

/**
 * The parameters with the document that they name.
 * @throws GraphQLError with a code: the hash is not known (Apollo's link then sends the document), it is another
 *   document's, or only persisted documents may run and this is none
 */
export const resolvePersisted = <Params extends GraphQLParams>(
  params: Params,
  options: { readonly operations: PersistedOperations | null; readonly isPersistedOnly: boolean },
): Params => {
  const { operations, isPersistedOnly } = options;
  const hash = readHash(params.extensions);
  const query = params.query === '' ? undefined : params.query;
  if (hash === null && !isPersistedOnly) return params;
  if (query === undefined || query === null) {
    if (hash === null) return params;
    if (operations === null) throw refuse('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', 200);
    const known = operations.get(hash);
    // Apollo's and urql's links know these two messages and send the document next.
    if (known === undefined) throw refuse('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', 200);
    return { ...params, query: known };
  }
  if (typeof query !== 'string') return params;
  const own = hashDocument(query);
  if (hash !== null && hash !== own)
    throw refuse('PERSISTED_QUERY_MISMATCH', 'The hash is not that of the document that came with it.', 400);
  if (isPersistedOnly && operations?.has(own) !== true)
    throw refuse('PERSISTED_ONLY', 'Only the documents that the operator of the gateway keeps may run.', 403);
  return params;
};
