/**
 * Asks every hostile personality of a sandbox that runs in another process, so that what is measured here is ours
 * alone. Run with --expose-gc; arguments: name server, SMTP port. Prints one JSON line a personality.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { parseAddress } from '../../src/address/index.ts';
import { createDns } from '../../src/dns/index.ts';
import { createGuard, createProber } from '../../src/smtp/index.ts';
import { createVerifier } from '../../src/verify/index.ts';
import { type HostileReport, hostileRows } from './hostile-report.ts';
import { ask, makeExchanges } from './world.ts';

/** Asked so often after the first time, whose memory (lane, modules, compiled code) stays on purpose. */
const ROUNDS = 3;
const BUDGET_MS = 4_000;
/** Of the honest lane, at least, beside the quickest of the hostile ones. */
const ANSWERS = 10;

const [dnsServer = '', smtpPort = ''] = process.argv.slice(2);
const { gc } = globalThis;
if (!gc) throw new Error('run with --expose-gc');

const sockets = new Set<Socket>();
let mostOctets = 0;
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    mostOctets = Math.max(mostOctets, socket.bytesRead);
  });
});

const dns = createDns({ servers: [dnsServer], queryTimeoutMs: 200, tries: 1 });
const prober = createProber({
  lookupAddresses: (host, signal) => dns.lookupAddresses(host, signal),
  guard: createGuard(['127.26.0.0/16', '::1/128']),
  port: Number(smtpPort),
  heloName: 'prober.test',
  mailFrom: '',
  maxSessions: 20,
  maxSessionsPerExchange: 4,
  probesPerSecondPerExchange: 0,
  timeouts: {
    connectMs: 500,
    greetingMs: 300,
    ehloMs: 300,
    startTlsMs: 300,
    tlsHandshakeMs: 500,
    mailFromMs: 300,
    rcptToMs: 300,
    quitMs: 100,
    openMs: 1_500,
    idleMs: 20,
    sessionMs: 2_000,
    patienceMs: 100,
    pipelineMs: 100,
  },
});
const memory = { recall: async () => null, remember: async () => undefined };
const verifier = createVerifier({ dns, prober, memory, budgetMs: BUDGET_MS });
const never = new AbortController().signal;

/** What is alive after everything that can go has gone. */
const readHeap = async (): Promise<number> => {
  const until = performance.now() + 3_000;
  while (sockets.size > 0 && performance.now() < until) await wait(5);
  gc();
  await wait(0);
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

let asked = 0;
/** The lane beside: one honest answer after the other for as long as the hostile one takes. */
const askHonestly = async (signal: AbortSignal): Promise<{ answers: number; slowestMs: number }> => {
  let answers = 0;
  let slowestMs = 0;
  while (!signal.aborted || answers < ANSWERS) {
    asked += 1;
    const exchanges = makeExchanges('mx1.hosting1.test', 'mx2.hosting1.test');
    const startedAt = performance.now();
    const { reply } = await prober.probe(ask(`user${asked}@bulk1.test`, { exchanges }));
    if (reply?.code !== 250) throw new Error(`the honest lane was told ${reply?.code}`);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    answers += 1;
    await wait(2);
  }
  return { answers, slowestMs };
};

for (const { name, examples } of hostileRows) {
  const [example] = examples;
  if (!example) throw new Error(`${name} has no example`);
  const { localPart = '' } = /^(?<localPart>[^@]*)/.exec(example.address)?.groups ?? {};
  const verify = (round: number) =>
    verifier.verify(parseAddress(`${localPart}${round}@${name}.test`), {
      priority: 'interactive',
      signal: never,
    });
  const startedAt = performance.now();
  const { status, reason } = await verify(0);
  let slowestMs = performance.now() - startedAt;
  const reasons = new Set([`${status} ${reason}`]);
  const before = await readHeap();
  mostOctets = 0;
  const leaving = new AbortController();
  const honest = askHonestly(leaving.signal);
  let attempts = 0;
  let hasEvidence = true;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const startedAt = performance.now();
    const { status, reason, evidence } = await verify(round);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    reasons.add(`${status} ${reason}`);
    if (evidence.kind === 'probe') {
      const { probe } = evidence;
      attempts = Math.max(attempts, probe.attempts.length);
      hasEvidence &&= probe.attempts.length > 0 || probe.reply !== null || probe.fault !== null;
    }
  }
  leaving.abort();
  const { answers, slowestMs: slowestHonestMs } = await honest;
  const grown = (await readHeap()) - before;
  const report: HostileReport = {
    name,
    expected: `${example.expected.status} ${example.expected.reason}`,
    reasons: [...reasons],
    slowestMs,
    mostOctets,
    grown,
    attempts,
    hasEvidence,
    answers,
    slowestHonestMs,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
await prober.close();
dns.close();
