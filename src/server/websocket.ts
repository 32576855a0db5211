import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { Context as SocketContext } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { classifyHost, classifyOrigin } from './caller.ts';
import { maskFault, type RequestFaultCode } from './fault.ts';
import { mostBodyOctets, mostOperationsPerSocket } from './limits.ts';
import type { Logger } from './log.ts';
import type { Caller, Yoga } from './yoga.ts';

/** GraphQL over WebSocket (the `graphql-transport-ws` protocol), at the path that HTTP has. */
export type WebSockets = {
  /** Closes every socket with 1001; those that do not answer are cut off by the HTTP server's own closing. */
  close(): Promise<void>;
};

type SocketExtra = Extra & Record<PropertyKey, unknown> & { hangUp?: AbortController; count?: number };

/** What `onSubscribe` hands to `execute` and `subscribe`: the arguments, with Yoga's own functions beside them. */
type EnvelopedArgs = ExecutionArgs & {
  readonly execute: (args: ExecutionArgs) => never;
  readonly subscribe: (args: ExecutionArgs) => never;
};

const refuseUpgrade = (socket: Duplex, status: string, message: string): void => {
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
};

export const attachWebSockets = (options: {
  readonly http: HttpServer;
  readonly yoga: Yoga;
  readonly endpoint: string;
  readonly isLoopbackOnly: boolean;
  readonly logger: Logger;
}): WebSockets => {
  const { http, yoga, endpoint, isLoopbackOnly, logger } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostBodyOctets });

  const callerOf = ({ extra }: SocketContext<Record<string, unknown>, SocketExtra>): Caller => {
    extra.hangUp ??= new AbortController();
    extra.count = (extra.count ?? 0) + 1;
    return {
      origin: `http://${extra.request.headers.host ?? ''}`,
      requestId: `${extra.request.headers['sec-websocket-key'] ?? ''}-${extra.count}`,
      signal: extra.hangUp.signal,
    };
  };

  const server = useServer<Record<string, unknown>, SocketExtra>(
    {
      execute: (args) => (args as unknown as EnvelopedArgs).execute(args),
      subscribe: (args) => (args as unknown as EnvelopedArgs).subscribe(args),
      onSubscribe: async (context, _id, params) => {
        const caller = callerOf(context);
        if (Object.keys(context.subscriptions).length > mostOperationsPerSocket)
          return [
            new GraphQLError(`A socket carries at most ${mostOperationsPerSocket} operations at once.`, {
              extensions: {
                code: 'TOO_MANY_OPERATIONS' satisfies RequestFaultCode,
                limit: mostOperationsPerSocket,
              },
            }),
          ];
        try {
          const enveloped = yoga.getEnveloped({ caller, params });
          const document = enveloped.parse(params.query);
          const faults = enveloped.validate(enveloped.schema, document);
          if (faults.length > 0) return faults as readonly GraphQLError[];
          return {
            schema: enveloped.schema,
            document,
            operationName: params.operationName ?? null,
            variableValues: params.variables ?? null,
            contextValue: await enveloped.contextFactory(),
            execute: enveloped.execute,
            subscribe: enveloped.subscribe,
          } as ExecutionArgs;
        } catch (error) {
          return [maskFault(error, logger, caller.requestId)];
        }
      },
      onClose: ({ extra }) => extra.hangUp?.abort(),
    },
    sockets,
  );

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { url = '', headers } = request;
    if (url.split('?')[0] !== endpoint)
      return refuseUpgrade(socket, '404 Not Found', `GraphQL is at ${endpoint}.`);
    const host = headers.host ?? null;
    // No same-origin policy holds a WebSocket back: a page of any origin may try.
    const fault =
      (isLoopbackOnly ? classifyHost(host) : null) ??
      classifyOrigin({ host, origin: headers.origin ?? null, fetchSite: null });
    if (fault !== null) return refuseUpgrade(socket, '403 Forbidden', fault.message);
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });

  return { close: async () => server.dispose() };
};
