/** A line between clients and the gateway that breaks where a test wants it to. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Line = {
  /** Of GraphQL, through the line. */
  readonly url: string;
  /** How often it broke. */
  readonly cuts: number;
  /**
   * Breaks once, within the second event that has this field, or before the stream says that it ends: the client has read
   * one event and no end, however fast the gateway was.
   */
  cutAfterEvent(field: string): void;
  /** Where connections go that begin from now on. */
  lead(gatewayUrl: string): void;
  close(): Promise<void>;
};

/** How streams end on each transport, as the gateway prints it. */
const ends = ['event: complete', '"type":"complete"', '--graphql--'];

export const createLine = async (gatewayUrl: string): Promise<Line> => {
  let { hostname, port, pathname } = new URL(gatewayUrl);
  const sockets = new Set<Socket>();
  let awaited: string | null = null;
  let cuts = 0;

  /** Where to break what a connection has carried so far; -1: not yet. */
  const findCut = (text: string): number => {
    if (awaited === null) return -1;
    const first = text.indexOf(awaited);
    if (first === -1) return -1;
    const after = first + awaited.length;
    const places = [awaited, ...ends]
      .map((mark) => text.indexOf(mark, after))
      .filter((place) => place !== -1);
    return places.length === 0 ? -1 : Math.min(...places);
  };

  const server = createServer((client) => {
    const gateway = connect(Number(port), hostname);
    for (const socket of [client, gateway]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    client.on('error', () => gateway.destroy()).pipe(gateway);
    gateway.on('error', () => client.destroy());
    gateway.on('end', () => client.end());
    client.once('close', () => gateway.destroy());
    let carried = '';
    gateway.on('data', (octets: Buffer) => {
      // One character an octet, so that places in the text are places in the octets.
      const text = carried + octets.toString('latin1');
      const cut = findCut(text);
      if (cut === -1) {
        carried = awaited === null ? '' : text;
        client.write(octets);
        return;
      }
      awaited = null;
      cuts += 1;
      gateway.destroy();
      client.write(octets.subarray(0, Math.max(0, cut - carried.length)), () => client.destroySoon());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    get cuts() {
      return cuts;
    },
    cutAfterEvent: (field) => {
      awaited = `"${field}":`;
    },
    lead: (url) => {
      ({ hostname, port, pathname } = new URL(url));
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
