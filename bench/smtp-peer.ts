/**
 * The other side in a process of its own: mail servers on loopback that answer as fast as Node can and count what they
 * see, and a name server that leads every domain to them. `x@d<n>.e<m>.bench.test` is at the exchange
 * `mx.e<m>.bench.test`; exchange m is at the m-th address, or at the last one when there are fewer.
 *
 * A mailbox says by its first letters what is said of it: `user…` exists, `busy…` is told 451, `full…` 452 4.2.2,
 * `last…` 421, every other is unknown, the made-up ones among them. A server's manner comes on top.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { startDnsServer } from '../src/sandbox/dns-server.ts';
import { type Peer, type Side, serveParent, startPeer } from './smtp-process.ts';

export type Manner =
  | 'honest'
  /** Says nothing to RCPT TO until it is told to `release`. */
  | 'holds'
  /** Answers RCPT TO with an octet a second. */
  | 'tarpit'
  /** Hangs up after the third refusal. */
  | 'strict'
  /** Takes five recipients a transaction, then 452 4.5.3. */
  | 'sparing'
  | 'withoutPipelining';

export type PeerOptions = {
  /** One server each. */
  readonly servers: readonly { readonly ip: string; readonly manner: Manner }[];
  /** What the name server says instead of the servers' own addresses: a proxy's, say. */
  readonly addresses?: readonly string[];
  /** Default: chosen by the system. */
  readonly port?: number;
};

export type PeerReady = { readonly port: number; readonly dnsServer: string };

/** What the servers saw since start. */
export type Seen = {
  readonly sessions: number;
  readonly commands: number;
  readonly recipients: number;
  /** Open now. */
  readonly open: number;
  /** Sessions that wait for a reply to RCPT TO now. */
  readonly held: number;
  readonly mostRefusalsInASession: number;
  /** Per server, in their order. */
  readonly mostSessionsAtOnce: readonly number[];
};

export type SmtpPeer = Peer<PeerReady>;

export const startSmtpPeer = (options: PeerOptions, side: Side = 'peer'): Promise<SmtpPeer> =>
  startPeer<PeerReady>(import.meta.filename, options, side);

const LONGEST_LINE = 4_096;
const BACKLOG = 8_192;
/** A FIN that is on its way when the next connection is accepted is no second session. */
const SETTLE_MS = 20;

const seen = { sessions: 0, commands: 0, recipients: 0, open: 0, mostRefusalsInASession: 0 };
const sockets = new Set<Socket>();
const held = new Map<Socket, string>();

const openServer = (manner: Manner, count: { open: number; most: number }): Server => {
  const offers =
    manner === 'withoutPipelining' ? '250 peer.bench.test' : '250-peer.bench.test\r\n250 PIPELINING';
  return createServer({ noDelay: true }, (socket) => {
    let ahead = '';
    let refusals = 0;
    let accepted = 0;
    let isOver = false;
    let dribble: NodeJS.Timeout | undefined;
    seen.sessions++;
    seen.open++;
    count.open++;
    sockets.add(socket);
    setTimeout(() => {
      count.most = Math.max(count.most, count.open);
    }, SETTLE_MS);
    const leave = (): void => {
      if (!sockets.delete(socket)) return;
      clearInterval(dribble);
      held.delete(socket);
      seen.open--;
      count.open--;
    };
    const refuse = (text: string): string => {
      refusals++;
      seen.mostRefusalsInASession = Math.max(seen.mostRefusalsInASession, refusals);
      if (manner === 'strict' && refusals >= 3) isOver = true;
      return text;
    };
    const answerRecipient = (line: string): string => {
      seen.recipients++;
      if (manner === 'sparing' && accepted >= 5) return refuse('452 4.5.3 Too many recipients\r\n');
      switch (line.slice(9, 13)) {
        case 'user':
          accepted++;
          return '250 2.1.5 Ok\r\n';
        case 'busy':
          return refuse('451 4.3.0 Try again later\r\n');
        case 'full':
          return refuse('452 4.2.2 Mailbox full\r\n');
        case 'last':
          isOver = true;
          return refuse('421 4.3.2 Closing\r\n');
        default:
          return refuse('550 5.1.1 User unknown\r\n');
      }
    };
    const answer = (line: string): string => {
      seen.commands++;
      switch (line.slice(0, 4)) {
        case 'EHLO':
          return `${offers}\r\n`;
        case 'MAIL':
        case 'RSET':
          accepted = 0;
          return '250 2.1.0 Ok\r\n';
        case 'RCPT':
          return answerRecipient(line);
        case 'QUIT':
          isOver = true;
          return '221 2.0.0 Bye\r\n';
        default:
          return '500 5.5.2 Unknown\r\n';
      }
    };
    socket
      .on('error', leave)
      .on('close', leave)
      .on('data', (chunk) => {
        ahead += chunk.toString('latin1');
        if (ahead.length > LONGEST_LINE * 64) socket.destroy();
        let replies = '';
        let from = 0;
        let hasRecipient = false;
        for (let end = ahead.indexOf('\n'); end >= 0 && !isOver; end = ahead.indexOf('\n', from)) {
          const line = ahead.slice(from, end);
          hasRecipient ||= line.startsWith('RCPT');
          replies += answer(line);
          from = end + 1;
        }
        ahead = ahead.slice(from);
        if (hasRecipient && manner === 'holds') held.set(socket, (held.get(socket) ?? '') + replies);
        else if (hasRecipient && manner === 'tarpit') {
          held.set(socket, '');
          clearInterval(dribble);
          dribble = setInterval(() => socket.write('2'), 1_000);
        } else if (isOver) socket.end(replies);
        else socket.write(replies);
        if (isOver) leave();
      });
    socket.write('220 peer.bench.test ESMTP\r\n');
  });
};

const listen = async (server: Server, ip: string, port: number): Promise<number> => {
  server.listen({ host: ip, port, backlog: BACKLOG });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

if (import.meta.main) {
  const options: PeerOptions = JSON.parse(process.argv[2] ?? '');
  const { servers, addresses = servers.map(({ ip }) => ip) } = options;
  let port = options.port ?? 0;
  const counts: { open: number; most: number }[] = [];
  for (const { ip, manner } of servers) {
    const count = { open: 0, most: 0 };
    counts.push(count);
    port = await listen(openServer(manner, count), ip, port);
  }
  const dns = await startDnsServer({
    zones: ({ name }) => {
      const [, exchange] = /\.?e(\d+)\.bench\.test$/.exec(name) ?? [];
      if (exchange === undefined) return null;
      if (!name.startsWith('mx.'))
        return { mx: [{ preference: 10, exchange: `mx.e${exchange}.bench.test` }] };
      const ip = addresses[Math.min(Number(exchange), addresses.length - 1)];
      return ip === undefined ? null : { a: [ip] };
    },
  });
  serveParent({ port, dnsServer: dns.address } satisfies PeerReady, (question) => {
    if (question === 'release') {
      for (const [socket, replies] of held) socket.write(replies);
      held.clear();
    } else if (question === 'drop') for (const socket of sockets) socket.destroy();
    return {
      ...seen,
      held: held.size,
      mostSessionsAtOnce: counts.map(({ most }) => most),
    } satisfies Seen;
  });
}
