/**
 * From whoever makes events to one reader. A reader that stops reading costs `most` events and no more: the oldest
 * are dropped, so that what it reads next is the newest there is.
 */
export type EventQueue<Event> = {
  push(event: Event): void;
  /** No more will come: what is queued is still read, then it completes. */
  finish(): void;
  /** At once: what is queued is dropped, a pending `next` resolves. */
  end(): void;
  readonly iterator: AsyncIterableIterator<Event, undefined>;
};

type Answer<Event> = (result: IteratorResult<Event, undefined>) => void;

/** @param onEnd called once, when the reader needs nothing more */
export const createEventQueue = <Event>(most: number, onEnd: () => void): EventQueue<Event> => {
  let queued: Event[] = [];
  // More than one only when a reader does not wait for its answers; GraphQL's does.
  let asked: Answer<Event>[] = [];
  let isFinished = false;
  let isEnded = false;

  const end = (): void => {
    if (isEnded) return;
    isEnded = isFinished = true;
    queued = [];
    for (const answer of asked) answer({ value: undefined, done: true });
    asked = [];
    onEnd();
  };
  const iterator: AsyncIterableIterator<Event, undefined> = {
    next: () => {
      const event = queued.shift();
      if (event !== undefined) return Promise.resolve({ value: event, done: false });
      if (isFinished) end();
      return isEnded
        ? Promise.resolve({ value: undefined, done: true })
        : new Promise((resolve) => asked.push(resolve));
    },
    return: () => {
      end();
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return {
    iterator,
    end,
    push: (event) => {
      if (isFinished) return;
      const answer = asked.shift();
      if (answer) return answer({ value: event, done: false });
      queued.push(event);
      if (queued.length > most) queued.shift();
    },
    finish: () => {
      isFinished = true;
      if (queued.length === 0) end();
    },
  };
};
