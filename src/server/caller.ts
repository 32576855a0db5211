/**
 * Who may make this gateway work. Without API keys it serves its own machine, and every web page that is open
 * there is a stranger with a way in: by a name that resolves to loopback (DNS rebinding), by a form or an image (CSRF),
 * by a WebSocket, which knows no same-origin policy. Browsers tell on them in headers that a page cannot forge.
 *
 * Three moments: `classifyCaller` decides by the headers of a request or an upgrade, before anything is read; `account.ts`
 * tells by its key who it is, with a request or when a socket introduces itself; `establishCaller` gathers both for each
 * operation, before it is executed or subscribed to.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from './account.ts';

export type CallerHeaders = {
  readonly host: string | null;
  readonly origin: string | null;
  /** `Sec-Fetch-Site`: sent by browsers to loopback and to HTTPS. */
  readonly fetchSite: string | null;
};

/** Who is let in at all. */
export type Admission = {
  /** Does it serve everybody, but on loopback alone, so that any other Host is an attack? */
  readonly isLoopbackOnly: boolean;
  /** May pages of this other origin use the gateway (RCPT_CORS_ORIGINS, origins of keys)? */
  allowsOrigin(origin: string): boolean;
  /** Are there such origins at all? Then caches must tell them apart. */
  readonly variesByOrigin: boolean;
};

export type CallerFault = { readonly code: 'HOST_NOT_ALLOWED' | 'CROSS_ORIGIN'; readonly message: string };

/** Of a request as Node has it, for what does not pass through Yoga. */
export const callerHeadersOf = ({ headers }: IncomingMessage): CallerHeaders => ({
  host: headers.host ?? null,
  origin: headers.origin ?? null,
  fetchSite: String(headers['sec-fetch-site'] ?? '') || null,
});

/** By the headers alone: null when nothing is wrong with them. */
export const classifyCaller = (headers: CallerHeaders, admission: Admission): CallerFault | null =>
  (admission.isLoopbackOnly ? classifyHost(headers.host) : null) ?? classifyOrigin(headers, admission);

/** The one who asks for an operation. */
export type Caller = {
  readonly account: Account;
  /** Scheme and authority that the gateway was reached by: links begin with it. */
  readonly origin: string;
  /** Stands in the response's header, in its errors and in the log. */
  readonly requestId: string;
  /** Ends when the client is gone. */
  readonly signal: AbortSignal;
};

/** What a WebSocket has of an operation: the socket's own request and what `connection_init` brought. */
export type SocketOperation = {
  readonly upgrade: IncomingMessage;
  readonly account: Account;
  readonly requestId: string;
  readonly signal: AbortSignal;
};

/** What an operation is known by: `socket` from a WebSocket; from HTTP the request, and by a port its response. */
export type Operation = {
  readonly socket?: SocketOperation;
  readonly account?: Account;
  readonly requestId?: string;
  readonly request?: Request;
  readonly res?: ServerResponse;
};

/**
 * The one place where a caller comes to be: called for each operation on each transport, after its document was found
 * valid and before its execution or its subscription begins.
 */
export const establishCaller = (operation: Operation): Caller => {
  const { socket, request, requestId = '' } = operation;
  const { account } = socket ?? operation;
  // Who lets an operation through without having asked who it is has a bug: nothing is served rather than everything.
  if (account === undefined) throw new Error('an operation without an account');
  return socket === undefined
    ? { account, origin: originOf(request?.url ?? ''), requestId, signal: signalOf(operation) }
    : {
        account,
        origin: `http://${socket.upgrade.headers.host ?? ''}`,
        requestId: socket.requestId,
        signal: socket.signal,
      };
};

const originOf = (url: string): string => url.slice(0, url.indexOf('/', url.indexOf('//') + 2));

/** One for all: its stack says nothing. */
export const hungUp = new DOMException('The client hung up.', 'AbortError');

/**
 * Ends when the client hangs up. Yoga has a signal for that too, but `AbortSignal.any` refuses it, and listening to
 * it costs a tenth of a cached request.
 */
const signalOf = ({ res, request }: Operation): AbortSignal => {
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

/** Names that are this machine whatever DNS says (RFC 6761 §6.3). */
const loopbackName = /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** Does the host only reach this machine? */
export const isLoopbackHost = (host: string): boolean => host === '::1' || loopbackName.test(host);

const nameOf = (host: string): string => host.replace(/:\d{1,5}$/, '');

/** A Host header that names somebody else's machine, on a socket that only this machine reaches. */
export const classifyHost = (host: string | null): CallerFault | null =>
  host !== null && !loopbackName.test(nameOf(host))
    ? {
        code: 'HOST_NOT_ALLOWED',
        message: 'This gateway serves its own machine only: ask for it as localhost or 127.0.0.1.',
      }
    : null;

/** A browser that acts for a page of another origin. Clients that are no browsers send neither header. */
export const classifyOrigin = (
  { host, origin, fetchSite }: CallerHeaders,
  { allowsOrigin }: Pick<Admission, 'allowsOrigin'>,
): CallerFault | null => {
  if (origin !== null && allowsOrigin(origin)) return null;
  const isForeign =
    (origin !== null && !isSameOrigin(origin, host)) ||
    fetchSite === 'cross-site' ||
    fetchSite === 'same-site';
  return isForeign
    ? { code: 'CROSS_ORIGIN', message: 'Pages of other origins may not use this gateway.' }
    : null;
};

const isSameOrigin = (origin: string, host: string | null): boolean =>
  host !== null && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
