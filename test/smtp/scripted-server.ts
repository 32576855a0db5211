/**
 * A small SMTP server that says what a test tells it to, and remembers what it was told. It knows no policy: each
 * command line goes through `answer`, and what that gives is written as it is.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export type ServerSide = {
  /** Number of the connection, from 0. */
  readonly number: number;
  /** Recipients accepted or refused so far in this connection, and in this transaction. */
  recipients: number;
  recipientsInTransaction: number;
  isSecure: boolean;
  write(text: string | Uint8Array): void;
  hangUp(): void;
};

export type Scenario = {
  /** Null: it never speaks. */
  readonly greeting?: string | null;
  readonly capabilities?: readonly string[];
  /** Gives the reply without CRLF, null for silence, undefined for what an honest server says. */
  readonly answer?: ((line: string, side: ServerSide) => string | null | undefined) | undefined;
  readonly onConnect?: (side: ServerSide) => void;
  readonly key?: { readonly cert: string; readonly key: string };
};

export type ScriptedServer = {
  readonly port: number;
  readonly host: string;
  /** For each connection, the chunks as they came off the wire. */
  readonly chunks: string[][];
  /** For each connection, the command lines. */
  readonly lines: string[][];
  /** Most connections that were open at once. */
  readonly mostAtOnce: number;
  readonly open: number;
  /** Recipients in the order asked, over all connections. */
  recipients(): string[];
  close(): Promise<void>;
};

export const HONEST = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES'];

const multiline = (code: number, lines: readonly string[]): string =>
  lines.map((line, index) => `${code}${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n');

/** What an honest server says: a mailbox whose name starts with `no` is not there. */
export const honestly = (line: string, capabilities: readonly string[]): string => {
  const verb = line.slice(0, 4).toUpperCase();
  switch (verb) {
    case 'EHLO':
      return multiline(250, ['mx.test', ...capabilities]);
    case 'HELO':
      return '250 mx.test';
    case 'MAIL':
      return '250 2.1.0 Ok';
    case 'RCPT':
      return /<(real|user|alice|bob)/i.test(line)
        ? '250 2.1.5 Ok'
        : '550 5.1.1 Recipient address rejected: User unknown';
    case 'RSET':
      return '250 2.0.0 Ok';
    case 'STAR':
      return '220 2.0.0 Ready to start TLS';
    case 'QUIT':
      return '221 2.0.0 Bye';
    default:
      return '502 5.5.2 Command not recognized';
  }
};

/** @param port of another server, whose exchange is at another address; 0: any that is free */
export const startServer = async (
  scenario: Scenario,
  host = '127.0.0.1',
  port = 0,
): Promise<ScriptedServer> => {
  const sockets = new Set<Socket>();
  const chunks: string[][] = [];
  const lines: string[][] = [];
  let mostAtOnce = 0;

  const serve = (tcp: Socket): void => {
    const number = chunks.length;
    const own = { chunks: [] as string[], lines: [] as string[] };
    chunks.push(own.chunks);
    lines.push(own.lines);
    sockets.add(tcp);
    mostAtOnce = Math.max(mostAtOnce, sockets.size);
    let socket: Socket = tcp;
    let held = '';
    /** Replies to the commands of one chunk go out together, as a server's do. */
    let out = '';
    const flush = (): void => {
      if (out !== '' && socket.writable) socket.write(out);
      out = '';
    };
    const side: ServerSide = {
      number,
      recipients: 0,
      recipientsInTransaction: 0,
      isSecure: false,
      write: (text) => {
        flush();
        if (socket.writable) socket.write(text);
      },
      hangUp: () => {
        flush();
        socket.destroySoon();
      },
    };
    const listen = (one: Socket): void => {
      one.on('error', () => one.destroy());
      one.on('data', (chunk: Buffer) => {
        own.chunks.push(chunk.toString());
        held += chunk.toString();
        let end = held.indexOf('\n');
        while (end !== -1 && one.writable) {
          const line = held.slice(0, end).replace(/\r$/, '');
          held = held.slice(end + 1);
          own.lines.push(line);
          if (/^MAIL/i.test(line)) side.recipientsInTransaction = 0;
          const written = scenario.answer?.(line, side);
          const reply = written === undefined ? honestly(line, scenario.capabilities ?? HONEST) : written;
          if (/^RCPT/i.test(line)) {
            side.recipients++;
            side.recipientsInTransaction++;
          }
          if (reply !== null) out += `${reply}\r\n`;
          if (/^STARTTLS/i.test(line) && reply?.startsWith('220') && scenario.key) {
            flush();
            one.removeAllListeners('data');
            const secure = new TLSSocket(one, {
              isServer: true,
              secureContext: createSecureContext(scenario.key),
            });
            side.isSecure = true;
            socket = secure;
            listen(secure);
            return;
          }
          if (/^QUIT/i.test(line) && reply !== null) {
            flush();
            one.end();
            return;
          }
          end = held.indexOf('\n');
        }
        flush();
      });
    };
    tcp.on('close', () => sockets.delete(tcp));
    listen(tcp);
    const { greeting = '220 mx.test ESMTP' } = scenario;
    if (greeting !== null) tcp.write(`${greeting}\r\n`);
    scenario.onConnect?.(side);
  };

  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    host,
    chunks,
    lines,
    get mostAtOnce() {
      return mostAtOnce;
    },
    get open() {
      return sockets.size;
    },
    recipients: () =>
      lines.flat().flatMap((line) => {
        const path = /^RCPT TO:<(.*)>$/i.exec(line)?.[1];
        return path === undefined ? [] : [path];
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};
