/**
 * `@defer` and `@stream`, for clients that say which of the two wire formats they read. They differ, and no client
 * reads what it did not ask for:
 *
 *     Accept: multipart/mixed;deferSpec=20220824     `incremental: [{ data, path, label }]`
 *     Accept: multipart/mixed;incrementalSpec=v0.2   `pending`, `incremental: [{ id, data }]`, `completed`
 *
 * Without such a parameter (`multipart/mixed`, `text/event-stream`, graphql-ws) the later one is sent, which is graphql 17's.
 * Yoga's own executor knows only the earlier one and runs whatever does neither.
 */
import {
  BREAK,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  experimentalExecuteIncrementally,
  GraphQLError,
  legacyExecuteIncrementally,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/index.ts';
import type { RequestFaultCode } from './fault.ts';

type Payload = ExecutionResult | object;

type Incremental = {
  readonly initialResult: object;
  readonly subsequentResults: AsyncGenerator<object, void, void>;
};

const known = new WeakMap<DocumentNode, boolean>();

/** Remembered for each document, as documents are. */
const isIncremental = (document: DocumentNode): boolean => {
  let found = known.get(document);
  if (found === undefined) {
    let isFound = false;
    visit(document, {
      Directive: ({ name }) => {
        if (name.value !== 'defer' && name.value !== 'stream') return undefined;
        isFound = true;
        return BREAK;
      },
    });
    found = isFound;
    known.set(document, found);
  }
  return found;
};

/** Null: the client takes one result and no more. */
const chooseExecutor = (accept: string | null | undefined) => {
  if (accept === undefined) return experimentalExecuteIncrementally;
  const text = (accept ?? '*/*').toLowerCase();
  if (/multipart\/mixed[^,]*;\s*deferspec="?20220824/.test(text)) return legacyExecuteIncrementally;
  return /multipart\/(?:mixed|\*)|text\/(?:event-stream|\*)|\*\/\*/.test(text)
    ? experimentalExecuteIncrementally
    : null;
};

/** One stream; ending it ends what is still under way, at once. */
const flatten = ({ initialResult, subsequentResults }: Incremental): AsyncGenerator<Payload, void, void> => {
  let isFirst = true;
  const stream: AsyncGenerator<Payload, void, void> = {
    next: () => {
      if (!isFirst) return subsequentResults.next();
      isFirst = false;
      return Promise.resolve({ value: initialResult, done: false });
    },
    return: () => subsequentResults.return(),
    throw: (error) => subsequentResults.throw(error),
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await subsequentResults.return();
    },
  };
  return stream;
};

const notAccepted = (): ExecutionResult => ({
  errors: [
    new GraphQLError(
      '@defer and @stream answer in parts: accept multipart/mixed;deferSpec=20220824, multipart/mixed;incrementalSpec=v0.2 or text/event-stream.',
      {
        extensions: {
          code: 'INCREMENTAL_NOT_ACCEPTED' satisfies RequestFaultCode,
          http: { status: 406 },
        },
      },
    ),
  ],
});

const executeIncrementally = async (
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncGenerator<Payload>> => {
  const { request, signal } = args.contextValue as Context & { readonly request?: Request };
  const execute = chooseExecutor(request?.headers.get('accept'));
  if (execute === null) return notAccepted();
  const result = await execute({ ...args, abortSignal: signal });
  return 'initialResult' in result ? flatten(result as Incremental) : result;
};

export const incrementalPlugin: Plugin = {
  onExecute: ({ args, setExecuteFn }) => {
    if (isIncremental(args.document)) setExecuteFn(executeIncrementally as never);
  },
};
