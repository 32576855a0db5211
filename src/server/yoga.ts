import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { type Context, createContext, federateSchema, type Services, schema } from '../graphql/index.ts';
import { bodyPlugin } from './body.ts';
import { establishCaller, type Operation } from './caller.ts';
import type { EventStreams } from './event-stream.ts';
import { maskFault } from './fault.ts';
import { healthPaths } from './health.ts';
import type { Heart } from './heart.ts';
import { incrementalPlugin } from './incremental.ts';
import { mostRememberedDocumentText } from './limits.ts';
import type { Links } from './link.ts';
import type { Logger } from './log.ts';
import { multipartSubscriptionPlugin } from './multipart-subscription.ts';
import { type Finish, resultsPlugin } from './results.ts';
import { type RoutesOptions, routesPlugin } from './routes.ts';
import type { LiveSubscriptions } from './subscriptions.ts';

export type Yoga = YogaServerInstance<Record<never, never>, Context>;

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
  readonly finish: Finish;
  readonly subscriptions: LiveSubscriptions;
  readonly documents: Plugin;
  /** Of silent multipart subscriptions. */
  readonly heart: Heart;
  readonly eventStreams: EventStreams;
  readonly routes: RoutesOptions;
}): Yoga => {
  const { endpoint, services, links, logger, isSandbox, subscriptions, documents, routes } = options;

  const contextOf = (operation: Operation): Context => {
    const { origin, requestId, signal } = establishCaller(operation);
    return createContext(services, {
      requestId,
      signal,
      printResultsUrl: (jobId, format) => links.printResultsUrl(origin, jobId, format),
      printUploadUrl: ({ id, expiresAt }) => links.printUploadUrl(origin, id, expiresAt),
    });
  };

  return createYoga<Record<never, never>, Context>({
    graphqlEndpoint: endpoint,
    schema: services.gateway.isFederated ? federateSchema(schema) : schema,
    context: contextOf,
    plugins: [
      routesPlugin(routes),
      bodyPlugin,
      documents,
      incrementalPlugin,
      resultsPlugin(options.finish, { isSandbox }),
      subscriptions.plugin,
      options.eventStreams.plugin,
      multipartSubscriptionPlugin(options.heart),
    ],
    // A net below `resultsPlugin`: faults before there is a context, which go to the log without a request id.
    maskedErrors: { maskError: (error) => maskFault(error, logger, undefined) },
    logging: silent,
    parserAndValidationCache: { documentCache: rememberByText(), errorCache: rememberByText() },
    // `bodyPlugin` counts what Node does not.
    maxRequestBodySize: false,
    // `routesPlugin` and `cors.ts` tell the pages that may.
    cors: false,
    // For files within a request; `bodyPlugin` lets none pass that a plain HTML form could send.
    multipart: true,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: healthPaths.live,
  });
};
