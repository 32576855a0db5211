/**
 * What browsers are told about pages of other origins (Fetch, "CORS protocol"): the origins of RCPT_CORS_ORIGINS and those
 * that a publishable key is bound to may use the gateway, and nobody else. Credentials stay off: there are no cookies to steal, keys travel in Authorization.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Admission, callerHeadersOf, classifyCaller } from './caller.ts';
import { printFault } from './fault.ts';

/** What scripts may read beside the body. */
const exposed = [
  'X-Request-Id',
  'X-Rcpt-Simulated',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Content-Disposition',
  'Range',
].join(', ');

const methods = 'GET, HEAD, POST, PUT';

/** `*` leaves Authorization out. */
const requestHeaders = 'Authorization, Content-Type, *';

/** How long a browser need not ask again. */
const preflightLifeSeconds = '3600';

/** Of any answer; null when the asker is no page of another origin that may. */
export const printCorsHeaders = (
  origin: string | null | undefined,
  { allowsOrigin }: Pick<Admission, 'allowsOrigin'>,
): Readonly<Record<string, string>> | null =>
  typeof origin === 'string' && allowsOrigin(origin)
    ? { 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed }
    : null;

/** Does a browser ask whether a page may ask? */
export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined;

/** Answers the question for every path alike: what a path takes it says itself. */
export const answerPreflight = (
  request: IncomingMessage,
  response: ServerResponse,
  admission: Admission,
): void => {
  request.resume();
  const fault = classifyCaller(callerHeadersOf(request), admission);
  const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
  if (fault !== null) {
    response.writeHead(403, { 'content-type': 'application/json; charset=utf-8', vary });
    response.end(printFault(fault.code, fault.message));
    return;
  }
  response.writeHead(204, {
    vary,
    ...printCorsHeaders(request.headers.origin, admission),
    'access-control-allow-methods': methods,
    'access-control-allow-headers': requestHeaders,
    'access-control-max-age': preflightLifeSeconds,
  });
  response.end();
};
