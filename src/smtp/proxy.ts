/**
 * Connecting through a SOCKS5 proxy (RFC 1928, RFC 1929; RCPT_PROXY): to the address that was checked, never to a name
 * that the proxy would resolve again. What goes wrong before the exchange can speak is told with a PROXY_… code, so
 * that nobody takes the proxy's trouble for the exchange's; whatever it is, it is never the mailbox's.
 *
 * Refuses to repeat the user and the password anywhere: not in errors, notes or attempts. The library's own errors
 * carry them as a property, so none of them leaves this file.
 */
import { SocksClient } from 'socks';
import { type Connection, type ConnectTo, openSocket } from './dial.ts';

export type Socks5Proxy = {
  readonly host: string;
  readonly port: number;
  /** A function, so that printing a configuration cannot print them. Null: the proxy asks for none. */
  readonly readCredentials: () => { readonly user: string; readonly password: string } | null;
};

/** What the library says in words, most exact first; the exchange's own address is what the proxy was asked for. */
const failures: readonly (readonly [RegExp, string])[] = [
  [/Authentication failed/i, 'PROXY_AUTHENTICATION_FAILED'],
  [/no accepted authentication type|unknown authentication type/i, 'PROXY_AUTHENTICATION_METHOD_REFUSED'],
  [/rejected.*NotAllowed/i, 'PROXY_FORBIDS'],
  [/rejected.*NetworkUnreachable/i, 'PROXY_SAYS_NETWORK_UNREACHABLE'],
  [/rejected.*HostUnreachable/i, 'PROXY_SAYS_HOST_UNREACHABLE'],
  [/rejected.*ConnectionRefused/i, 'PROXY_SAYS_CONNECTION_REFUSED'],
  [/rejected.*TTLExpired/i, 'PROXY_SAYS_TTL_EXPIRED'],
  [/rejected.*(CommandNotSupported|AddressNotSupported)/i, 'PROXY_CANNOT'],
  [/rejected.*Failure/i, 'PROXY_FAILED'],
  [/socket closed/i, 'PROXY_CLOSED'],
  [/invalid|internal|rejected/i, 'PROXY_IS_NO_SOCKS5'],
];

const classifyFailure = (error: unknown): string => {
  const message = error instanceof Error ? error.message : '';
  return failures.find(([pattern]) => pattern.test(message))?.[1] ?? 'PROXY_FAILED';
};

export const connectThrough =
  (proxy: Socks5Proxy): ConnectTo =>
  async (target, { timeoutMs, signal }) => {
    const startedAt = performance.now();
    const reached = await openSocket({ host: proxy.host, port: proxy.port }, timeoutMs, signal);
    if (reached.kind === 'connectFailed')
      return { kind: 'connectFailed', error: `PROXY_UNREACHABLE (${reached.error})` };
    if (reached.kind === 'connectTimeout') return { kind: 'connectFailed', error: 'PROXY_TIMEOUT' };
    if (reached.kind === 'aborted') return reached;

    const { socket } = reached;
    const { promise, resolve } = Promise.withResolvers<Connection>();
    const finish = (connection: Connection): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (connection.kind !== 'connected') socket.destroy();
      resolve(connection);
    };
    const abort = (): void => finish({ kind: 'aborted' });
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
    const timer = setTimeout(() => finish({ kind: 'connectFailed', error: 'PROXY_TIMEOUT' }), leftMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else {
      const credentials = proxy.readCredentials();
      SocksClient.createConnection({
        command: 'connect',
        proxy: {
          type: 5,
          host: proxy.host,
          port: proxy.port,
          ...(credentials ? { userId: credentials.user, password: credentials.password } : {}),
        },
        destination: { host: target.ip, port: target.port },
        existing_socket: socket,
        // Ours comes first; its own would otherwise hold the socket for half a minute.
        timeout: leftMs + 1_000,
      }).then(
        () => finish({ kind: 'connected', socket }),
        (error: unknown) => finish({ kind: 'connectFailed', error: classifyFailure(error) }),
      );
    }
    return promise;
  };
