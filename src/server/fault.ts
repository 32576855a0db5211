import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { StoreTrouble } from '../jobs/index.ts';
import { describeFault, type Logger } from './log.ts';

/** Codes of faults of a request as such; those that resolvers find are coded in `graphql`. */
export type RequestFaultCode =
  | 'BAD_RANGE'
  | 'BATCHING_UNSUPPORTED'
  | 'BODY_TOO_LARGE'
  | 'CROSS_ORIGIN'
  | 'FORBIDDEN'
  | 'GATEWAY_CLOSING'
  | 'GRAPHIQL_OFF'
  | 'HEADERS_TOO_LARGE'
  | 'HOST_NOT_ALLOWED'
  | 'INCREMENTAL_NOT_ACCEPTED'
  | 'INTERNAL'
  | 'INTROSPECTION_OFF'
  | 'LINK_EXPIRED'
  | 'LINK_INVALID'
  | 'MALFORMED_REQUEST'
  | 'MAX_COST_EXCEEDED'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'NOT_ACCEPTABLE'
  | 'ORIGIN_NOT_ALLOWED'
  | 'PERSISTED_ONLY'
  | 'PERSISTED_QUERY_MISMATCH'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  | 'PREFLIGHT_REQUIRED'
  | 'REPEATED_HEADER'
  | 'REQUEST_TIMEOUT'
  | 'STORAGE_UNAVAILABLE'
  | 'THROTTLED'
  | 'TOO_COMPLEX'
  | 'TOO_DEEP'
  | 'TOO_MANY_ALIASES'
  | 'TOO_MANY_DIRECTIVES'
  | 'TOO_MANY_FIELDS'
  | 'TOO_MANY_OPERATIONS'
  | 'TOO_MANY_ROOT_FIELDS'
  | 'TOO_MANY_TOKENS'
  | 'UNAUTHENTICATED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'UPLOAD_BUSY'
  | 'UPLOAD_COMPLETE'
  | 'VALIDATION_FAILED';

/** An answer that never reached GraphQL, in GraphQL's shape, so that every client can read it. */
export const printFault = (
  code: RequestFaultCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): string => JSON.stringify({ errors: [{ message, extensions: { code, ...details } }] });

export const faultResponse = (
  Response: typeof globalThis.Response,
  status: number,
  code: RequestFaultCode,
  message: string,
  {
    requestId,
    headers = {},
  }: { readonly requestId?: string | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
): Response =>
  new Response(printFault(code, message, requestId === undefined ? {} : { requestId }), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });

/** An error of a result as Yoga prints it: what only steers HTTP stays here. */
export const printError = (error: GraphQLError): GraphQLFormattedError => {
  const { extensions: { http, unexpected, ...extensions } = {}, ...rest } = error.toJSON();
  return Object.keys(extensions).length > 0 ? { ...rest, extensions } : rest;
};

/** The same error with more for programs in it; itself when it has all that already. */
export const withExtensions = (
  error: GraphQLError,
  added: Readonly<Record<string, unknown>>,
): GraphQLError =>
  Object.entries(added).every(([name, value]) => error.extensions[name] === value)
    ? error
    : new GraphQLError(error.message, {
        nodes: error.nodes ?? null,
        source: error.source ?? null,
        positions: error.positions ?? null,
        path: error.path ?? null,
        extensions: { ...error.extensions, ...added },
      });

/** Is it an error that somebody worded for the client, or a bug that happens to pass through GraphQL? */
const isWorded = (error: unknown): error is GraphQLError => {
  if (!(error instanceof GraphQLError)) return false;
  return error.originalError === undefined || error.originalError === null || isWorded(error.originalError);
};

/**
 * What the client sees of an error, and what the log does. A worded error passes, with a code when it had none
 * (variables that do not fit, a request that does not validate); a bug becomes INTERNAL and its text goes to the
 * log alone.
 */
export const maskFault = (error: unknown, logger: Logger, requestId: string | undefined): GraphQLError => {
  if (isWorded(error)) {
    return error.extensions.code === undefined ? withExtensions(error, { code: 'BAD_INPUT' }) : error;
  }
  const path = error instanceof GraphQLError ? error.path : undefined;
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  logger.error('request failed', { requestId, path, ...describeFault(cause) });
  // Trouble of the store that time may mend: the caller may ask again, and must not take it for a bug.
  if ((cause as Partial<StoreTrouble> | null)?.isPassing === true)
    return new GraphQLError('The store of the gateway cannot be reached now. Ask again later.', {
      nodes: (error instanceof GraphQLError ? error.nodes : null) ?? null,
      path: path ?? null,
      extensions: { code: 'STORAGE_UNAVAILABLE' satisfies RequestFaultCode, requestId },
    });
  return new GraphQLError('Internal error. The log of the gateway has the details under this request id.', {
    nodes: (error instanceof GraphQLError ? error.nodes : null) ?? null,
    path: path ?? null,
    extensions: { code: 'INTERNAL', requestId, unexpected: true },
  });
};
