import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { possibleTypes } from './apollo-possible-types.ts';
import { createWebSocketClient } from './graphql-ws.ts';

/** Queries and mutations over HTTP, subscriptions over one WebSocket, whose client reconnects. */
export const createApolloWebSocketClient = (url: string, key?: string): ApolloClient =>
  new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    // Its type is not meant for `exactOptionalPropertyTypes`; without that option the cast is not needed.
    incrementalHandler: new GraphQL17Alpha9Handler() as never,
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(createWebSocketClient(url, key)),
      new HttpLink({ uri: url, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } }),
    ),
  });
