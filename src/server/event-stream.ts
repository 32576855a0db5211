/**
 * Subscriptions by SSE (the "distinct connections mode" of GraphQL over SSE), written to Node's response as they come.
 *
 * Yoga makes a web stream of each, read by another stream, and keeps the whole request beside it as long as it lives:
 * that takes 30 kB of heap for one that is silent. What is sent is what Yoga sends; without a socket (`fetch`) Yoga sends it.
 *
 * The next event is asked for when the one before has left for the kernel: whoever does not read holds one and no more.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { type FetchAPI, isAsyncIterable, type Plugin } from 'graphql-yoga';
import { printError } from './fault.ts';
import type { Heart } from './heart.ts';

type Events = AsyncIterator<ExecutionResult>;

const headers = {
  'content-type': 'text/event-stream',
  connection: 'keep-alive',
  'cache-control': 'no-cache',
  'content-encoding': 'none',
};

/** A comment: the first one makes browsers see the headers, the others show that the stream lives. */
const comment = ':\n\n';

const printEvent = (result: ExecutionResult): string =>
  `event: next\ndata: ${JSON.stringify(result.errors ? { ...result, errors: result.errors.map(printError) } : result)}\n\n`;

/** One that is being sent. */
class EventStream {
  readonly #events: Events;
  readonly #heart: Heart;
  readonly #response: ServerResponse;
  #isOver = false;

  constructor(events: Events, heart: Heart, response: ServerResponse) {
    this.#events = events;
    this.#heart = heart;
    this.#response = response;
    response.write(comment);
    response.once('close', () => this.#cancel());
    heart.join(this);
    void this.#send();
  }

  beat(): void {
    if (this.#response.writableLength === 0) this.#response.write(comment);
  }

  async #send(): Promise<void> {
    const response = this.#response;
    try {
      while (!this.#isOver) {
        const { done, value } = await this.#events.next();
        if (this.#isOver) return;
        if (done) {
          this.#end();
          response.end('event: complete\ndata:\n\n');
        } else if (!response.write(printEvent(value)))
          await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
      }
    } catch {
      // Faults of events are results by now: this is a source that broke. The client sees that nobody said `complete`.
      this.#end();
      response.destroy();
    }
  }

  /** The client is gone. */
  #cancel(): void {
    if (this.#isOver) return;
    this.#end();
    // What fails to end is its own to report: nobody listens here any more.
    this.#events.return?.().catch(() => undefined);
  }

  #end(): void {
    this.#isOver = true;
    this.#heart.leave(this);
  }
}

/** What Yoga leaves in the context of an operation, for as long as that lives. */
type Remains = { res?: unknown; req?: unknown; request?: unknown; params?: unknown };

export type EventStreams = {
  readonly plugin: Plugin;
  /** Sends the response if it is one of these; else the caller does. */
  send(answer: Response, request: IncomingMessage, response: ServerResponse): boolean;
};

export const createEventStreams = (heart: Heart): EventStreams => {
  /** Streams of `@defer` may travel in two ways, and end soon: they are Yoga's. */
  const subscriptions = new WeakSet<object>();
  const bodies = new WeakMap<Response, Events>();

  const answer = (result: unknown, { Response }: FetchAPI): Response => {
    const empty = new Response(null, { status: 200, headers });
    bodies.set(empty, (result as AsyncIterable<ExecutionResult>)[Symbol.asyncIterator]());
    return empty;
  };

  return {
    plugin: {
      onSubscribe: ({ args }) => {
        const { request } = args.contextValue as Remains;
        if (request) subscriptions.add(request);
      },
      // Of a subscription's stream Yoga has chosen a processor only if the client takes events.
      onResultProcess: ({ request, result, resultProcessor, setResultProcessor, serverContext }) => {
        const remains = serverContext as Remains;
        if (!remains.res || !resultProcessor || !isAsyncIterable(result) || !subscriptions.has(request))
          return;
        setResultProcessor(answer, 'text/event-stream');
        // A silent subscription needs no body, no headers and no text of its document.
        remains.req = remains.request = remains.params = undefined;
      },
    },
    send: (answered, request, response) => {
      const events = bodies.get(answered);
      if (events === undefined) return false;
      // Its body has been read, and who read it would hear of it, and keep it, as long as the response goes on.
      request.removeAllListeners();
      request.socket.setTimeout(0);
      request.socket.setKeepAlive(true);
      // Together: headers that are set one by one are kept for as long as the response goes on.
      response.writeHead(answered.status, [...answered.headers].flat());
      // Alone: together with what follows it would stay in memory as the thirty pieces that it is made of.
      response.flushHeaders();
      new EventStream(events, heart, response);
      return true;
    },
  };
};
