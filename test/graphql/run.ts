import { readFileSync } from 'node:fs';
import { type ExecutionResult, experimentalExecuteIncrementally, parse, subscribe, validate } from 'graphql';
import { type Context, createContext, type Services, schema, viewServices } from '../../src/graphql/index.ts';

/** The text of a client document in `schema/operations`. */
export const readOperation = (name: string): string =>
  readFileSync(new URL(`../../schema/operations/${name}.graphql`, import.meta.url), 'utf8');

export const contextFor = (
  services: Services,
  signal = new AbortController().signal,
  owner: string | null = null,
): Context => {
  const context = createContext(viewServices(services, { owner, seesAll: owner === null }), {
    owner,
    client: null,
    requestId: 'test',
    signal,
    printUploadUrl: ({ id }) => `http://rcpt.test/uploads/${id}`,
    printResultsUrl: (jobId, format) => `http://rcpt.test/results/${jobId}.${format.toLowerCase()}`,
  });
  context.bill = { requested: 0, bucket: null };
  return context;
};

type Answer = ExecutionResult<Record<string, unknown>>;

const prepare = (source: string) => {
  const document = parse(source);
  const faults = validate(schema, document);
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('\n'));
  return document;
};

/** One query or mutation, with a context of its own unless one is given. */
export const run = async (
  services: Services,
  source: string,
  variableValues: Record<string, unknown> = {},
  contextValue = contextFor(services),
  operationName?: string,
): Promise<Answer> =>
  // With @defer in the schema it is this one; what has no @defer in it is answered whole.
  (await experimentalExecuteIncrementally({
    schema,
    document: prepare(source),
    variableValues,
    contextValue,
    ...(operationName === undefined ? {} : { operationName }),
  })) as Answer;

/** The stream of a subscription, or the result that refused it. */
export const watch = async (
  services: Services,
  source: string,
  variableValues: Record<string, unknown> = {},
): Promise<AsyncIterableIterator<Answer> | Answer> =>
  (await subscribe({
    schema,
    document: prepare(source),
    variableValues,
    contextValue: contextFor(services),
  })) as AsyncIterableIterator<Answer> | Answer;

/** `extensions.code` of each error. */
export const codesOf = ({ errors = [] }: Answer): unknown[] =>
  errors.map(({ extensions }) => extensions.code);
