/**
 * Distance in a process of its own: what goes in at one end comes out at the other half a round trip later, in order
 * and at any bandwidth. A connection reaches the server half a round trip after the client believes it open, as the
 * last packet of the handshake does, so that the greeting costs a whole one. (The handshake itself costs nothing
 * here, which spares those most who open the most connections.)
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Peer, serveParent, startPeer } from './smtp-process.ts';

export type ProxyOptions = {
  readonly ip: string;
  readonly target: { readonly ip: string; readonly port: number };
  readonly roundTripMs: number;
};

/** Of all connections since the last question. */
export type Crossings = {
  readonly connections: number;
  /** Runs of data in one direction: several writes without an answer between them are one. */
  readonly fromClient: number;
  readonly fromServer: number;
};

export const startProxy = (options: ProxyOptions): Promise<Peer<{ readonly port: number }>> =>
  startPeer(import.meta.filename, options);

/** Calls each after the same time, in the order they came: one timer, and no drift between neighbours. */
const createDelay = (ms: number) => {
  const waiting: { readonly at: number; readonly run: () => void }[] = [];
  let head = 0;
  const work = (): void => {
    for (let next = waiting[head]; next && next.at <= performance.now(); next = waiting[++head]) next.run();
    const next = waiting[head];
    if (next) setTimeout(work, Math.max(0, next.at - performance.now()));
    else {
      waiting.length = 0;
      head = 0;
    }
  };
  return (run: () => void): void => {
    waiting.push({ at: performance.now() + ms, run });
    if (waiting.length === 1) setTimeout(work, ms);
  };
};

if (import.meta.main) {
  const { ip, target, roundTripMs }: ProxyOptions = JSON.parse(process.argv[2] ?? '');
  const later = createDelay(roundTripMs / 2);
  let crossings = { connections: 0, fromClient: 0, fromServer: 0 };
  const server = createServer({ noDelay: true }, (client) => {
    crossings.connections++;
    const far = new Promise<Socket>((resolve) =>
      later(() => resolve(connect({ host: target.ip, port: target.port, noDelay: true }))),
    );
    let last: 'fromClient' | 'fromServer' | null = null;
    const join = (from: Socket, to: Socket, direction: 'fromClient' | 'fromServer'): void => {
      from
        .on('data', (chunk) => {
          if (last !== direction) crossings[direction]++;
          last = direction;
          later(() => to.write(chunk));
        })
        .on('end', () => later(() => to.end()))
        .on('error', () => to.destroy());
    };
    client.on('error', () => client.destroy());
    void far.then((socket) => {
      join(socket, client, 'fromServer');
      join(client, socket, 'fromClient');
    });
  });
  server.listen({ host: ip, port: 0, backlog: 8_192 });
  await once(server, 'listening');
  serveParent({ port: (server.address() as AddressInfo).port }, () => {
    const answer: Crossings = crossings;
    crossings = { connections: 0, fromClient: 0, fromServer: 0 };
    return answer;
  });
}
