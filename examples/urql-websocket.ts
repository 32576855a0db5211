import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createWebSocketClient } from './graphql-ws.ts';

/** Queries and mutations over fetch, subscriptions over one WebSocket, whose client reconnects. */
export const createUrqlWebSocketClient = (url: string, key?: string): Client => {
  const socket = createWebSocketClient(url, key);
  return new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query, variables: variables as Record<string, unknown> },
              sink as never,
            ),
          }),
        }),
      }),
    ],
  });
};
