/** A small SOCKS5 proxy (RFC 1928, RFC 1929) that does what a test tells it to. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Socks5Scenario = {
  /** Null: anybody may come. */
  readonly account?: { readonly user: string; readonly password: string } | null;
  /** Octets said in place of the stage's answer; null: silence. */
  readonly say?: Partial<Record<'methods' | 'account' | 'request', Uint8Array | null>>;
  /** What the reply to CONNECT says, 0 is "granted". Default: what came of connecting. */
  readonly replyCode?: number;
  /** The exchange's first octets go out in one write with the reply. */
  readonly isCorked?: boolean;
};

export type Socks5Server = {
  readonly port: number;
  /** What was asked for: `ip:port`, or the raw type of an address that is none. */
  readonly requests: string[];
  readonly accounts: string[];
  readonly open: number;
  close(): Promise<void>;
};

const NO_ACCOUNT = 0;
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;

const reply = (code: number): Buffer => Buffer.from([5, code, 0, 1, 127, 0, 0, 1, 0, 0]);
const readTarget = (request: Buffer): { host: string; port: number } | null => {
  const port = request.readUInt16BE(request.length - 2);
  const ip = request.subarray(4, -2);
  if (request[3] === 1) return { host: [...ip].join('.'), port };
  if (request[3] === 4) return { host: (ip.toString('hex').match(/.{4}/g) ?? []).join(':'), port };
  return null;
};

export const startSocks5Server = async (scenario: Socks5Scenario = {}): Promise<Socks5Server> => {
  const { account = null, say = {}, isCorked = false } = scenario;
  const requests: string[] = [];
  const accounts: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };

  const tunnel = (client: Socket, request: Buffer): void => {
    const target = readTarget(request);
    requests.push(target ? `${target.host}:${target.port}` : `address type ${request[3]}`);
    if (say.request !== undefined) {
      if (say.request) client.write(say.request);
      return;
    }
    if (scenario.replyCode || !target) {
      client.end(reply(scenario.replyCode ?? 8));
      return;
    }
    const exchange = connect(target);
    keep(exchange);
    exchange.once('error', () => client.end(reply(5)));
    exchange.once('connect', () => {
      exchange.on('close', () => client.destroy());
      client.on('close', () => exchange.destroy());
      if (!isCorked) client.write(reply(0));
      exchange.once('data', (first: Buffer) => {
        client.write(isCorked ? Buffer.concat([reply(0), first]) : first);
        exchange.pipe(client);
      });
      client.pipe(exchange);
    });
  };

  const server = createServer((client) => {
    keep(client);
    let stage: 'methods' | 'account' | 'request' = 'methods';
    client.on('data', function hear(chunk: Buffer) {
      if (stage === 'request') {
        client.off('data', hear);
        tunnel(client, chunk);
        return;
      }
      const said = say[stage];
      if (said !== undefined) {
        if (said) client.write(said);
        return;
      }
      if (stage === 'methods') {
        const method = account ? USER_AND_PASSWORD : NO_ACCOUNT;
        const isOffered = chunk.subarray(2, 2 + (chunk[1] ?? 0)).includes(method);
        stage = account ? 'account' : 'request';
        client.write(Buffer.from([5, isOffered ? method : NONE_ACCEPTABLE]));
        return;
      }
      const userEnd = 2 + (chunk[1] ?? 0);
      const given = `${chunk.subarray(2, userEnd)}:${chunk.subarray(userEnd + 1)}`;
      accounts.push(given);
      stage = 'request';
      client.write(Buffer.from([1, given === `${account?.user}:${account?.password}` ? 0 : 1]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    accounts,
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};
