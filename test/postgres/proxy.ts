/** A connection to PostgreSQL that a test can cut where it likes: a TCP relay on a port of its own. */
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export type Relay = {
  /** The same URL by way of the relay. */
  readonly url: string;
  /** Cuts the next connection that commits, once the server has answered and before the client hears of it. */
  cutAfterCommit(): Promise<void>;
  close(): Promise<void>;
};

/** A simple query, as pg sends it (PostgreSQL, Message Formats: Query). */
const commit = Buffer.from('COMMIT\0');

export const openRelay = async (url: string): Promise<Relay> => {
  const to = new URL(url);
  const sockets = new Set<Socket>();
  let cut: (() => void) | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    let isCommitting = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
      sockets.delete(upstream);
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (octets: Buffer) => {
      isCommitting = cut !== null && octets.includes(commit);
      upstream.write(octets);
    });
    upstream.on('data', (octets: Buffer) => {
      if (isCommitting && cut !== null) {
        const told = cut;
        cut = null;
        end();
        told();
      } else client.write(octets);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = new URL(url);
  own.port = String((server.address() as AddressInfo).port);
  return {
    url: own.href,
    cutAfterCommit: () =>
      new Promise((resolve) => {
        cut = resolve;
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
