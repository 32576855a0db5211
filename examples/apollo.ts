import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedProtocolErrors, ServerError } from '@apollo/client/errors';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { RetryLink } from '@apollo/client/link/retry';
import { possibleTypes } from './apollo-possible-types.ts';

/** Was the connection lost, or does the gateway close? What it refused it would refuse again. */
const isPassing = (error: unknown): boolean =>
  CombinedProtocolErrors.is(error)
    ? error.errors.some(({ extensions }) => extensions?.code === 'GATEWAY_CLOSING')
    : !ServerError.is(error) || error.statusCode >= 500;

/** Subscriptions begin again; but those that take `after` are the application's to go on with (`followResults`). */
const retry = new RetryLink({
  delay: { initial: 250, max: 30_000, jitter: true },
  attempts: (count, { operationType, variables }, error) =>
    count < 10 && operationType === 'subscription' && !('after' in variables) && isPassing(error),
});

/** Queries, mutations, @defer and subscriptions, all over HTTP. */
export const createApolloClient = (url: string, key?: string): ApolloClient =>
  new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    incrementalHandler: new Defer20220824Handler(),
    link: ApolloLink.from([
      retry,
      new HttpLink({ uri: url, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } }),
    ]),
  });
