import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestFaultCode } from './fault.ts';

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

type Stream = AsyncIterableIterator<unknown>;

const ended = { done: true, value: undefined } as const;

const farewell = (): IteratorResult<unknown> => ({
  done: false,
  value: {
    errors: [
      new GraphQLError('The gateway closes: subscribe again.', {
        extensions: { code: 'GATEWAY_CLOSING' satisfies RequestFaultCode },
      }),
    ],
  },
});

export const createLiveSubscriptions = (): LiveSubscriptions => {
  const live = new Map<Stream, () => void>();
  let isClosed = false;

  const track = (source: AsyncIterable<unknown>): Stream => {
    const iterator = source[Symbol.asyncIterator]();
    /** Resolves the `next` that is waiting now: whoever waits is told of the end even while the source is silent. */
    let finish: (() => void) | null = null;
    let isEnded = false;
    /** To be told by the next `next`: nobody was waiting when it became due. */
    let isFarewellDue = false;
    const stop = async (): Promise<void> => {
      if (isEnded) return;
      isEnded = true;
      live.delete(stream);
      finish?.();
      await iterator.return?.();
    };
    const dismiss = (): void => {
      isFarewellDue = true;
      // A source that fails to end is the hub's to report; the client's stream is ending either way.
      stop().catch(() => undefined);
    };
    const end = (): IteratorResult<unknown> => {
      if (!isFarewellDue) return ended;
      isFarewellDue = false;
      return farewell();
    };
    const stream: Stream = {
      next: () =>
        new Promise((resolve, reject) => {
          if (isEnded) return resolve(end());
          finish = () => resolve(end());
          iterator.next().then((item) => {
            finish = null;
            if (isEnded) return;
            if (item.done) live.delete(stream);
            resolve(item);
          }, reject);
        }),
      return: async () => {
        isFarewellDue = false;
        await stop();
        return ended;
      },
      throw: async (error) => {
        isFarewellDue = false;
        await stop();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
    };
    live.set(stream, dismiss);
    if (isClosed) dismiss();
    return stream;
  };

  return {
    plugin: {
      onSubscribe: ({ args }) => {
        if (!('request' in (args.contextValue as object))) return undefined;
        return {
          onSubscribeResult: ({ result, setResult }) => {
            if (Symbol.asyncIterator in result) setResult(track(result) as never);
          },
        };
      },
    },
    close: () => {
      isClosed = true;
      for (const dismiss of [...live.values()]) dismiss();
    },
  };
};
