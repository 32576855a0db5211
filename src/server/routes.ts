import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { Bill } from '../graphql/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { Keys } from '../keys/index.ts';
import { type Account, identify } from './account.ts';
import { type Admission, classifyCaller, classifyHost } from './caller.ts';
import type { ReadClientIp } from './client-ip.ts';
import { printCorsHeaders } from './cors.ts';
import { createDownload } from './download.ts';
import { faultResponse, type RequestFaultCode } from './fault.ts';
import type { GraphiqlPage } from './graphiql.ts';
import { type Health, healthPaths, printHealth } from './health.ts';
import type { Links } from './link.ts';
import { describeFault, type Logger } from './log.ts';
import { printRateLimitHeaders } from './throttle.ts';

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
  readonly keys: Keys;
  readonly readClientIp: ReadClientIp;
  readonly nextRequestId: () => string;
};

type RequestContext = {
  requestId?: string;
  account?: Account;
  readonly bill?: Bill | null;
  /** By a port only. */
  readonly req?: IncomingMessage;
};

/** What a 401 must say (RFC 9110 §11.6.1, RFC 6750 §3). */
const challenge = { 'www-authenticate': 'Bearer realm="rcpt"' } as const;

/**
 * Everything that is decided by method, path and headers alone: who may ask, and what is not GraphQL (health, the
 * GraphiQL page, downloads). What it lets pass is a GraphQL request.
 */
export const routesPlugin = (options: RoutesOptions): Plugin => {
  const {
    endpoint,
    admission,
    isSandbox,
    page,
    links,
    jobs,
    logger,
    readHealth,
    keys,
    readClientIp,
    nextRequestId,
  } = options;

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
      return faultResponse(Response, 500, 'INTERNAL', 'Internal error. The log has the details.', {
        requestId,
      });
    }
  };

  return {
    onRequest: ({ request, url, serverContext, fetchAPI, endResponse }) => {
      const { Response } = fetchAPI;
      const { headers, method } = request;
      const requestId = nextRequestId();
      (serverContext as RequestContext).requestId = requestId;
      const refuse = (
        status: number,
        { code, message }: { readonly code: RequestFaultCode; readonly message: string },
        given: Readonly<Record<string, string>> = {},
      ): Response => faultResponse(Response, status, code, message, { requestId, headers: given });
      const host = headers.get('host');
      const stranger = admission.isLoopbackOnly ? classifyHost(host) : null;
      if (stranger !== null) return endResponse(refuse(403, stranger));
      if (pathOf(request.url) !== endpoint)
        return answer(routeOther(request, url, Response), requestId, Response).then(endResponse);
      if (method === 'GET' && headers.get('accept')?.includes('text/html'))
        return page === null
          ? endResponse(refuse(404, { code: 'GRAPHIQL_OFF', message: 'GraphiQL is switched off here.' }))
          : answer(page.respond(request, Response), requestId, Response).then(endResponse);
      const caller = { host, origin: headers.get('origin'), fetchSite: headers.get('sec-fetch-site') };
      const foreign = classifyCaller(caller, admission);
      if (foreign !== null) return endResponse(refuse(403, foreign));
      const identified = identify(keys, {
        authorization: headers.get('authorization'),
        origin: caller.origin,
        readClientIp: () => readClientIp((serverContext as RequestContext).req),
      });
      if (identified.kind === 'fault') {
        const { fault } = identified;
        return endResponse(
          fault.code === 'UNAUTHENTICATED' ? refuse(401, fault, challenge) : refuse(403, fault),
        );
      }
      (serverContext as RequestContext).account = identified.account;
      return undefined;
    },
    onResponse: ({ request, response, serverContext }) => {
      const { requestId, bill } = serverContext as RequestContext;
      const { headers } = response;
      if (admission.variesByOrigin) headers.append('vary', 'Origin');
      const cors = printCorsHeaders(request.headers.get('origin'), admission);
      if (cors !== null) for (const [name, value] of Object.entries(cors)) headers.set(name, value);
      if (bill?.bucket)
        for (const [name, value] of Object.entries(printRateLimitHeaders(bill.bucket)))
          headers.set(name, value);
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
