/** What every mail server of the sandbox is, whoever wrote it; and how all of them come to listen on one port. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Recorder } from './recorder.ts';

export type MailServer = {
  readonly net: Server;
  /** Ends every connection at once. */
  hangUp(): void;
  /** Forgets whom it has seen. */
  reset(): void;
};

/** What a mail server is given to live in. */
export type Premises = {
  readonly ip: string;
  /** The name in its greeting. */
  readonly name: string;
  readonly pace: number;
  readonly recorder: Recorder;
};

/** Connections of one server at once: more are closed on arrival, so that a runaway client is not our memory. */
export const CONNECTION_CEILING = 20_000;
/** A silent client is hung up on (RFC 5321 §4.5.3.2.7 says 5 minutes). */
export const IDLE_MS = 5 * 60_000;
/** Times a port is drawn anew because one of the addresses has it taken: another sandbox may run beside us. */
const BIND_TRIES = 32;

export type Exchange = { readonly ip: string; readonly server: MailServer };

/**
 * All servers on one port, which the system chooses when it is 0.
 * @throws when the port is taken, or when the system has not the whole of 127.0.0.0/8 on its loopback (Linux has)
 */
export const listenTogether = async (exchanges: readonly Exchange[], port: number): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    let chosen = port;
    try {
      for (const { ip, server } of exchanges) chosen = await listen(server.net, chosen, ip);
      return chosen;
    } catch (error) {
      await closeTogether(exchanges);
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRNOTAVAIL')
        throw new Error('the sandbox needs every address of 127.0.0.0/8 on the loopback, as Linux has it', {
          cause: error,
        });
      if (code !== 'EADDRINUSE' || port !== 0 || tries >= BIND_TRIES) throw error;
    }
  }
};

export const closeTogether = async (exchanges: readonly Exchange[]): Promise<void> => {
  await Promise.all(
    exchanges.map(({ server }) => {
      const closed = new Promise<void>((resolve) => server.net.close(() => resolve()));
      server.hangUp();
      return closed;
    }),
  );
};

/** Can a server of ours listen there at all? */
export const isAvailable = async (server: Server, ip: string): Promise<boolean> => {
  try {
    await listen(server, 0, ip);
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
};

const listen = async (net: Server, port: number, host: string): Promise<number> => {
  // A burst of thousands of connections must not be dropped by the default backlog of 511.
  net.listen({ port, host, backlog: 4_096 });
  await once(net, 'listening');
  const address = net.address();
  if (address === null || typeof address === 'string') throw new Error('a mail server has no port');
  return address.port;
};
