/**
 * HTTP: GraphQL by POST and GET, subscriptions by SSE, by Apollo's multipart protocol and by graphql-ws on the same path, the
 * GraphiQL page, links to results, health. It joins Yoga to node:http and decides who may ask and how much.
 *
 * Refuses to decode anything but JSON, and a form with one file that no page can send unasked; to serve another host's name when it is bound to loopback, to act for a page
 * of another origin that the operator did not name, and to say anything about an internal fault but a request id: the rest is in the log, which
 * never holds an address.
 *
 * Limits: `limits.ts`. A body has 4 MB (with a file 10 MB) and a minute, an upload half a minute for its next octet, headers have ten seconds, closing has five seconds.
 */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Services } from '../graphql/index.ts';
import { type BucketStore, type Keys, localBuckets, noKeys } from '../keys/index.ts';
import { type Admission, isLoopbackHost } from './caller.ts';
import { createClientIps } from './client-ip.ts';
import { answerPreflight, isPreflight } from './cors.ts';
import { createDocuments, type DocumentOptions } from './document.ts';
import { createEventStreams } from './event-stream.ts';
import { createGraphiqlPage } from './graphiql.ts';
import { createHealth } from './health.ts';
import { startHeart } from './heart.ts';
import {
  closeGraceMs,
  headersTimeoutMs,
  heartbeatMs,
  keepAliveTimeoutMs,
  linkLifeSeconds,
  mostConnections,
  mostHeaders,
  requestTimeoutMs,
  unreadMs,
} from './limits.ts';
import { createLinks } from './link.ts';
import { type Logger, stderrLogger } from './log.ts';
import { answerMalformed, findRepeatedHeader, refuseRequest, repeatedHeader } from './malformed.ts';
import { readOperationTabs } from './operations.ts';
import { createRequestIds } from './request-id.ts';
import { createResponder } from './respond.ts';
import { createFinish } from './results.ts';
import { createLiveSubscriptions } from './subscriptions.ts';
import { createThrottle } from './throttle.ts';
import { watchUnread } from './unread.ts';
import { createUnreadRefusal } from './unread-refusal.ts';
import { createUploadHandler, isUploadPath } from './upload.ts';
import { attachWebSockets } from './websocket.ts';
import { createGatewayYoga, type Yoga } from './yoga.ts';

export { createHealth, openHealthServer } from './health.ts';
export { describeFault, type Logger, stderrLogger } from './log.ts';
export { readPersistedOperations } from './persisted.ts';

export type ServerOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly services: Services;
  /** Rejects when the store cannot be reached: then the gateway is not ready. Default: it always can. */
  readonly pingStore?: () => Promise<unknown>;
  /** Every page and response then says that it is simulated. */
  readonly isSandbox: boolean;
  /** What links to results are signed with, at least 32 octets; they outlive the process only if it does. */
  readonly secret: string | Uint8Array;
  /** Default: JSON lines on standard error. */
  readonly logger?: Logger;
  /** Milliseconds, instead of those in `limits.ts`; for tests. */
  readonly timeouts?: {
    readonly headersMs?: number;
    readonly bodyMs?: number;
    readonly stallMs?: number;
    readonly closeMs?: number;
    readonly heartbeatMs?: number;
    readonly unreadMs?: number;
  };
  /** Other origins whose pages may use the gateway. Default: none but those that keys are bound to. */
  readonly corsOrigins?: readonly string[];
  /** Whoever asks needs one of them, once there are any. Default: there are none. */
  readonly keys?: Keys;
  /** What keys pay from. Default: of this process. */
  readonly buckets?: BucketStore;
  /** CIDRs of proxies whose X-Forwarded-For is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Default: no persisted operations, every document may run, introspection too. */
  readonly documents?: Partial<DocumentOptions>;
  /** Default: yes. */
  readonly isGraphiqlOn?: boolean;
  /** Variables of GraphiQL's example tabs that only the caller knows, such as ids; by operation name. */
  readonly exampleVariables?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export type Server = {
  /** @throws when the port is taken or the host is not this machine's */
  listen(): Promise<{ readonly url: string }>;
  /** Says that it is not ready any more and serves on: whoever sends it requests sends the next ones elsewhere. */
  retire(): void;
  /** Ends subscriptions, lets requests under way finish for five seconds, cuts off the rest. */
  close(): Promise<void>;
  /** The same without a socket, for tests. */
  readonly fetch: Yoga['fetch'];
};

const endpoint = '/graphql';
/** How often closing looks for connections that have become idle. */
const sweepMs = 20;

/** RFC 9112 §6: whatever the method, these two say so. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Cuts off a request whose body has not come in time (slowloris: an octet a minute, on ten thousand sockets). */
const endWithBody = (request: IncomingMessage, ms = requestTimeoutMs): void => {
  const timer = setTimeout(() => request.destroy(), ms);
  const clear = (): void => clearTimeout(timer);
  request.once('end', clear).once('close', clear);
};

/** By its path alone. */
const isAt = (path: string, url: string | undefined): boolean =>
  url === path || url?.startsWith(`${path}?`) === true;

export const createServer = (options: ServerOptions): Server => {
  const { host, port, services, isSandbox, secret, logger = stderrLogger, timeouts = {} } = options;
  const { keys = noKeys, buckets = localBuckets(), corsOrigins = [] } = options;
  const isLoopback = isLoopbackHost(host);
  const admission: Admission = {
    get isLoopbackOnly() {
      // Where everybody needs a key, another name of this host is nobody's way in, and may be its proxy's.
      return isLoopback && !keys.isConfigured;
    },
    allowsOrigin: (origin) => corsOrigins.includes(origin) || keys.allowsOrigin(origin),
    get variesByOrigin() {
      return corsOrigins.length > 0 || keys.isConfigured;
    },
  };
  const readClientIp = createClientIps(options.trustedProxies ?? []);
  const throttle = createThrottle(buckets);
  const nextRequestId = createRequestIds();
  const documents = createDocuments({
    persistedOperations: null,
    isPersistedOnly: false,
    isIntrospectionOn: true,
    ...options.documents,
  });
  const links = createLinks({ secret, lifeSeconds: linkLifeSeconds });
  const finish = createFinish({ logger, isSandbox });
  const subscriptions = createLiveSubscriptions({ keys, finish });
  const heart = startHeart(timeouts.heartbeatMs ?? heartbeatMs);
  const eventStreams = createEventStreams(heart);
  const page =
    options.isGraphiqlOn === false
      ? null
      : createGraphiqlPage({
          endpoint,
          isSandbox,
          tabs: readOperationTabs(isSandbox, options.exampleVariables),
        });
  let isRetiring = false;
  let closing: Promise<void> | undefined;

  const yoga = createGatewayYoga({
    endpoint,
    services,
    links,
    finish,
    subscriptions,
    documents: documents.plugin,
    heart,
    eventStreams,
    throttle,
    routes: {
      keys,
      readClientIp,
      nextRequestId,
      endpoint,
      admission,
      isSandbox,
      page,
      links,
      jobs: services.jobs,
      logger,
      readHealth: createHealth({
        ping: options.pingStore ?? (async () => undefined),
        isClosing: () => isRetiring,
      }),
    },
  });

  const respond = createResponder({ yoga, eventStreams, logger });
  const upload = createUploadHandler({
    links,
    uploads: services.uploads,
    admission,
    isSandbox,
    logger,
    stallMs: timeouts.stallMs,
  });
  const refuseUnread = createUnreadRefusal({
    keys,
    throttle,
    readClientIp,
    nextRequestId,
    admission,
    isSandbox,
  });
  const http = createHttpServer(
    {
      headersTimeout: timeouts.headersMs ?? headersTimeoutMs,
      // Uploads have a time of their own; what is GraphQL is timed below.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    },
    (request, response) => {
      const repeated = findRepeatedHeader(request);
      if (repeated !== null) return refuseRequest(response, repeatedHeader(repeated));
      if (isUploadPath(request.url) && !isPreflight(request)) {
        void upload(request, response);
        return;
      }
      if (hasBody(request)) endWithBody(request, timeouts.bodyMs);
      if (isPreflight(request)) return answerPreflight(request, response, admission);
      if (keys.isConfigured && isAt(endpoint, request.url) && refuseUnread(request, response)) return;
      void respond(request, response);
    },
  );
  answerMalformed(http);
  http.maxConnections = mostConnections;
  http.maxHeadersCount = mostHeaders;
  const webSockets = attachWebSockets({
    http,
    yoga,
    endpoint,
    admission,
    resolveParams: documents.resolveParams,
    keys,
    readClientIp,
    logger,
    heart,
  });
  /** Upgraded sockets are the HTTP server's no longer, and it would not cut them off. */
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const endUnread = watchUnread(sockets, timeouts.unreadMs ?? unreadMs);

  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    subscriptions.close();
    // Node closes the connections that are idle now, and none that becomes idle a moment later.
    const sweep = setInterval(() => http.closeIdleConnections(), sweepMs);
    const cutOff = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, timeouts.closeMs ?? closeGraceMs);
    await Promise.all([webSockets.close(), closed]);
    clearInterval(sweep);
    clearTimeout(cutOff);
    endUnread();
    heart.stop();
    await yoga.dispose();
  };

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, host, () => {
          http.off('error', reject);
          const { address, family, port: chosen } = http.address() as AddressInfo;
          resolve({ url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}` });
        });
      }),
    retire: () => {
      isRetiring = true;
    },
    close: () => {
      isRetiring = true;
      closing ??= close();
      return closing;
    },
    fetch: yoga.fetch,
  };
};
