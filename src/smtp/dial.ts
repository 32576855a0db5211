/**
 * From the addresses of one exchange to one TCP connection: the next address is tried when one fails, or when it has
 * been silent for a moment, without giving the first one up; whoever answers first is spoken to and the others are
 * hung up before they hear a word (RFC 8305 §5, "happy eyeballs"). So a dead IPv6 route costs a quarter of a second.
 *
 * Refuses to judge an address, to go on to another exchange, and to say how long all of it may take: the caller does,
 * by what it gives and with its signal. At most MAX_ADDRESSES_PER_EXCHANGE connections are under way at once.
 */
import { connect, type Socket } from 'node:net';
import type { ConnectAttempt } from './types.ts';

/** RFC 8305 §5 recommends 250 ms. A SYN that is given up before its answer came is never seen by the server's software. */
export const STAGGER_MS = 250;
/** RFC 8305 §8: at most 2 s. A proxy takes its round trips first, and what it connected to has been seen by the exchange. */
export const STAGGER_BEHIND_PROXY_MS = 2_000;

/** What came of connecting to one address. */
export type Connection =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | Extract<ConnectAttempt['outcome'], { readonly kind: 'connectFailed' | 'connectTimeout' }>
  | { readonly kind: 'aborted' };

/** Connects to one address that was checked. Never rejects; hangs up when the signal aborts before it is done. */
export type ConnectTo = (
  target: { readonly ip: string; readonly port: number },
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
) => Promise<Connection>;

export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly ip: string }
  /** None of them could be connected to; `ended` has told why. */
  | { readonly kind: 'none' }
  | { readonly kind: 'aborted' };

/** @param localAddress where it leaves from; undefined: the system chooses */
export const connectDirectly =
  (localAddress?: string): ConnectTo =>
  ({ ip, port }, { timeoutMs, signal }) =>
    openSocket(
      { host: ip, port, ...(localAddress === undefined ? {} : { localAddress }) },
      timeoutMs,
      signal,
    );

const ignoreError = (): void => undefined;

/**
 * One TCP connection, or why not. The socket keeps a listener for errors, so that a late one is no exception, and
 * nothing of what opening it needed: it may be open for minutes, beside thousands.
 */
export const openSocket = (
  target: { readonly host: string; readonly port: number; readonly localAddress?: string },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Connection> => {
  if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
  const { promise, resolve } = Promise.withResolvers<Connection>();
  const socket = connect({ ...target, noDelay: true, keepAlive: false });
  const finish = (connection: Connection): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    socket.off('connect', succeed).off('error', fail);
    if (connection.kind !== 'connected') socket.destroy();
    resolve(connection);
  };
  const abort = (): void => finish({ kind: 'aborted' });
  const succeed = (): void => finish({ kind: 'connected', socket });
  const fail = ({ code }: NodeJS.ErrnoException): void =>
    finish({ kind: 'connectFailed', error: code ?? 'failed' });
  const timer = setTimeout(() => finish({ kind: 'connectTimeout' }), timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', ignoreError).on('error', fail).on('connect', succeed);
  return promise;
};

/** In turns by family, the first one's first, so that neither a dead IPv6 nor a dead IPv4 is tried four times over. */
export const interleaveFamilies = (ips: readonly string[]): readonly string[] => {
  const isFirstFamily = (ip: string): boolean => ip.includes(':') === ips[0]?.includes(':');
  const first = ips.filter(isFirstFamily);
  const second = ips.filter((ip) => !isFirstFamily(ip));
  return Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    first[index],
    second[index],
  ])
    .flat()
    .filter((ip) => ip !== undefined);
};

/** One for all: an error of its own, stack and all, for each connection was most of what connecting left behind. */
const outrun = new DOMException('another address answered first, or nobody waits', 'AbortError');

/** Rejects only when `connect` does, which is a bug. */
export const dialFirst = (options: {
  /** Of one exchange and checked, in the order of trying. */
  readonly ips: readonly string[];
  readonly connect: (ip: string, signal: AbortSignal) => Promise<Connection>;
  /** Silence after which the next one is tried too. */
  readonly staggerMs: number;
  readonly signal: AbortSignal;
  readonly started: (ip: string) => void;
  readonly ended: (ip: string, outcome: Exclude<Connection, { readonly kind: 'aborted' }>) => void;
}): Promise<Dialled> => {
  const { ips, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
  const losers = new AbortController();
  let next = 0;
  let underWay = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const finish = (settle: () => void): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    if (underWay > 0) losers.abort(outrun);
    settle();
  };
  const abort = (): void => finish(() => resolve({ kind: 'aborted' }));

  const startNext = (): void => {
    clearTimeout(timer);
    const ip = ips[next];
    if (ip === undefined) {
      if (underWay === 0) finish(() => resolve({ kind: 'none' }));
      return;
    }
    next++;
    underWay++;
    options.started(ip);
    options.connect(ip, losers.signal).then(
      (connection) => hear(ip, connection),
      (error: unknown) => finish(() => reject(error)),
    );
    if (next < ips.length) timer = setTimeout(startNext, options.staggerMs);
  };
  const hear = (ip: string, connection: Connection): void => {
    underWay--;
    if (isOver || connection.kind === 'aborted') {
      if (connection.kind === 'connected') connection.socket.destroy();
      return;
    }
    options.ended(ip, connection);
    if (connection.kind === 'connected')
      finish(() => resolve({ kind: 'connected', socket: connection.socket, ip }));
    else startNext();
  };

  if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
  signal.addEventListener('abort', abort, { once: true });
  startNext();
  return promise;
};
