import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime';
import { createSseClient } from './graphql-sse.ts';

/** Everything over fetch, subscriptions as server-sent events, whose client reconnects. */
export const createRelaySseEnvironment = (url: string, key?: string): Environment => {
  const client = createSseClient(url, key);
  return new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(
      ({ text, name }, variables) =>
        Observable.create((sink) =>
          client.subscribe({ query: text ?? '', operationName: name, variables }, sink as never),
        ),
      ({ text, name }, variables) =>
        Observable.create((sink) =>
          client.subscribe({ query: text ?? '', operationName: name, variables }, sink as never),
        ),
    ),
  });
};
