import type { Client } from '@urql/core';
import { toAsyncIterable } from 'wonka';
import { createUrqlClient } from '../../../examples/urql.ts';
import { createUrqlWebSocketClient } from '../../../examples/urql-websocket.ts';
import type { Open } from '../contract.ts';
import {
  bulkJobProgress,
  bulkJobResults,
  type Results,
  startBulkJob,
  verifyEmail,
  type Watched,
} from './operations.ts';

/** A lost connection is a result with `networkError`, and refusals are in `graphQLErrors`. */
const subscribe = async function* <Data>(client: Client, query: string, variables: Record<string, unknown>) {
  for await (const { data, error } of toAsyncIterable(client.subscription<Data>(query, variables))) {
    if (error?.networkError) throw error.networkError;
    yield { data, errors: error?.graphQLErrors };
  }
};

const openUrql =
  (create: (url: string) => Client): Open =>
  (url) => {
    const client = create(url);
    return {
      verify: async (variables) => (await client.query(verifyEmail, variables)).data,
      start: async (variables) => (await client.mutation(startBulkJob, variables)).data,
      watch: (variables) => subscribe<Watched>(client, bulkJobProgress, variables),
      subscribe: (variables) => subscribe<Results>(client, bulkJobResults, { ...variables }),
      close: () => undefined,
    };
  };

export const openUrqlFetch = openUrql(createUrqlClient);

export const openUrqlWebSocket = openUrql(createUrqlWebSocketClient);
