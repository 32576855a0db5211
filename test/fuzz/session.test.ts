/**
 * The whole of a conversation, sockets included, against a peer that plays generated streams: nothing is made of them
 * but one finding each, and nothing is left open behind them.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { ProbeEvidence } from '../../src/smtp/index.ts';
import { ask, eventually, makeExchanges, makeProber } from '../smtp/world.ts';
import { createRandom, type Random } from './random.ts';
import { makeBentDialogue, makeLateNoise, split, splitReplies } from './streams.ts';

const SEED = 20_265;
const STREAMS = 4_000;
const AT_ONCE = 80;
/** After which a silent peer is given up, and more than any honest step takes on loopback. */
const PATIENCE_MS = 120;
/** The sum of all phases and three tries, on a machine that does other things. */
const DEADLINE_MS = 5_000;

/**
 * Says a reply to each line that it hears, or everything at once in pieces of any kind; then hangs up, rudely or not, or
 * says nothing any more.
 */
const play = (socket: Socket, random: Random): void => {
  const octets = random.oneIn(3) ? makeLateNoise(random) : makeBentDialogue(random);
  const isPatient = !random.oneIn(4);
  const pieces = isPatient ? splitReplies(octets) : split(octets, random);
  const ending = random.pick(['end', 'end', 'destroy', 'reset', 'silence']);
  const say = (): void => {
    const piece = pieces.shift();
    if (piece === undefined) leave();
    else if (socket.writable) socket.write(piece, () => (isPatient ? undefined : setImmediate(say)));
  };
  const leave = (): void => {
    if (ending === 'end') socket.end();
    else if (ending === 'destroy') socket.destroy();
    else if (ending === 'reset') socket.resetAndDestroy();
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (isPatient) for (const octet of chunk) if (octet === 10) say();
  });
  say();
};

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
});

const countConnections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
const countSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => /^(?:TCPSocket|TLS)/.test(resource)).length;

it(`${STREAMS} generated streams end in one finding each, and leave no socket`, async () => {
  let connections = 0;
  const server = createServer((socket) => {
    play(socket, createRandom(SEED + connections));
    connections += 1;
  });
  running.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socketsBefore = countSockets();
  const prober = makeProber({
    port: (server.address() as AddressInfo).port,
    maxSessions: AT_ONCE,
    timeouts: {
      greetingMs: PATIENCE_MS,
      ehloMs: PATIENCE_MS,
      startTlsMs: PATIENCE_MS,
      tlsHandshakeMs: PATIENCE_MS,
      mailFromMs: PATIENCE_MS,
      rcptToMs: PATIENCE_MS,
      quitMs: PATIENCE_MS,
      pipelineMs: PATIENCE_MS / 2,
      idleMs: 10,
      patienceMs: 20,
    },
  });
  const findings: Record<string, number> = {};
  /** Every domain has exchanges of its own, so that no lane's memory answers for it. */
  const probe = async (index: number): Promise<void> => {
    const startedAt = performance.now();
    const evidence = await prober.probe(
      ask(`user@d${index}.test`, {
        exchanges: makeExchanges(`mx${index}.test`),
        deadline: Date.now() + DEADLINE_MS,
      }),
    );
    checkFinding(evidence, performance.now() - startedAt);
    const kind = evidence.fault?.kind ?? `${String(evidence.reply?.code)[0]}xx`;
    findings[kind] = (findings[kind] ?? 0) + 1;
  };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < STREAMS) {
      next += 1;
      await probe(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await prober.close();

  process.stdout.write(`${STREAMS} streams, ${connections} connections: ${JSON.stringify(findings)}\n`);
  expect(connections).toBeGreaterThanOrEqual(STREAMS);
  expect(Object.values(findings).reduce((sum, count) => sum + count, 0)).toBe(STREAMS);
  // Else it would be one kind of trouble four thousand times.
  for (const kind of ['2xx', '5xx', 'timeout', 'closed', 'protocol', 'tls'])
    expect(findings[kind] ?? 0, kind).toBeGreaterThan(10);
  await expect.poll(() => countConnections(server), { timeout: 5_000 }).toBe(0);
  await eventually(() => countSockets() <= socketsBefore);
}, 60_000);

const checkFinding = (evidence: ProbeEvidence, elapsedMs: number): void => {
  const { reply, fault, meaning, exchange, transcript } = evidence;
  expect(reply === null).not.toBe(fault === null);
  expect(meaning === null).toBe(reply === null);
  expect(exchange).not.toBeNull();
  expect(transcript.length).toBeLessThanOrEqual(250);
  for (const { text } of transcript) {
    expect(text.length).toBeLessThanOrEqual(1_000);
    for (const control of ['\r', '\n', '\0', '\u001b']) expect(text).not.toContain(control);
  }
  expect(elapsedMs).toBeLessThan(DEADLINE_MS + 1_000);
};
