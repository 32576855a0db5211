/** What subscriptions of most clients call. */
export type Sink<Item> = {
  next(item: Item): void;
  error(error: unknown): void;
  complete(): void;
};

/** Turns callbacks into something that `for await` reads; leaving the loop unsubscribes. */
export async function* iterate<Item>(start: (sink: Sink<Item>) => () => void): AsyncGenerator<Item, void> {
  const items: Item[] = [];
  let end: { readonly error?: unknown } | null = null;
  let wake = (): void => undefined;
  const stop = start({
    next: (item) => {
      items.push(item);
      wake();
    },
    error: (error) => {
      end ??= { error };
      wake();
    },
    complete: () => {
      end ??= {};
      wake();
    },
  });
  try {
    for (;;) {
      const [item] = items.splice(0, 1);
      if (item !== undefined) yield item;
      else if (end === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if ('error' in end) throw (end as { error: unknown }).error;
      else return;
    }
  } finally {
    stop();
  }
}
