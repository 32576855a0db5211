/** A client that says what it is told and keeps what it hears: no parser of ours between a test and the wire. */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Sandbox } from '../../src/sandbox/index.ts';

/** Long enough for a busy machine; a test that meets it has failed. */
const DEADLINE_MS = 10_000;

export const createResolver = ({ dnsServers }: Pick<Sandbox, 'dnsServers'>): Resolver => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers(dnsServers);
  return resolver;
};

/** The address of the domain's last exchange (its only one, or the one that lives), or of the domain itself. */
export const lookupExchange = async (sandbox: Sandbox, domain: string): Promise<string> => {
  const resolver = createResolver(sandbox);
  const exchanges = await resolver.resolveMx(domain).catch(() => []);
  const host = exchanges.toSorted((a, b) => a.priority - b.priority).at(-1)?.exchange ?? domain;
  const [ip] = await resolver.resolve4(host).catch(() => resolver.resolve6(host));
  return ip ?? '';
};

export type Peer = {
  readonly socket: Socket;
  /** Octets heard so far, as Latin-1. */
  readonly heard: string;
  /** Waits until so many line ends have been heard, since the start. */
  hearLines(count: number): Promise<void>;
  /** Waits until all that was heard since the start has it. */
  hear(pattern: RegExp): Promise<void>;
  /** Waits for the end of the connection and gives all that was heard. */
  hearAll(): Promise<string>;
};

const listen = (socket: Socket): Peer => {
  let heard = '';
  let check = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
    check();
  });
  // A connection that is cut is what some of these servers are for.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const inTime = <Value>(promise: Promise<Value>, what: string): Promise<Value> => {
    const { promise: late, reject } = Promise.withResolvers<Value>();
    const timer = setTimeout(() => reject(new Error(`${what} did not come; heard: ${heard}`)), DEADLINE_MS);
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  const hear = (isEnough: () => boolean, what: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    check = () => {
      if (isEnough()) resolve();
    };
    check();
    const cut = closed.then(() => {
      if (!isEnough()) throw new Error(`closed before ${what} came; heard: ${heard}`);
    });
    return inTime(Promise.race([promise, cut]), what);
  };
  return {
    socket,
    get heard() {
      return heard;
    },
    hearLines: (count) => hear(() => heard.split('\n').length - 1 >= count, `${count} lines`),
    hear: (pattern) => hear(() => pattern.test(heard), String(pattern)),
    hearAll: () =>
      inTime(
        closed.then(() => heard),
        'the end',
      ),
  };
};

export const openPeer = async (sandbox: Sandbox, domain: string): Promise<Peer> => {
  const socket = connect({ host: await lookupExchange(sandbox, domain), port: sandbox.smtpPort });
  const peer = listen(socket);
  if (socket.connecting) await once(socket, 'connect', { signal: AbortSignal.timeout(DEADLINE_MS) });
  return peer;
};

/** The same connection after a handshake; the certificate is not checked. */
export const secure = async ({ socket }: Peer): Promise<Peer> => {
  socket.removeAllListeners('data');
  const upper = connectTls({ socket, rejectUnauthorized: false });
  const peer = listen(upper);
  await once(upper, 'secureConnect', { signal: AbortSignal.timeout(DEADLINE_MS) });
  return peer;
};

/**
 * Connections in every state that a server can be in: idle, mute, delayed, dribbling, flooding unread, behind TLS.
 * The one that does not read must be resumed to notice its end.
 */
export const openPeers = async (sandbox: Sandbox): Promise<Peer[]> => {
  const names = ['accepts', 'bulk', 'hangs', 'tarpit', 'slow', 'endless-reply', 'garbage', 'starttls-broken'];
  const peers = await Promise.all(names.map((name) => openPeer(sandbox, `${name}.test`)));
  const unread = await openPeer(sandbox, 'endless-reply.test');
  await unread.hearLines(1);
  unread.socket.pause();
  const plain = await openPeer(sandbox, 'starttls-injected.test');
  await plain.hearLines(1);
  plain.socket.write('EHLO client.test\r\nSTARTTLS\r\n');
  await plain.hear(/Ready to start TLS/);
  return [...peers, unread, await secure(plain)];
};

export type ConverseOptions = {
  /** Says everything without waiting for the greeting. */
  readonly isEarly?: boolean;
  /** Closes its own side after the last command: a server that is silent by then would keep it for minutes. */
  readonly isLeaving?: boolean;
};

/** The lines of a whole conversation: the greeting, then every command in one write, until the server hangs up. */
export const converse = async (
  sandbox: Sandbox,
  domain: string,
  commands: readonly string[],
  { isEarly = false, isLeaving = false }: ConverseOptions = {},
): Promise<string[]> => {
  const peer = await openPeer(sandbox, domain);
  if (!isEarly) await peer.hearLines(1);
  const text = commands.map((command) => `${command}\r\n`).join('');
  if (isLeaving) peer.socket.end(text);
  else peer.socket.write(text);
  const heard = Buffer.from(await peer.hearAll(), 'latin1').toString('utf8');
  return heard.split('\r\n').filter((line) => line !== '');
};
