import { once } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type FormattedExecutionResult, GraphQLError, getOperationAST } from 'graphql';
import {
  handleProtocols,
  makeServer,
  type Context as SocketContext,
  type SubscribePayload,
} from 'graphql-ws';
import { type GraphQLParams, isAsyncIterable } from 'graphql-yoga';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Keys } from '../keys/index.ts';
import { type Account, endOf, identify } from './account.ts';
import { type Admission, callerHeadersOf, classifyCaller, hungUp, type SocketOperation } from './caller.ts';
import type { ReadClientIp } from './client-ip.ts';
import { maskFault, printError, type RequestFaultCode, withExtensions } from './fault.ts';
import type { Heart } from './heart.ts';
import { inTurns } from './in-turns.ts';
import { mostBodyOctets, mostOperationsPerSocket } from './limits.ts';
import type { Logger } from './log.ts';
import { findRepeatedHeader, refuseSocket, repeatedHeader } from './malformed.ts';
import { openConnection, type SocketExtra } from './websocket-connection.ts';
import type { Yoga } from './yoga.ts';

/** GraphQL over WebSocket (the `graphql-transport-ws` protocol), at the path that HTTP has. */
export type WebSockets = {
  /**
   * Closes every socket with 1001, after the queries and mutations that are under way on it have their result; clients
   * then subscribe again elsewhere. Sockets that do not answer are cut off by the HTTP server's own closing.
   */
  close(): Promise<void>;
};

type Cancel = {
  readonly controller: AbortController;
  /** What @defer and @stream send later ends by its `return`, as a subscription does. */
  isStream: boolean;
};

type Extra = SocketExtra & {
  hangUp?: AbortController;
  count?: number;
  /** Since `connection_init`. */
  account?: Account;
  unwatchKey?: () => void;
};
type Connection = SocketContext<Record<string, unknown>, Extra>;

/** What `onSubscribe` hands to `execute` and `subscribe`: the arguments, with Yoga's own functions beside them. */
type EnvelopedArgs = ExecutionArgs & {
  readonly cancel: Cancel | null;
  readonly execute: (args: ExecutionArgs) => unknown;
  readonly subscribe: (args: ExecutionArgs) => never;
};

const goingAway = 1001;

/** Fatal to graphql-ws's client: with the same key it would be refused again. */
const unauthorized = 4401;
/** That client asks again after this one, unless its `shouldRetry` knows better (docs/clients.md). */
const forbidden = 4403;

/** Browsers set no headers on a WebSocket: the key comes with `connection_init`. */
const readAuthorization = ({ connectionParams, extra }: Connection): string | null => {
  const given = connectionParams?.authorization ?? connectionParams?.Authorization;
  return typeof given === 'string' ? given : (extra.request.headers.authorization ?? null);
};

const operationOf = ({ extra }: Connection, account: Account): SocketOperation => {
  extra.hangUp ??= new AbortController();
  extra.count = (extra.count ?? 0) + 1;
  return {
    upgrade: extra.request,
    account,
    requestId: `${extra.request.headers['sec-websocket-key'] ?? ''}-${extra.count}`,
    signal: extra.hangUp.signal,
  };
};

const execute = async (args: EnvelopedArgs): Promise<never> => {
  const result: unknown = await args.execute(args);
  if (args.cancel !== null) args.cancel.isStream = isAsyncIterable(result);
  return result as never;
};

export const attachWebSockets = (options: {
  readonly http: HttpServer;
  readonly yoga: Yoga;
  readonly endpoint: string;
  readonly admission: Admission;
  readonly resolveParams: <Params extends GraphQLParams>(params: Params, account: Account) => Params;
  readonly keys: Keys;
  readonly readClientIp: ReadClientIp;
  readonly logger: Logger;
  /** Pings each client, which has until the next one for its pong. */
  readonly heart: Heart;
}): WebSockets => {
  const { http, yoga, endpoint, admission, resolveParams, keys, readClientIp, logger, heart } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostBodyOctets, handleProtocols });
  /** The operations under way that end by themselves, by socket and id: all but subscriptions. */
  const underWay = new Map<WebSocket, Map<string, Cancel>>();
  let isClosing = false;

  const release = ({ extra }: Connection, id: string): void => {
    const own = underWay.get(extra.socket);
    own?.delete(id);
    // After the last message of the operation, which is sent when this returns.
    if (isClosing && own?.size === 0) setImmediate(() => extra.socket.close(goingAway, 'Going away'));
  };

  /** Ends all that goes on for it. */
  const hangUp = ({ socket, hangUp: ofSubscriptions }: Extra): void => {
    ofSubscriptions?.abort(hungUp);
    for (const { controller } of underWay.get(socket)?.values() ?? []) controller.abort(hungUp);
  };

  const prepare = async (
    context: Connection,
    id: string,
    params: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> => {
    const { account } = context.extra;
    // graphql-ws lets nobody ask who has not introduced itself.
    if (account === undefined) return [new GraphQLError('There was no connection_init.')];
    const socket = operationOf(context, account);
    const identity = { requestId: socket.requestId };
    if (isClosing) {
      // No answer: whoever is told of an error takes it for final, and 1001 makes clients ask again elsewhere.
      if (!socket.signal.aborted) await once(socket.signal, 'abort');
      return [new GraphQLError('The gateway closes.')];
    }
    if (Object.keys(context.subscriptions).length > mostOperationsPerSocket)
      return [
        new GraphQLError(`A socket carries at most ${mostOperationsPerSocket} operations at once.`, {
          extensions: {
            code: 'TOO_MANY_OPERATIONS' satisfies RequestFaultCode,
            limit: mostOperationsPerSocket,
            ...identity,
          },
        }),
      ];
    try {
      const { query, operationName } = resolveParams(params as GraphQLParams, account);
      const enveloped = yoga.getEnveloped({ socket, params });
      const document = enveloped.parse(query ?? '');
      const faults: readonly GraphQLError[] = enveloped.validate(enveloped.schema, document);
      if (faults.length > 0) return faults.map((fault) => withExtensions(fault, identity));
      // The message is kept for as long as the operation goes on: with the text that all who sent the same have in common.
      Object.assign(params, { query: document.loc?.source.body });
      const operation = getOperationAST(document, operationName);
      if (!operation) return [withExtensions(unknownOperation(), identity)];
      let cancel: Cancel | null = null;
      if (operation.operation !== 'subscription') {
        cancel = { controller: new AbortController(), isStream: false };
        underWay.get(context.extra.socket)?.set(id, cancel);
        Object.assign(socket, { signal: cancel.controller.signal } satisfies Partial<SocketOperation>);
      }
      const contextValue = await enveloped.contextFactory();
      return {
        schema: enveloped.schema,
        document,
        operationName: operationName ?? null,
        variableValues: params.variables ?? null,
        contextValue,
        cancel,
        execute: enveloped.execute,
        subscribe: enveloped.subscribe,
      } as ExecutionArgs;
    } catch (error) {
      return [withExtensions(maskFault(error, logger, socket.requestId), identity)];
    }
  };

  const introduce = (context: Connection): boolean => {
    const { extra } = context;
    const { request, socket } = extra;
    const identified = identify(keys, {
      authorization: readAuthorization(context),
      origin: request.headers.origin ?? null,
      readClientIp: () => readClientIp(request),
    });
    if (identified.kind === 'fault') {
      const { code } = identified.fault;
      socket.close(code === 'UNAUTHENTICATED' ? unauthorized : forbidden, code);
      return false;
    }
    const { key } = identified.account;
    extra.account = identified.account;
    extra.unwatchKey = keys.onEnd(key?.id ?? null, () => {
      socket.close(unauthorized, endOf(identified.account).code);
      // Now, and not when the peer has agreed to the close.
      hangUp(extra);
    });
    return true;
  };

  const server = makeServer<Record<string, unknown>, Extra>({
    onConnect: introduce,
    execute: (args) => execute(args as unknown as EnvelopedArgs),
    subscribe: (args) => (args as unknown as EnvelopedArgs).subscribe(args),
    onSubscribe: prepare,
    onNext: (_context, _id, _payload, _args, { errors, ...rest }) =>
      errors && ({ ...rest, errors: errors.map(printError) } as FormattedExecutionResult),
    onError: (_context, _id, _payload, errors) => errors.map(printError),
    onComplete: release,
    onClose: ({ extra }) => {
      extra.unwatchKey?.();
      hangUp(extra);
      underWay.delete(extra.socket);
    },
  });

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refuse = (status: string, code: RequestFaultCode, message: string): void =>
      refuseSocket(socket, { status, code, message });
    const repeated = findRepeatedHeader(request);
    if (repeated !== null) return refuseSocket(socket, repeatedHeader(repeated));
    if (request.url?.split('?')[0] !== endpoint)
      return refuse('404 Not Found', 'NOT_FOUND', `GraphQL is at ${endpoint}.`);
    // No same-origin policy holds a WebSocket back: a page of any origin may try. Sec-Fetch-Site is not looked at.
    const fault = classifyCaller({ ...callerHeadersOf(request), fetchSite: null }, admission);
    if (fault !== null) return refuse('403 Forbidden', fault.code, fault.message);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const own = new Map<string, Cancel>();
      underWay.set(opened, own);
      openConnection({
        server,
        socket: opened,
        request,
        heart,
        logger,
        cancel: (id) => {
          const cancel = own.get(id);
          if (cancel?.isStream === false) cancel.controller.abort(hungUp);
        },
      });
    });
  });

  return {
    close: async () => {
      isClosing = true;
      const open = [...underWay];
      await inTurns(open, ([socket, own]) => {
        if (own.size === 0) socket.close(goingAway, 'Going away');
      });
      await Promise.all(open.map(([socket]) => hasClosed(socket)));
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
    },
  };
};

const hasClosed = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) resolve();
    else socket.once('close', () => resolve());
  });

const unknownOperation = (): GraphQLError =>
  new GraphQLError('Name one of the operations of the document: operationName.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
