/**
 * Apollo's multipart subscription protocol 1.0, which Apollo Client and Relay's runtime speak over plain HTTP
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol): each result is a part
 * `{"payload": …}`, `{}` says that the stream lives, `{"payload": null, "errors": […]}` that the transport failed, and
 * the closing boundary that nothing more comes.
 *
 * A part is made when the client has read the one before: whoever does not read holds one part and no more.
 */
import type { ExecutionResult } from 'graphql';
import { type FetchAPI, isAsyncIterable, type Plugin } from 'graphql-yoga';
import { printError, type RequestFaultCode } from './fault.ts';
import type { Beating, Heart } from './heart.ts';

/** Clients take it from Content-Type, but Apollo's and Relay's ask for this one. */
const boundary = 'graphql';

const mediaType = `multipart/mixed;boundary="${boundary}";subscriptionSpec="1.0"`;

/** Does the client speak it? Parameters are compared without quotes and case, as everybody writes them otherwise. */
const accepts = (accept: string | null): boolean =>
  accept !== null && /multipart\/mixed[^,]*;\s*subscriptionspec="?1\.0"?/i.test(accept);

/** Would it rather have one plain result, when there is no stream? */
const takesJson = (accept: string | null): boolean =>
  accept !== null && /application\/(?:\*|json|graphql-response\+json)/i.test(accept);

type Result = ExecutionResult;
type Iterator = { next(): Promise<IteratorResult<Result>>; return?(): Promise<unknown> };

const iterate = (result: unknown): Iterator => {
  if (isAsyncIterable(result)) return result[Symbol.asyncIterator]() as Iterator;
  const results = [result as Result];
  return {
    next: async () => {
      const value = results.pop();
      return value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
  };
};

const printPart = ({ errors, ...result }: Result): string => {
  if (errors === undefined) return JSON.stringify({ payload: result });
  const printed = errors.map(printError);
  // The stream ends though its source has more to say: an error of the transport, which clients retry.
  const isTransports = errors.some(
    ({ extensions }) => extensions.code === ('GATEWAY_CLOSING' satisfies RequestFaultCode),
  );
  return JSON.stringify(
    isTransports
      ? { payload: null, errors: printed }
      : { payload: { data: null, ...result, errors: printed } },
  );
};

const createProcessor =
  (heart: Heart) =>
  (result: unknown, { Response, ReadableStream, TextEncoder }: FetchAPI): Response => {
    const encoder = new TextEncoder();
    const iterator = iterate(result);
    let pulse: Beating;
    const encodePart = (json: string) =>
      encoder.encode(`\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${json}\r\n--${boundary}`);

    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        // The first boundary goes out at once: the client knows that its subscription stands.
        controller.enqueue(encoder.encode(`\r\n--${boundary}`));
        pulse = {
          beat: () => {
            if (controller.desiredSize === null) heart.leave(pulse);
            else if (controller.desiredSize > 0) controller.enqueue(encodePart('{}'));
          },
        };
        heart.join(pulse);
      },
      pull: async (controller) => {
        try {
          const { done, value } = await iterator.next();
          if (!done) return controller.enqueue(encodePart(printPart(value)));
          heart.leave(pulse);
          controller.enqueue(encoder.encode('--\r\n'));
          controller.close();
        } catch (error) {
          heart.leave(pulse);
          controller.error(error);
        }
      },
      cancel: async () => {
        heart.leave(pulse);
        await iterator.return?.();
      },
    });
    return new Response(body as never, { status: 200, headers: { 'content-type': mediaType } });
  };

export const multipartSubscriptionPlugin = (heart: Heart): Plugin => {
  const processor = createProcessor(heart);
  return {
    onResultProcess: ({ request, result, setResultProcessor }) => {
      const accept = request.headers.get('accept');
      if (accepts(accept) && (isAsyncIterable(result) || !takesJson(accept)))
        setResultProcessor(processor, 'multipart/mixed');
    },
  };
};
