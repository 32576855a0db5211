import type { Plugin } from 'graphql-yoga';

/**
 * The subscriptions that are live, on whatever transport, so that closing can end them: each then completes as if
 * its source had ended, and its client knows that nothing more comes.
 */
export type LiveSubscriptions = {
  readonly plugin: Plugin;
  /** Ends all of them, and each that begins later. */
  close(): void;
};

type Stream = AsyncIterableIterator<unknown>;

const ended = { done: true, value: undefined } as const;

export const createLiveSubscriptions = (): LiveSubscriptions => {
  const live = new Set<Stream>();
  let isClosed = false;

  const end = (stream: Stream): void => {
    live.delete(stream);
    // A source that fails to end is the hub's to report; the client's stream is ending either way.
    stream.return?.()?.catch(() => undefined);
  };

  const track = (source: AsyncIterable<unknown>): Stream => {
    const iterator = source[Symbol.asyncIterator]();
    /** Resolves the `next` that is waiting now: whoever waits is told of the end even while the source is silent. */
    let finish: () => void = () => undefined;
    let isEnded = false;
    const stop = async (): Promise<void> => {
      isEnded = true;
      live.delete(stream);
      finish();
      await iterator.return?.();
    };
    const stream: Stream = {
      next: () =>
        new Promise((resolve, reject) => {
          if (isEnded) return resolve(ended);
          finish = () => resolve(ended);
          iterator.next().then((item) => {
            if (item.done) live.delete(stream);
            resolve(item);
          }, reject);
        }),
      return: async () => {
        await stop();
        return ended;
      },
      throw: async (error) => {
        await stop();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
    };
    live.add(stream);
    if (isClosed) end(stream);
    return stream;
  };

  return {
    plugin: {
      onSubscribe: () => ({
        onSubscribeResult: ({ result, setResult }) => {
          if (Symbol.asyncIterator in result) setResult(track(result) as never);
        },
      }),
    },
    close: () => {
      isClosed = true;
      for (const stream of [...live]) end(stream);
    },
  };
};
