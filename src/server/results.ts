import type { ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/index.ts';
import { maskFault, printError, withExtensions } from './fault.ts';
import type { Logger } from './log.ts';

type Result = ExecutionResult;
type Done = {
  readonly args: { readonly contextValue: unknown };
  readonly result: unknown;
  readonly setResult: (result: never) => void;
};

type Mask = (error: GraphQLError) => GraphQLError;

const maskErrors = <Part extends { readonly errors?: readonly GraphQLError[] }, Masked>(
  part: Part,
  mask: (error: GraphQLError) => Masked,
) => (part.errors ? { ...part, errors: part.errors.map(mask) } : part);

/** What `@defer` and `@stream` send later has its errors further inside, in either format. */
const maskParts = (result: Result, mask: Mask): Result => {
  const parts = result as {
    readonly incremental?: readonly object[];
    readonly completed?: readonly object[];
  };
  if (parts.incremental === undefined && parts.completed === undefined) return result;
  /** Yoga takes what only steers HTTP out of the errors of a whole result, and not of these. */
  const maskInner = (error: GraphQLError) => printError(mask(error));
  return {
    ...result,
    ...(parts.incremental && { incremental: parts.incremental.map((part) => maskErrors(part, maskInner)) }),
    ...(parts.completed && { completed: parts.completed.map((part) => maskErrors(part, maskInner)) }),
  };
};

/** Gives a result of an operation as it may leave. */
export type Finish = (result: Result, context: Pick<Context, 'requestId'>) => Result;

/** In the sandbox: a word that all of it is simulated. */
const simulate = (result: Result): Result =>
  result.extensions?.simulated === true
    ? result
    : { ...result, extensions: { ...result.extensions, simulated: true } };

/**
 * What every result has before it leaves, on every transport: errors with a code and a request id, bugs masked, and
 * in the sandbox a word that all of it is simulated. Results without errors pass untouched otherwise.
 */
export const createFinish =
  (options: { readonly logger: Logger; readonly isSandbox: boolean }): Finish =>
  (result, { requestId }) => {
    const { logger, isSandbox } = options;
    const mask = (error: GraphQLError) => withExtensions(maskFault(error, logger, requestId), { requestId });
    const finished = maskParts(maskErrors(result, mask), mask);
    return isSandbox ? simulate(finished) : finished;
  };

/** Finishes what is executed. The events of subscriptions are finished as they come (`subscriptions.ts`). */
export const resultsPlugin = (finishResult: Finish): Plugin => {
  const finish = ({ args, result, setResult }: Done): void => {
    const finished = finishResult(result as Result, args.contextValue as Context);
    if (finished !== result) setResult(finished as never);
  };
  const finishEach = { onNext: finish };
  const onDone = (payload: Done) => {
    if (isAsyncIterable(payload.result)) return finishEach;
    finish(payload);
    return undefined;
  };
  const executeHooks = { onExecuteDone: onDone } as never;
  const subscribeHooks = {
    onSubscribeResult: (payload: Done) => {
      if (!isAsyncIterable(payload.result)) finish(payload);
    },
  } as never;

  return {
    onExecute: () => executeHooks,
    onSubscribe: () => subscribeHooks,
    onValidate: () => codeValidation as never,
    // HTTP only, and the one place that sees errors from before execution too.
    onResultProcess: ({ result, setResult, serverContext }) => {
      if (isAsyncIterable(result) || Array.isArray(result)) return;
      const { requestId } = serverContext as unknown as { readonly requestId: string };
      const finished = finishResult(result as Result, { requestId });
      if (finished !== result) setResult(finished);
    },
  };
};

/** Errors of validation come without a code. */
const codeValidation = ({
  valid,
  result,
  setResult,
}: {
  valid: boolean;
  result: readonly GraphQLError[];
  setResult: (errors: readonly GraphQLError[]) => void;
}): void => {
  if (!valid)
    setResult(
      result.map((error) =>
        error.extensions.code === undefined ? withExtensions(error, { code: 'VALIDATION_FAILED' }) : error,
      ),
    );
};
