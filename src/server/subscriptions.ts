import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  executeSubscriptionEvent,
  GraphQLError,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/index.ts';
import type { RequestFaultCode } from './fault.ts';
import type { Finish } from './results.ts';

/**
 * The subscriptions that are live over HTTP, so that closing can end them: each gets a last result whose error says
 * that the gateway closes, and completes. Without it a client would take the end for that of what it watches. On a
 * WebSocket the code 1001 says the same.
 */
export type LiveSubscriptions = {
  readonly plugin: Plugin;
  /** Ends all of them, and each that begins later. */
  close(): void;
};

type Item = IteratorResult<ExecutionResult, undefined>;

const ended = { done: true, value: undefined } as const;

const farewell = (): Item => ({
  done: false,
  value: {
    errors: [
      new GraphQLError('The gateway closes: subscribe again.', {
        extensions: { code: 'GATEWAY_CLOSING' satisfies RequestFaultCode },
      }),
    ],
  },
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
  #isFarewellDue = false;

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
        this.#isEnded = true;
        this.#live.delete(this);
        return ended;
      }
      const result = await executeSubscriptionEvent({ ...this.#args, rootValue: value });
      return { done: false, value: this.#finish(result, this.#args.contextValue as Context) };
    } catch (fault) {
      this.#isEnded = true;
      this.#live.delete(this);
      throw fault;
    }
  }

  async return(): Promise<Item> {
    this.#isFarewellDue = false;
    await this.#stop();
    return ended;
  }

  async throw(error: unknown): Promise<Item> {
    this.#isFarewellDue = false;
    await this.#stop();
    throw error;
  }

  dismiss(): void {
    this.#isFarewellDue = true;
    // A source that fails to end is the hub's to report; the client's stream is ending either way.
    this.#stop().catch(() => undefined);
  }

  async #stop(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#live.delete(this);
    if (this.#resolve !== null) this.#resolve(this.#end());
    await this.#events.return?.();
  }

  #end(): Item {
    if (!this.#isFarewellDue) return ended;
    this.#isFarewellDue = false;
    return farewell();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const isStream = (result: unknown): result is AsyncIterable<unknown> =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result;

export const createLiveSubscriptions = (finish: Finish): LiveSubscriptions => {
  const live = new Set<Subscription>();
  let isClosed = false;

  const subscribe = async (args: ExecutionArgs): Promise<ExecutionResult | Subscription> => {
    const validated = validateSubscriptionArgs(args);
    if (!('schema' in validated)) return { errors: validated };
    const source = await createSourceEventStream(validated);
    if (!isStream(source)) return source;
    const subscription = new Subscription(source[Symbol.asyncIterator](), validated, { finish, live });
    if (!('request' in (args.contextValue as object))) return subscription;
    live.add(subscription);
    if (isClosed) subscription.dismiss();
    return subscription;
  };

  return {
    plugin: { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe as never) },
    close: () => {
      isClosed = true;
      for (const subscription of [...live]) subscription.dismiss();
    },
  };
};
