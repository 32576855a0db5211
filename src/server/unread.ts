import type { Socket } from 'node:net';

/**
 * Cuts off clients that leave what was sent to them unread; one that waits for an answer may wait, and one that reads
 * slowly may go on, for Node's own timer of a socket starts anew with every octet that leaves. It is set only while
 * something waits to leave, and by a round over all sockets, since the library that writes our responses switches it off.
 * When it fires, Node destroys the socket.
 *
 * @returns what ends the rounds
 */
export const watchUnread = (sockets: Iterable<Socket>, ms: number): (() => void) => {
  const watched = new WeakSet<Socket>();
  const round = setInterval(() => {
    for (const socket of sockets) {
      const isUnread = socket.writableLength > 0;
      // A timer that somebody else has set (keep-alive, a stalled upload) is theirs.
      if (isUnread && !socket.timeout) {
        watched.add(socket);
        socket.setTimeout(ms);
      } else if (!isUnread && watched.delete(socket) && socket.timeout === ms) socket.setTimeout(0);
    }
  }, ms / 4);
  round.unref();
  return () => clearInterval(round);
};
