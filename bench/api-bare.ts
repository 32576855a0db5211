/**
 * A Yoga with the gateway's schema and none of its code: two resolvers that give constants. WebSockets as its
 * documentation joins them. A process of its own.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { startFlags } from './serve-process.ts';
import { type Peer, serveParent, startPeer } from './smtp-process.ts';

export type BareOptions = {
  /** What `Query.email` gives. */
  readonly email: object;
  /** What `Subscription.bulkJobProgress` gives first; then it is silent. */
  readonly bulkJobProgress: object;
  /** Without what our gateway does not use of Yoga: the rest of it serves the same answer in less time. */
  readonly isLean: boolean;
};

export type BareReady = { readonly port: number; readonly pid: number };

export const startBare = (options: BareOptions): Promise<Peer<BareReady>> =>
  startPeer<BareReady>(import.meta.filename, options, 'anywhere', startFlags);

const withoutExtras = {
  maxRequestBodySize: false,
  cors: false,
  graphiql: false,
  landingPage: false,
  multipart: false,
} as const;

/** Gives one event, and the end when it is told. */
const once1 = (event: unknown): AsyncIterableIterator<unknown> => {
  let isGiven = false;
  let end: (() => void) | null = null;
  const ended = { value: undefined, done: true } as const;
  const iterator: AsyncIterableIterator<unknown> = {
    next: () => {
      if (isGiven)
        return new Promise((resolve) => {
          end = () => resolve(ended);
        });
      isGiven = true;
      return Promise.resolve({ value: event, done: false });
    },
    return: async () => {
      end?.();
      return ended;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
};

if (import.meta.main) {
  const { email, bulkJobProgress, isLean }: BareOptions = JSON.parse(process.argv[2] ?? '');
  const schema = buildSchema(await readFile(new URL('../schema/schema.graphql', import.meta.url), 'utf8'));
  const query = schema.getQueryType()?.getFields().email;
  const subscription = schema.getSubscriptionType()?.getFields().bulkJobProgress;
  if (!query || !subscription) throw new Error('the schema has another shape');
  query.resolve = () => email;
  subscription.subscribe = () => once1({ bulkJobProgress });
  const yoga = createYoga({ schema, logging: false, ...(isLean ? withoutExtras : {}) });
  const http = createServer(yoga);
  const sockets = new WebSocketServer({ server: http, path: yoga.graphqlEndpoint });
  const webSockets = useServer(
    {
      execute: (args) => (args as unknown as Enveloped).rootValue.execute(args),
      subscribe: (args) => (args as unknown as Enveloped).rootValue.subscribe(args),
      onSubscribe: async (context, _id, params) => {
        const enveloped = yoga.getEnveloped({
          ...context,
          req: context.extra.request,
          socket: context.extra.socket,
          params,
        });
        const args = {
          schema: enveloped.schema,
          operationName: params.operationName,
          document: enveloped.parse(params.query),
          variableValues: params.variables,
          contextValue: await enveloped.contextFactory(),
          rootValue: { execute: enveloped.execute, subscribe: enveloped.subscribe },
        };
        const errors = enveloped.validate(args.schema, args.document);
        return errors.length > 0 ? errors : (args as never);
      },
    },
    sockets,
  );
  type Enveloped = {
    readonly rootValue: {
      readonly execute: (args: ExecutionArgs) => never;
      readonly subscribe: (args: ExecutionArgs) => never;
    };
  };
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  process.once('SIGTERM', async () => {
    await webSockets.dispose();
    http.closeAllConnections();
    http.close();
  });
  const ready: BareReady = { port: (http.address() as AddressInfo).port, pid: process.pid };
  serveParent(ready, () => null);
}
