import { type ApolloClient, gql } from '@apollo/client';
import { createApolloClient } from '../../../examples/apollo.ts';
import { subscribeByApollo } from '../../../examples/apollo-subscribe.ts';
import { createApolloWebSocketClient } from '../../../examples/apollo-websocket.ts';
import type { Open } from '../contract.ts';
import * as operations from './operations.ts';

const verifyEmail = gql(operations.verifyEmail);
const startBulkJob = gql(operations.startBulkJob);
const bulkJobProgress = gql(operations.bulkJobProgress);
const bulkJobResults = gql(operations.bulkJobResults);

const openApollo =
  (create: (url: string, key?: string) => ApolloClient): Open =>
  (url, key) => {
    const client = create(url, key);
    return {
      verify: async (variables) => (await client.query({ query: verifyEmail, variables })).data,
      start: async (variables) => (await client.mutate({ mutation: startBulkJob, variables })).data,
      watch: (variables) => subscribeByApollo<operations.Watched>(client, bulkJobProgress, variables),
      subscribe: (variables) => subscribeByApollo<operations.Results>(client, bulkJobResults, variables),
      close: () => client.stop(),
    };
  };

export const openApolloHttp = openApollo(createApolloClient);

export const openApolloWebSocket = openApollo(createApolloWebSocketClient);
