import { Environment, type FetchFunction, Network, Observable, RecordSource, Store } from 'relay-runtime';
import { createWebSocketClient } from './graphql-ws.ts';

/** Queries and mutations over fetch, subscriptions over one WebSocket, whose client reconnects. */
export const createRelayEnvironment = (url: string, key?: string): Environment => {
  const socket = createWebSocketClient(url, key);
  const ask: FetchFunction = async ({ text, name }, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    return response.json();
  };
  return new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(ask, ({ text, name }, variables) =>
      Observable.create((sink) =>
        socket.subscribe({ query: text ?? '', operationName: name, variables }, sink as never),
      ),
    ),
  });
};
