import type { Client } from '@urql/core';
import { createUrqlClient } from '../../../examples/urql.ts';
import { subscribeByUrql } from '../../../examples/urql-subscribe.ts';
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

const openUrql =
  (create: (url: string, key?: string) => Client): Open =>
  (url, key) => {
    const client = create(url, key);
    return {
      verify: async (variables) => (await client.query(verifyEmail, variables)).data,
      start: async (variables) => (await client.mutation(startBulkJob, variables)).data,
      watch: (variables) => subscribeByUrql<Watched>(client, bulkJobProgress, variables),
      subscribe: (variables) => subscribeByUrql<Results>(client, bulkJobResults, variables),
      close: () => undefined,
    };
  };

export const openUrqlFetch = openUrql(createUrqlClient);

export const openUrqlWebSocket = openUrql(createUrqlWebSocketClient);
