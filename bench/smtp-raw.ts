/**
 * What the engine is held against, in its own process: a client that opens a connection for each address, and what
 * the sockets of this machine bear when nothing is thought about a reply but where its line ends.
 */
import { connect, type Socket } from 'node:net';

export type Target = { readonly ip: string; readonly port: number };

const LF = 10;

/** Resolves each time that so many lines have come. */
const createLineCounter = (socket: Socket) => {
  let lines = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let settle: { resolve(): void; reject(error: Error): void } | null = null;
  const fail = (): void => settle?.reject(new Error('the peer hung up'));
  socket
    .on('error', fail)
    .on('close', fail)
    .on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines++;
      if (lines < wanted) return;
      lines -= wanted;
      wanted = Number.POSITIVE_INFINITY;
      settle?.resolve();
    });
  return (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      wanted = count;
      settle = { resolve, reject };
    });
};

/** Text until its final line (RFC 5321 §4.2.1). */
const readReply = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!/^\d{3} .*\r\n$/m.test(text)) return;
      socket.off('data', hear);
      resolve(text);
    };
    socket.on('data', hear).once('error', reject);
  });

/** Connect, EHLO, MAIL, RCPT, QUIT without waiting for the answer: one connection an address, no catch-all check. */
export const askAlone = async ({ ip, port }: Target, address: string): Promise<string> => {
  const socket = connect({ host: ip, port, noDelay: true });
  const say = (line: string): Promise<string> => {
    const reply = readReply(socket);
    socket.write(`${line}\r\n`);
    return reply;
  };
  await readReply(socket);
  await say('EHLO probe.rcpt.test');
  await say('MAIL FROM:<>');
  const reply = await say(`RCPT TO:<${address}>`);
  socket.end('QUIT\r\n');
  socket.resume();
  return reply;
};

/** RCPT TO a second over `sessions` connections, `perTransaction` in each, some 50 in each write. */
export const measureSockets = async (
  { ip, port }: Target,
  { sessions, perTransaction, forMs }: { sessions: number; perTransaction: number; forMs: number },
): Promise<number> => {
  const transactions = Math.ceil(50 / perTransaction);
  const transaction = [
    'MAIL FROM:<>',
    ...Array(perTransaction).fill('RCPT TO:<user1@d1.e0.bench.test>'),
    'RSET',
  ];
  const batch = Array(transactions).fill(transaction).flat();
  const text = `${batch.join('\r\n')}\r\n`;
  let asked = 0;
  const startedAt = performance.now();
  const converse = async (): Promise<void> => {
    const socket = connect({ host: ip, port, noDelay: true });
    const reply = await readReply(socket);
    if (!reply.startsWith('220')) throw new Error(reply);
    const welcome = readReply(socket);
    socket.write('EHLO probe.rcpt.test\r\n');
    await welcome;
    const next = createLineCounter(socket);
    while (performance.now() - startedAt < forMs) {
      const replies = next(batch.length);
      socket.write(text);
      await replies;
      asked += transactions * perTransaction;
    }
    socket.removeAllListeners('close').destroy();
  };
  await Promise.all(Array.from({ length: sessions }, converse));
  return (asked / (performance.now() - startedAt)) * 1_000;
};
