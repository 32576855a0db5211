import type { ApolloClient, DocumentNode, OperationVariables } from '@apollo/client';
import { CombinedGraphQLErrors, CombinedProtocolErrors, ServerError } from '@apollo/client/errors';
import { iterate } from './iterate.ts';
import type { Fault, Result } from './resubscribe.ts';

/** What the gateway refused, whichever way Apollo tells it; undefined: the connection was lost. */
const readFaults = (error: Error): readonly Fault[] | undefined => {
  if (CombinedGraphQLErrors.is(error) || CombinedProtocolErrors.is(error))
    return error.errors as readonly Fault[];
  if (ServerError.is(error) && error.statusCode < 500) return JSON.parse(error.bodyText).errors;
  const [, code] = /^Socket closed with event 44\d\d (\w+)$/.exec(error.message) ?? [];
  return code === undefined ? undefined : [{ message: error.message, extensions: { code } }];
};

/** One subscription, for `resubscribe` and `followResults`. */
export const subscribeByApollo = <Data>(
  client: ApolloClient,
  query: DocumentNode,
  variables: OperationVariables,
): AsyncGenerator<Result<Data>, void> =>
  iterate<Result<Data>>((sink) => {
    const subscription = client.subscribe<Data>({ query, variables, fetchPolicy: 'no-cache' }).subscribe({
      next: ({ data, error }) => {
        const errors = error && readFaults(error);
        if (error && !errors) sink.error(error);
        else sink.next({ data: data as Data, errors });
      },
      error: sink.error,
      complete: sink.complete,
    });
    return () => subscription.unsubscribe();
  });
