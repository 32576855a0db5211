import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { faultResponse, type RequestFaultCode } from './fault.ts';
import { mostBodyOctets, mostDroppedOctets, mostMultipartOctets, partLimits } from './limits.ts';

/**
 * Reads requests within bounds: JSON of 4 MB at most, multipart with a file of 10 MB at most, one operation in each.
 *
 * Nothing that a page of another origin can send without asking first (forms, text, bare multipart): multipart is taken
 * with a header that makes browsers ask.
 */
export const bodyPlugin: Plugin = {
  onRequestParse: (request) => {
    readWithin(request);
    return refuseBatch;
  },
};

const readWithin = ({
  request,
  requestParser,
  setRequestParser,
  endResponse,
  fetchAPI,
  serverContext,
}: Parameters<NonNullable<Plugin['onRequestParse']>>[0]): void => {
  if (request.method === 'GET' && requestParser !== undefined)
    setRequestParser(async (asked) => {
      try {
        return await requestParser(asked);
      } catch {
        throw badRequest('BAD_REQUEST', '`variables` and `extensions` must be JSON objects.');
      }
    });
  if (request.method !== 'POST') return;
  const { requestId } = serverContext as { readonly requestId?: string };
  if (isMultipart(request.headers.get('content-type'))) {
    const refused = classifyMultipart(request.headers);
    if (refused !== null)
      endResponse(
        faultResponse(fetchAPI.Response, refused.status, refused.code, refused.message, { requestId }),
      );
    else if (requestParser !== undefined)
      setRequestParser((asked) => requestParser(withPartLimits(asked as LimitedRequest)));
    return;
  }
  if (!isJson(request.headers.get('content-type'))) {
    endResponse(
      faultResponse(
        fetchAPI.Response,
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'Send the request as application/json.',
        { requestId },
      ),
    );
    return;
  }
  const length = request.headers.get('content-length');
  // Node holds a body to its Content-Length, so that one that has it needs no counting.
  if (length !== null && Number(length) <= mostBodyOctets) return;
  if (length !== null || request.body === null) throw tooLarge();
  if (requestParser === undefined) return;
  setRequestParser(async (chunked) =>
    requestParser(
      new fetchAPI.Request(chunked.url, {
        method: 'POST',
        headers: chunked.headers,
        body: await readBounded(chunked.body),
      }),
    ),
  );
};

const badRequest = (code: RequestFaultCode | 'BAD_REQUEST', message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });

/** One request, one operation: what ten would cost is decided for each. */
const refuseBatch = {
  onRequestParseDone: ({ requestParserResult }: { readonly requestParserResult: unknown }): void => {
    if (Array.isArray(requestParserResult))
      throw badRequest('BATCHING_UNSUPPORTED', 'Send each operation in a request of its own.');
  },
};

/** Headers that only a script may set, and across origins only after it asked; the names that clients use. */
const preflightHeaders = ['graphql-require-preflight', 'apollo-require-preflight'];

const isMultipart = (type: string | null): boolean =>
  type?.toLowerCase().startsWith('multipart/form-data') === true;

const classifyMultipart = (
  headers: Headers,
): { readonly status: number; readonly code: RequestFaultCode; readonly message: string } | null => {
  if (!preflightHeaders.some((name) => headers.has(name)))
    return {
      status: 403,
      code: 'PREFLIGHT_REQUIRED',
      message: 'Send multipart requests with the header GraphQL-Require-Preflight: 1.',
    };
  const length = headers.get('content-length');
  return length === null || Number(length) > mostMultipartOctets
    ? {
        status: 413,
        code: 'BODY_TOO_LARGE',
        message: `A multipart request says its Content-Length, at most ${mostMultipartOctets} octets: upload a larger file (createUpload).`,
      }
    : null;
};

type LimitedRequest = Request & {
  formData(options?: { readonly formDataLimits: typeof partLimits }): Promise<FormData>;
};

/** The parser asks for the form without limits of its own. */
const withPartLimits = (request: LimitedRequest): Request => {
  const readForm = request.formData.bind(request);
  request.formData = () => readForm({ formDataLimits: partLimits });
  return request;
};

const isJson = (type: string | null): boolean =>
  type !== null && /^application\/(?:json|graphql\+json)\s*(?:;|$)/i.test(type);

const tooLarge = (): GraphQLError =>
  new GraphQLError(`The request is larger than ${mostBodyOctets} octets.`, {
    extensions: {
      code: 'BODY_TOO_LARGE' satisfies RequestFaultCode,
      limit: mostBodyOctets,
      http: { status: 413 },
    },
  });

const readBounded = async (body: ReadableStream<Uint8Array> | null): Promise<string> => {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let octets = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    octets += value.byteLength;
    if (octets > mostBodyOctets) {
      drop(reader).catch(() => undefined);
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
};

/** Most clients hear the answer only when they have sent everything: hanging up on them would be heard as a reset. */
const drop = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  for (let octets = 0; octets < mostDroppedOctets; ) {
    const { done, value } = await reader.read();
    if (done) return;
    octets += value.byteLength;
  }
  await reader.cancel();
};
