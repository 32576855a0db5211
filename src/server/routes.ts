import { randomBytes } from 'node:crypto';
import type { Plugin } from 'graphql-yoga';
import type { Jobs } from '../jobs/index.ts';
import { type Admission, classifyCaller, classifyHost } from './caller.ts';
import { printCorsHeaders } from './cors.ts';
import { createDownload } from './download.ts';
import { faultResponse } from './fault.ts';
import type { GraphiqlPage } from './graphiql.ts';
import { type Health, healthPaths, printHealth } from './health.ts';
import type { Links } from './link.ts';
import { describeFault, type Logger } from './log.ts';

export type RoutesOptions = {
  readonly endpoint: string;
  readonly admission: Admission;
  readonly isSandbox: boolean;
  /** Null: it is switched off. */
  readonly page: GraphiqlPage | null;
  readonly links: Links;
  readonly jobs: Pick<Jobs, 'read' | 'rows'>;
  readonly logger: Logger;
  readonly readHealth: () => Promise<Health>;
};

type RequestContext = { requestId?: string };

/** Unlike any of another process, counted within this one: a header for people, not a secret. */
const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
};

/**
 * Everything that is decided by method, path and headers alone: who may ask, and what is not GraphQL (health, the
 * GraphiQL page, downloads). What it lets pass is a GraphQL request.
 */
export const routesPlugin = (options: RoutesOptions): Plugin => {
  const { endpoint, admission, isSandbox, page, links, jobs, logger, readHealth } = options;
  const nextRequestId = createRequestIds();

  const download = createDownload({ links, jobs, logger });

  const routeOther = async (
    request: Request,
    url: URL,
    Response: typeof globalThis.Response,
  ): Promise<Response> => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && url.pathname === '/')
      return new Response(null, { status: 302, headers: { location: endpoint } });
    if (isRead && healthPaths.ready.some((path) => path === url.pathname)) {
      const { status, body } = printHealth(await readHealth());
      return new Response(body, {
        status,
        headers: { 'content-type': 'application/json; charset=utf-8' },
      });
    }
    return (
      (isRead ? await download(request, url, Response) : null) ??
      faultResponse(Response, 404, 'NOT_FOUND', `There is nothing here; GraphQL is at ${endpoint}.`)
    );
  };

  /** The library would answer with the stack of what is thrown here. */
  const answer = async (
    making: Promise<Response>,
    requestId: string,
    Response: typeof globalThis.Response,
  ): Promise<Response> => {
    try {
      return await making;
    } catch (fault) {
      logger.error('request failed', { requestId, ...describeFault(fault) });
      return faultResponse(Response, 500, 'INTERNAL', 'Internal error. The log has the details.');
    }
  };

  return {
    onRequest: ({ request, url, serverContext, fetchAPI, endResponse }) => {
      const { Response } = fetchAPI;
      const { headers, method } = request;
      const requestId = nextRequestId();
      (serverContext as RequestContext).requestId = requestId;
      const host = headers.get('host');
      const stranger = admission.isLoopbackOnly ? classifyHost(host) : null;
      if (stranger !== null)
        return endResponse(faultResponse(Response, 403, stranger.code, stranger.message));
      if (pathOf(request.url) !== endpoint)
        return answer(routeOther(request, url, Response), requestId, Response).then(endResponse);
      if (method === 'GET' && headers.get('accept')?.includes('text/html'))
        return page === null
          ? endResponse(faultResponse(Response, 404, 'GRAPHIQL_OFF', 'GraphiQL is switched off here.'))
          : answer(page.respond(request, Response), requestId, Response).then(endResponse);
      const caller = { host, origin: headers.get('origin'), fetchSite: headers.get('sec-fetch-site') };
      const foreign = classifyCaller(caller, admission);
      if (foreign !== null) return endResponse(faultResponse(Response, 403, foreign.code, foreign.message));
      return undefined;
    },
    onResponse: ({ request, response, serverContext }) => {
      const { requestId } = serverContext as RequestContext;
      const { headers } = response;
      if (admission.corsOrigins.length > 0) {
        headers.append('vary', 'Origin');
        const cors = printCorsHeaders(request.headers.get('origin'), admission);
        for (const [name, value] of Object.entries(cors ?? {})) headers.set(name, value);
      }
      if (requestId !== undefined) headers.set('x-request-id', requestId);
      if (isSandbox) headers.set('x-rcpt-simulated', 'true');
      headers.set('x-content-type-options', 'nosniff');
      // Answers are about people: no cache on the way keeps them. The page says itself how long it is good.
      if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
    },
  };
};

/** Without the cost of a parsed URL, which most requests never need. */
const pathOf = (url: string): string => {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  const end = url.indexOf('?', start);
  return start === -1 ? '/' : url.slice(start, end === -1 ? undefined : end);
};
