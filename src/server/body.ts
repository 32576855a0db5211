import { GraphQLError, parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { faultResponse, type RequestFaultCode } from './fault.ts';
import { mostBodyOctets, mostDroppedOctets, mostTokens } from './limits.ts';

/**
 * Reads requests within bounds: JSON only, 4 MB at most, 2,000 tokens of GraphQL at most.
 *
 * JSON only, because everything else that Yoga reads (forms, multipart, text) is what a page of another origin can
 * send without asking first.
 */
export const bodyPlugin: Plugin = {
  onRequestParse: ({ request, requestParser, setRequestParser, endResponse, fetchAPI }) => {
    if (request.method !== 'POST') return;
    if (!isJson(request.headers.get('content-type'))) {
      endResponse(
        faultResponse(
          fetchAPI.Response,
          415,
          'UNSUPPORTED_MEDIA_TYPE',
          'Send the request as application/json.',
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
  },
  onParse: ({ setParseFn }) => {
    setParseFn(boundedParse);
  },
};

/** Refuses a document by its tokens while it is read, not after; on every transport with the same code. */
const boundedParse: typeof parse = (source, options) => {
  try {
    return parse(source, { ...options, maxTokens: mostTokens });
  } catch (error) {
    if (error instanceof GraphQLError) error.extensions.code ??= 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
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
