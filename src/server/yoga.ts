import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import {
  type Context,
  createContext,
  federateSchema,
  type Services,
  schema,
  type ViewedServices,
  viewServices,
} from '../graphql/index.ts';
import type { Account } from './account.ts';
import { bodyPlugin } from './body.ts';
import { establishCaller, type Operation } from './caller.ts';
import type { EventStreams } from './event-stream.ts';
import { healthPaths } from './health.ts';
import type { Heart } from './heart.ts';
import { incrementalPlugin } from './incremental.ts';
import { mostRememberedDocumentText } from './limits.ts';
import type { Links } from './link.ts';
import { type MeteredContext, meteringPlugin } from './metering.ts';
import { multipartSubscriptionPlugin } from './multipart-subscription.ts';
import { type Finish, resultsPlugin } from './results.ts';
import { type RoutesOptions, routesPlugin } from './routes.ts';
import type { LiveSubscriptions } from './subscriptions.ts';
import type { Throttle } from './throttle.ts';

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

/** Of the services, one for each key that asks. The runaway: thousands of keys that ask once. */
const mostViews = 1_000;

export const createGatewayYoga = (options: {
  readonly endpoint: string;
  readonly services: Services;
  readonly links: Links;
  readonly finish: Finish;
  readonly subscriptions: LiveSubscriptions;
  readonly documents: Plugin;
  /** Of silent multipart subscriptions. */
  readonly heart: Heart;
  readonly eventStreams: EventStreams;
  readonly throttle: Throttle;
  readonly routes: RoutesOptions;
}): Yoga => {
  const { endpoint, services, links, subscriptions, documents, routes } = options;

  const views = new LRUCache<string, ViewedServices>({ max: mostViews });
  const everything = viewServices(services, { owner: null, seesAll: true });
  const viewOf = ({ key }: Account): ViewedServices => {
    if (key === null) return everything;
    let view = views.get(key.id);
    if (view === undefined) {
      view = viewServices(services, { owner: key.id, seesAll: key.scopes.includes('admin') });
      views.set(key.id, view);
    }
    return view;
  };

  const contextOf = (operation: Operation): MeteredContext => {
    const { account, origin, requestId, signal } = establishCaller(operation);
    const context = createContext(viewOf(account), {
      owner: account.key?.id ?? null,
      client: account.key?.kind === 'PUBLISHABLE' ? account.bucket : null,
      requestId,
      signal,
      printResultsUrl: (jobId, format) => links.printResultsUrl(origin, jobId, format),
      printUploadUrl: ({ id, expiresAt }) => links.printUploadUrl(origin, id, expiresAt),
    });
    return Object.assign(context, { account });
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
      resultsPlugin(options.finish),
      subscriptions.plugin,
      options.eventStreams.plugin,
      multipartSubscriptionPlugin(options.heart),
      // The last: what it refuses, the others finish.
      meteringPlugin(options.throttle),
    ],
    // `resultsPlugin` and `subscriptions.ts` mask: this would put two iterators more around each subscription.
    maskedErrors: false,
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
