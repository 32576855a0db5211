import { type ApolloClient, type DocumentNode, gql, type OperationVariables } from '@apollo/client';
import type { CombinedGraphQLErrors } from '@apollo/client/errors';
import { createApolloClient } from '../../../examples/apollo.ts';
import { createApolloWebSocketClient } from '../../../examples/apollo-websocket.ts';
import { iterate } from '../../../examples/iterate.ts';
import type { Open } from '../contract.ts';
import * as operations from './operations.ts';

const verifyEmail = gql(operations.verifyEmail);
const startBulkJob = gql(operations.startBulkJob);
const bulkJobProgress = gql(operations.bulkJobProgress);
const bulkJobResults = gql(operations.bulkJobResults);

/** Refusals in `errors`, as everybody else has them; what the link gave up on is thrown. */
const subscribe = <Data>(client: ApolloClient, query: DocumentNode, variables: OperationVariables) =>
  iterate<{ data?: Data; errors?: CombinedGraphQLErrors['errors'] }>((sink) => {
    const subscription = client.subscribe<Data>({ query, variables, fetchPolicy: 'no-cache' }).subscribe({
      next: ({ data, error }) => {
        if (error === undefined) sink.next({ data: data as Data });
        else if ('errors' in error) sink.next({ errors: (error as CombinedGraphQLErrors).errors });
        else sink.error(error);
      },
      error: sink.error,
      complete: sink.complete,
    });
    return () => subscription.unsubscribe();
  });

const openApollo =
  (create: (url: string) => ApolloClient): Open =>
  (url) => {
    const client = create(url);
    return {
      verify: async (variables) => (await client.query({ query: verifyEmail, variables })).data,
      start: async (variables) => (await client.mutate({ mutation: startBulkJob, variables })).data,
      watch: (variables) => subscribe<operations.Watched>(client, bulkJobProgress, variables),
      subscribe: (variables) => subscribe<operations.Results>(client, bulkJobResults, variables),
      close: () => client.stop(),
    };
  };

export const openApolloHttp = openApollo(createApolloClient);

export const openApolloWebSocket = openApollo(createApolloWebSocketClient);
