import type { Client } from '@urql/core';
import { toAsyncIterable } from 'wonka';
import type { Result } from './resubscribe.ts';

/** One subscription, for `resubscribe` and `followResults`. A connection that is lost is the last result's `networkError`. */
export async function* subscribeByUrql<Data>(
  client: Client,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): AsyncGenerator<Result<Data>, void, void> {
  // urql knows operations by their variables: those that change later must not be its own.
  for await (const { data, error } of toAsyncIterable(client.subscription<Data>(query, { ...variables }))) {
    if (error?.networkError) throw error.networkError;
    yield { data, errors: error?.graphQLErrors };
  }
}
