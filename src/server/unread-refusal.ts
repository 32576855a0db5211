/**
 * The cheapest answer there is: whoever was told a moment ago to come back later is told so again by the headers of its
 * request, before anything of it is read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Keys } from '../keys/index.ts';
import { identify } from './account.ts';
import type { Admission } from './caller.ts';
import type { ReadClientIp } from './client-ip.ts';
import { printCorsHeaders } from './cors.ts';
import { printRefusal, type Throttle } from './throttle.ts';

/** Gives what answers a request that is refused unread; false for another one, which is untouched. */
export const createUnreadRefusal = (options: {
  readonly keys: Keys;
  readonly throttle: Pick<Throttle, 'findRefusal'>;
  readonly readClientIp: ReadClientIp;
  readonly nextRequestId: () => string;
  readonly admission: Admission;
  readonly isSandbox: boolean;
}): ((request: IncomingMessage, response: ServerResponse) => boolean) => {
  const { keys, throttle, readClientIp, nextRequestId, admission, isSandbox } = options;
  return (request, response) => {
    const { authorization = null, origin = null } = request.headers;
    if (authorization === null) return false;
    const identified = identify(keys, {
      authorization,
      origin,
      readClientIp: () => readClientIp(request),
    });
    const refusal = identified.kind === 'account' ? throttle.findRefusal(identified.account) : null;
    if (refusal === null) return false;
    const { headers, body } = printRefusal(refusal, nextRequestId());
    request.resume();
    response.writeHead(429, {
      ...headers,
      ...printCorsHeaders(origin, admission),
      vary: 'Origin',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(isSandbox ? { 'x-rcpt-simulated': 'true' } : {}),
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
    return true;
  };
};
