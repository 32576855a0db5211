import { expect } from 'vitest';
import type { Progress } from './gateway.ts';

type Result = { readonly data?: { readonly bulkJobProgress: Progress } | null | undefined };

/** What the results of BulkJobProgress say. */
export const progressOf = async function* (results: AsyncIterable<Result>): AsyncGenerator<Progress> {
  for await (const { data } of results) {
    expect(data).toBeDefined();
    if (data) yield data.bulkJobProgress;
  }
};

/** Subscribes again when the connection is lost, as applications do whose client does not. */
export const again = async function* <Item>(subscribe: () => AsyncIterable<Item>): AsyncGenerator<Item> {
  for (;;) {
    try {
      yield* subscribe();
      return;
    } catch {
      // What was refused fails the test by its time.
    }
  }
};
