import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Keys } from '../keys/index.ts';
import { type Account, accountError, ended as endedKey } from './account.ts';
import type { RequestFaultCode } from './fault.ts';

/**
 * The subscriptions that are live over HTTP, so that closing can end them, and the end of the key that they were asked
 * with: each gets a last result whose error says why, and completes. Without it a client would take the end for that of what it watches. On a
 * WebSocket the code 1001 says the same.
 */
export type LiveSubscriptions = {
  readonly plugin: Plugin;
  /** Ends all of them, and each that begins later. */
  close(): void;
};

type Stream = AsyncIterableIterator<unknown>;

const ended = { done: true, value: undefined } as const;

const closing = (): GraphQLError =>
  new GraphQLError('The gateway closes: subscribe again.', {
    extensions: { code: 'GATEWAY_CLOSING' satisfies RequestFaultCode },
  });

const farewellWith = (error: GraphQLError): IteratorResult<unknown> => ({
  done: false,
  value: { errors: [error] },
});

export const createLiveSubscriptions = (keys: Pick<Keys, 'onEnd'>): LiveSubscriptions => {
  const live = new Map<Stream, (why: GraphQLError) => void>();
  let isClosed = false;

  const track = (source: AsyncIterable<unknown>, { key }: Account): Stream => {
    const iterator = source[Symbol.asyncIterator]();
    /** Resolves the `next` that is waiting now: whoever waits is told of the end even while the source is silent. */
    let finish: (() => void) | null = null;
    let isEnded = false;
    /** To be told by the next `next`: nobody was waiting when it became due. */
    let farewell: GraphQLError | null = null;
    let unwatch: (() => void) | null = null;
    const forget = (): void => {
      live.delete(stream);
      unwatch?.();
      unwatch = null;
    };
    const stop = async (): Promise<void> => {
      if (isEnded) return;
      isEnded = true;
      forget();
      finish?.();
      await iterator.return?.();
    };
    const dismiss = (why: GraphQLError): void => {
      farewell = why;
      // A source that fails to end is the hub's to report; the client's stream is ending either way.
      stop().catch(() => undefined);
    };
    const end = (): IteratorResult<unknown> => {
      if (farewell === null) return ended;
      const told = farewellWith(farewell);
      farewell = null;
      return told;
    };
    const stream: Stream = {
      next: () =>
        new Promise((resolve, reject) => {
          if (isEnded) return resolve(end());
          finish = () => resolve(end());
          iterator.next().then((item) => {
            finish = null;
            if (isEnded) return;
            if (item.done) forget();
            resolve(item);
          }, reject);
        }),
      return: async () => {
        farewell = null;
        await stop();
        return ended;
      },
      throw: async (error) => {
        farewell = null;
        await stop();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
    };
    live.set(stream, dismiss);
    if (key !== null) unwatch = keys.onEnd(key.id, () => dismiss(accountError(endedKey)));
    if (isClosed) dismiss(closing());
    return stream;
  };

  return {
    plugin: {
      onSubscribe: ({ args }) => {
        const context = args.contextValue as unknown as {
          readonly account: Account;
          readonly request?: Request;
        };
        if (context.request === undefined) return undefined;
        return {
          onSubscribeResult: ({ result, setResult }) => {
            if (Symbol.asyncIterator in result) setResult(track(result, context.account) as never);
          },
        };
      },
    },
    close: () => {
      isClosed = true;
      for (const dismiss of [...live.values()]) dismiss(closing());
    },
  };
};
