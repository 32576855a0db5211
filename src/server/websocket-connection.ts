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

export const openConnection = (options: {
  readonly server: Server<SocketExtra>;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly heart: Heart;
  readonly logger: Logger;
}): void => {
  const { server, socket, request, heart, logger } = options;
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
          if (socket.readyState === socket.OPEN) void hear(String(data)).catch(fail);
        }),
    },
    { socket, request },
  );
  socket.once('close', (code, reason) => void closed(code, String(reason)).catch(fail));
};
