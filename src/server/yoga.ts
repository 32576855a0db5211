import type { ServerResponse } from 'node:http';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { type Context, createContext, federateSchema, type Services, schema } from '../graphql/index.ts';
import { bodyPlugin } from './body.ts';
import { maskFault } from './fault.ts';
import { healthPaths } from './health.ts';
import { mostRememberedDocumentText } from './limits.ts';
import type { Links } from './link.ts';
import type { Logger } from './log.ts';
import { resultsPlugin } from './results.ts';
import { type RoutesOptions, routesPlugin } from './routes.ts';
import type { LiveSubscriptions } from './subscriptions.ts';

/** What a transport that is not HTTP tells of the one who asks. */
export type Caller = {
  /** Scheme and authority that the gateway was reached by: links begin with it. */
  readonly origin: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
};

/** What Yoga hands on: `caller` from a WebSocket; from HTTP `requestId`, the request, and by a port its response. */
type Initial = {
  readonly caller?: Caller;
  readonly requestId?: string;
  readonly request?: Request;
  readonly res?: ServerResponse;
};

export type Yoga = YogaServerInstance<Record<never, never>, Context>;

const hungUp = new DOMException('The client hung up.', 'AbortError');

/**
 * Ends when the client hangs up. Yoga has a signal for that too, but `AbortSignal.any` refuses it, and listening to
 * it costs a tenth of a cached request.
 */
const signalOf = ({ res, request }: Initial): AbortSignal => {
  const controller = new AbortController();
  const abort = () => controller.abort(hungUp);
  if (res)
    res.once('close', () => {
      if (!res.writableFinished) abort();
    });
  else if (request?.signal.aborted) abort();
  else request?.signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
};

const originOf = (url: string): string => url.slice(0, url.indexOf('/', url.indexOf('//') + 2));

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Documents are remembered by their text, so their texts are what they weigh. */
const rememberByText = <Value extends object>() =>
  new LRUCache<string, Value>({
    maxSize: mostRememberedDocumentText,
    sizeCalculation: (_value, text) => text.length + 1,
  });

export const createGatewayYoga = (options: {
  readonly endpoint: string;
  readonly services: Services;
  readonly links: Links;
  readonly logger: Logger;
  readonly isSandbox: boolean;
  readonly subscriptions: LiveSubscriptions;
  readonly routes: RoutesOptions;
}): Yoga => {
  const { endpoint, services, links, logger, isSandbox, subscriptions, routes } = options;

  const contextOf = (initial: Initial): Context => {
    const { caller, requestId, request } = initial;
    const origin = (): string => caller?.origin ?? originOf(request?.url ?? '');
    return createContext(services, {
      requestId: caller?.requestId ?? requestId ?? '',
      signal: caller?.signal ?? signalOf(initial),
      printResultsUrl: (jobId, format) => links.printResultsUrl(origin(), jobId, format),
      printUploadUrl: ({ id, expiresAt }) => links.printUploadUrl(origin(), id, expiresAt),
    });
  };

  return createYoga<Record<never, never>, Context>({
    graphqlEndpoint: endpoint,
    schema: services.gateway.isFederated ? federateSchema(schema) : schema,
    context: contextOf,
    plugins: [routesPlugin(routes), bodyPlugin, resultsPlugin({ logger, isSandbox }), subscriptions.plugin],
    // A net below `resultsPlugin`: faults before there is a context, which go to the log without a request id.
    maskedErrors: { maskError: (error) => maskFault(error, logger, undefined) },
    logging: silent,
    parserAndValidationCache: { documentCache: rememberByText(), errorCache: rememberByText() },
    // `bodyPlugin` counts what Node does not.
    maxRequestBodySize: false,
    // A web page of another origin may not use this gateway, so no response says that it may.
    cors: false,
    // For files within a request; `bodyPlugin` lets none pass that a plain HTML form could send.
    multipart: true,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: healthPaths.live,
  });
};
