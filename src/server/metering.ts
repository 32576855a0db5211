/**
 * Between validation and execution, on every transport: what an operation asks for that its key does not open refuses
 * the whole of it, and so does a bucket that has not the points. Results say what they cost, in Shopify's shape.
 */
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { type Bill, type Context, type Price, planCost } from '../graphql/index.ts';
import { type Account, grants, scopeOf } from './account.ts';
import type { RequestFaultCode } from './fault.ts';
import { type Throttle, throttled, wordRefusal } from './throttle.ts';

export type MeteredContext = Context & { readonly account: Account };

const refuse = (
  code: RequestFaultCode,
  message: string,
  {
    status,
    headers,
    ...details
  }: { readonly status: number; readonly headers?: Record<string, string> } & Record<string, unknown>,
): GraphQLError =>
  new GraphQLError(message, {
    extensions: { code, ...details, http: { status, ...(headers === undefined ? {} : { headers }) } },
  });

/** @see https://shopify.dev/docs/api/usage/limits#rate-limits */
const printCost = ({ requested }: Bill, actual: number | null, bucket: Bill['bucket']) => ({
  requestedQueryCost: requested,
  actualQueryCost: actual,
  throttleStatus: bucket && {
    maximumAvailable: bucket.capacity,
    currentlyAvailable: Math.floor(bucket.left),
    restoreRate: bucket.refillPerSecond,
  },
});

const withCost = (result: ExecutionResult, cost: ReturnType<typeof printCost>): ExecutionResult => ({
  ...result,
  extensions: { ...result.extensions, cost },
});

/** An operation that only asks what may be asked is not charged for having asked. */
const findForbidden = (account: Account, needs: Price['needs']): GraphQLError | null => {
  const { key } = account;
  const need = needs.find(({ access }) => !grants(key, access));
  if (need === undefined) return null;
  const { access, coordinate } = need;
  const isPublishable = key?.kind === 'PUBLISHABLE' || access === 'anyone' || access === 'secret';
  return isPublishable
    ? refuse('FORBIDDEN', `The operation asks for ${coordinate}, which a publishable key does not open.`, {
        status: 403,
        coordinate,
      })
    : refuse(
        'FORBIDDEN',
        `The operation asks for ${coordinate}, which needs the scope ${scopeOf(access)}; this key lacks it.`,
        { status: 403, coordinate, scope: scopeOf(access) },
      );
};

const charge = async (throttle: Throttle, account: Account, requested: number) => {
  const outcome = await throttle.charge(account, requested);
  switch (outcome.kind) {
    case 'charged':
      return { bill: outcome.bill, error: null };
    case 'tooDear':
      return {
        bill: outcome.bill,
        error: refuse(
          'MAX_COST_EXCEEDED',
          `The operation costs ${requested} points, and the key may spend ${outcome.limit} a minute: ask for less at once.`,
          { status: 400, limit: outcome.limit },
        ),
      };
    case 'throttled': {
      const { bill, retryAfterSeconds } = outcome;
      return {
        bill,
        error: refuse(throttled, wordRefusal(outcome), {
          status: 429,
          headers: { 'retry-after': String(retryAfterSeconds) },
          retryAfterSeconds,
        }),
      };
    }
  }
};

/** The free and the open: no store is asked, and nothing is awaited. */
const openBills = new WeakMap<Price, Bill>();
const openBillOf = (price: Price): Bill => {
  let bill = openBills.get(price);
  if (bill === undefined) {
    bill = { requested: price.requested, bucket: null };
    openBills.set(price, bill);
  }
  return bill;
};

export const meteringPlugin = (throttle: Throttle): Plugin => {
  /** The result that is given instead of an execution; null when it may begin. */
  const admit = (args: ExecutionArgs): ExecutionResult | null | Promise<ExecutionResult | null> => {
    const context = args.contextValue as MeteredContext;
    const { account } = context;
    let price: Price;
    try {
      price = planCost(args.schema, args.document, args.operationName ?? null, args.variableValues ?? {});
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return { errors: [error] };
    }
    if (account.bucket === null) {
      context.bill = openBillOf(price);
      return null;
    }
    const forbidden = findForbidden(account, price.needs);
    if (forbidden !== null) return { errors: [forbidden] };
    return charge(throttle, account, price.requested).then(({ bill, error }) => {
      context.bill = bill;
      return error === null ? null : withCost({ errors: [error] }, printCost(bill, null, bill.bucket));
    });
  };

  const finish = ({ args, result, setResult }: FinishPayload): void => {
    const context = args.contextValue as MeteredContext;
    const { account, bill, lookups } = context;
    if (bill === null || isAsyncIterable(result)) return;
    const saved = Math.min(lookups.savedPoints, bill.requested);
    const bucket = throttle.giveBack(account, bill, saved);
    // What the headers tell as well.
    if (bucket !== bill.bucket) context.bill = { ...bill, bucket };
    setResult(withCost(result as ExecutionResult, printCost(bill, bill.requested - saved, bucket)) as never);
  };
  const executed = { onExecuteDone: finish };

  const begin = (
    { args, setResultAndStopExecution }: BeginPayload,
    hooks: object | undefined,
  ): object | undefined | Promise<object | undefined> => {
    const go = (refused: ExecutionResult | null) => {
      if (refused === null) return hooks;
      setResultAndStopExecution(refused as never);
      return undefined;
    };
    const admitted = admit(args);
    return admitted instanceof Promise ? admitted.then(go) : go(admitted);
  };

  return {
    onExecute: (payload) => begin(payload, executed) as never,
    onSubscribe: (payload) => begin(payload, undefined) as never,
  };
};

type BeginPayload = {
  readonly args: ExecutionArgs;
  readonly setResultAndStopExecution: (result: never) => void;
};

type FinishPayload = {
  readonly args: { readonly contextValue: unknown };
  readonly result: unknown;
  readonly setResult: (result: never) => void;
};
