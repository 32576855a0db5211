import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  executeSubscriptionEvent,
  GraphQLError,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/index.ts';
import type { Keys } from '../keys/index.ts';
import { type Account, accountError, endOf } from './account.ts';
import type { RequestFaultCode } from './fault.ts';
import { inTurns } from './in-turns.ts';
import type { Finish } from './results.ts';

/**
 * The subscriptions that are live over HTTP, so that closing can end them, and the end of the key that they were asked
 * with: each gets a last result whose error says why, and completes. Without it a client would take the end for that of
 * what it watches. On a WebSocket the code 1001 or 4401 says the same.
 */
export type LiveSubscriptions = {
  readonly plugin: Plugin;
  /** Ends all of them, and each that begins later. */
  close(): void;
};

type Item = IteratorResult<ExecutionResult, undefined>;

const ended = { done: true, value: undefined } as const;

const closing = (): GraphQLError =>
  new GraphQLError('The gateway closes: subscribe again.', {
    extensions: { code: 'GATEWAY_CLOSING' satisfies RequestFaultCode },
  });

/**
 * From a source's events to finished results. One object, where Yoga's executor and its hooks have seven iterators in each
 * other with a promise each: most subscriptions are silent most of the time, and that is what they weigh.
 */
class Subscription implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #events: AsyncIterator<unknown>;
  readonly #args: ValidatedSubscriptionArgs;
  readonly #finish: Finish;
  /** Those that are told when the gateway closes; itself among them until its end. */
  readonly #live: Set<Subscription>;
  /** Resolves the `next` that is waiting now: whoever waits is told of the end even while the source is silent. */
  #resolve: ((item: Item) => void) | null = null;
  #isEnded = false;
  /** To be told by the next `next`: nobody was waiting when it became due. */
  #farewell: GraphQLError | null = null;
  /** Leaves those that are told when the key ends. */
  #unwatch: (() => void) | null = null;

  constructor(
    events: AsyncIterator<unknown>,
    args: ValidatedSubscriptionArgs,
    options: { readonly finish: Finish; readonly live: Set<Subscription> },
  ) {
    this.#events = events;
    this.#args = args;
    this.#finish = options.finish;
    this.#live = options.live;
  }

  next(): Promise<Item> {
    if (this.#isEnded) return Promise.resolve(this.#end());
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#take().then(resolve, reject);
    });
  }

  async #take(): Promise<Item> {
    try {
      const { done, value } = await this.#events.next();
      if (done || this.#isEnded) {
        this.#forget();
        return ended;
      }
      const result = await executeSubscriptionEvent({ ...this.#args, rootValue: value });
      return { done: false, value: this.#finish(result, this.#args.contextValue as Context) };
    } catch (fault) {
      this.#forget();
      throw this.#mask(fault);
    }
  }

  /** Of a source that broke. */
  #mask(fault: unknown): unknown {
    const { errors } = this.#finish({ errors: [fault as GraphQLError] }, this.#args.contextValue as Context);
    return errors?.[0];
  }

  async return(): Promise<Item> {
    this.#farewell = null;
    await this.#stop();
    return ended;
  }

  async throw(error: unknown): Promise<Item> {
    this.#farewell = null;
    await this.#stop();
    throw error;
  }

  /** Counts among the live from now on, until its end. */
  track(keys: Pick<Keys, 'onEnd'>, account: Account): void {
    this.#live.add(this);
    this.#unwatch = keys.onEnd(account.key?.id ?? null, () => this.dismiss(accountError(endOf(account))));
  }

  #forget(): void {
    this.#isEnded = true;
    this.#live.delete(this);
    this.#unwatch?.();
    this.#unwatch = null;
  }

  dismiss(why: GraphQLError): void {
    this.#farewell = why;
    // A source that fails to end is the hub's to report; the client's stream is ending either way.
    this.#stop().catch(() => undefined);
  }

  async #stop(): Promise<void> {
    if (this.#isEnded) return;
    this.#forget();
    if (this.#resolve !== null) this.#resolve(this.#end());
    await this.#events.return?.();
  }

  #end(): Item {
    if (this.#farewell === null) return ended;
    const errors = [this.#farewell];
    this.#farewell = null;
    return { done: false, value: { errors } };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export const createLiveSubscriptions = (options: {
  readonly keys: Pick<Keys, 'onEnd'>;
  readonly finish: Finish;
}): LiveSubscriptions => {
  const { keys, finish } = options;
  const live = new Set<Subscription>();
  let isClosed = false;

  const subscribe = async (args: ExecutionArgs): Promise<ExecutionResult | Subscription> => {
    const validated = validateSubscriptionArgs(args);
    if (!('schema' in validated)) return { errors: validated };
    const source = await createSourceEventStream(validated);
    if (!isAsyncIterable(source)) return source;
    const subscription = new Subscription(source[Symbol.asyncIterator](), validated, { finish, live });
    const context = args.contextValue as { readonly account: Account; readonly request?: Request };
    if (context.request === undefined) return subscription;
    subscription.track(keys, context.account);
    if (isClosed) subscription.dismiss(closing());
    return subscription;
  };

  return {
    plugin: { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe as never) },
    close: () => {
      isClosed = true;
      const why = closing();
      void inTurns([...live], (subscription) => subscription.dismiss(why));
    },
  };
};
