/**
 * One WebSocket between `ws` and `graphql-ws`, which come with a join of their own: that one prints every client that
 * vanishes in the middle of a message to the console, with a stack, and lets pongs pile up for one that never reads.
 */
import type { IncomingMessage } from 'node:http';
import { CloseCode, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Heart } from './heart.ts';
import { mostBufferedOctets } from './limits.ts';
import { describeFault, type Logger } from './log.ts';

export type SocketExtra = {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
} & Record<PropertyKey, unknown>;

/** Ends a client that does not answer a ping before the next one, or makes us answer and never reads. */
const keepAlive = (socket: WebSocket, heart: Heart): void => {
  let isAlive = true;
  const pulse = {
    beat: () => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    },
  };
  heart.join(pulse);
  const bound = (): void => {
    if (socket.bufferedAmount > mostBufferedOctets) socket.terminate();
  };
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('message', bound).on('ping', bound);
  socket.once('close', () => heart.leave(pulse));
};

/** A message counts as sent when its octets have left: the next event of a subscription is asked for only then. */
const send = (socket: WebSocket, data: string): Promise<void> =>
  new Promise((resolve) => {
    // Whoever is gone hears nothing. What was for them ends with their `close`, which needs a turn of the event loop: a
    // source that always has its next event would not let it come.
    if (socket.readyState !== socket.OPEN) return void setImmediate(resolve);
    socket.send(data, () => resolve());
  });

/** Longer is no `complete`. */
const longestCompletion = 512;

/** The id that a `complete` message names; null for every other, and for what is none. */
const readCompletion = (text: string): string | null => {
  if (text.length > longestCompletion || !text.includes('"complete"')) return null;
  try {
    const message = JSON.parse(text) as { readonly type?: unknown; readonly id?: unknown } | null;
    return message?.type === 'complete' && typeof message.id === 'string' ? message.id : null;
  } catch {
    // graphql-ws closes the socket for it.
    return null;
  }
};

export const openConnection = (options: {
  readonly server: Server<SocketExtra>;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly heart: Heart;
  readonly logger: Logger;
  /** The client wants to hear no more of an operation: `graphql-ws` ends subscriptions by itself, and nothing else. */
  readonly cancel: (id: string) => void;
}): void => {
  const { server, socket, request, heart, logger, cancel } = options;
  const fail = (fault: unknown): void => {
    logger.error('socket failed', describeFault(fault));
    socket.close(CloseCode.InternalServerError, 'Internal server error');
  };
  // What a peer does against the protocol, `ws` has answered with a close code already.
  socket.on('error', () => undefined);
  keepAlive(socket, heart);
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code, reason) => socket.close(code, reason),
      // Once we have said that it closes, nothing more is heard: a peer may take half a minute to agree.
      onMessage: (hear) =>
        socket.on('message', (data) => {
          if (socket.readyState !== socket.OPEN) return;
          const text = String(data);
          const id = readCompletion(text);
          if (id !== null) cancel(id);
          void hear(text).catch(fail);
        }),
    },
    { socket, request },
  );
  socket.once('close', (code, reason) => void closed(code, String(reason)).catch(fail));
};
