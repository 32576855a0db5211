/** Servers on loopback that HTTP clients meet; closed after the test, with whatever is connected to them. */
import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Connections that are open, on all of them. */
export const openSockets = (): number => sockets.size;

/** Gives its port. */
export const listen = async (server: Server, host = '127.0.0.1', port = 0): Promise<number> => {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

/** As fast as it is read. */
const sayForEver = (socket: Socket, text: string): void => {
  const more = () => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
};

/** Waits for a request, says `greeting`, and then hangs up, says `forEver` without end, or says nothing more. */
export const createRawServer = (greeting: string, after: 'end' | 'silence' | { readonly forEver: string }) =>
  createTcpServer((socket) => {
    // That the client hangs up on it is what these tests provoke.
    socket.on('error', () => {});
    socket.once('data', () => {
      if (after === 'end') socket.end(greeting);
      else {
        socket.write(greeting);
        if (typeof after === 'object') sayForEver(socket, after.forEver);
      }
    });
  });
