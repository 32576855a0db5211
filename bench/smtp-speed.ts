/**
 * No added delay: how many addresses a second one core of ours verifies, against Postfix's `smtp-sink` where it is
 * installed (or named by SMTP_SINK) and against our own fast peer, beside what the sockets bear in the same run.
 * `smtp-sink` accepts everybody, so that every verdict is CATCH_ALL; of our peer's mailboxes each exists.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { parseAddress } from '../src/address/index.ts';
import type { Engine } from '../src/command/engine.ts';
import type { MailHosts } from '../src/dns/index.ts';
import { judge } from '../src/verdict/index.ts';
import {
  count,
  measure,
  median,
  openBenchEngine,
  type Pace,
  print,
  printLoad,
  printTally,
  runAll,
  spread,
  type Tally,
  verdictOn,
  verify,
} from './smtp-engine.ts';
import { startSmtpPeer } from './smtp-peer.ts';
import { spawnPinned } from './smtp-process.ts';
import { measureSockets, type Target } from './smtp-raw.ts';

const addresses = 20_000;
const domains = 50;
const atOnce = 2_000;
/** V8 goes on optimizing for seconds. */
const warmUp = 30_000;
const rounds = 4;
const sessions = 4;
const aim = 20_000;
const backlog = 1_024;
const longestStartMs = 5_000;

const list = function* (from: number, length: number): Generator<string> {
  for (let row = from; row < from + length; row++) yield `user${row}@d${row % domains}.e0.bench.test`;
};

/** Prober and judge alone: the address parsed, mail hosts known, facts read, evidence judged. */
const probeAndJudge = async (engine: Engine, text: string, hosts: MailHosts): Promise<string> => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault' || hosts.kind !== 'exchanges') throw new Error(`${text} is not to be probed`);
  const { address } = parsed;
  const probe = await engine.prober.probe({
    address,
    exchanges: hosts.exchanges,
    providerId: null,
    priority: 'bulk',
    deadline: Date.now() + 60_000,
    signal: new AbortController().signal,
  });
  return judge({ kind: 'probe', address, hosts, probe, facts: engine.verifier.readFacts(address) }).reason;
};

const benchAgainst = async (name: string, target: Target, dnsServer: string): Promise<void> => {
  const engine = openBenchEngine(
    { dnsServer, smtpPort: target.port },
    { RCPT_MAX_SESSIONS_PER_EXCHANGE: String(sessions) },
  );
  const tally: Tally = new Map();
  let row = 0;
  const take = (length: number): Iterable<string> => {
    row += length;
    return list(row - length, length);
  };
  try {
    const anyone = parseAddress('user@d0.e0.bench.test');
    if (anyone.kind === 'fault') throw new Error('no address');
    const hosts = await engine.dns.lookupMailHosts(anyone.address.domain, new AbortController().signal);
    const ways = [
      {
        name: 'prober and judge',
        paces: [] as Pace[],
        one: async (text: string) => count(tally, await probeAndJudge(engine, text, hosts)),
      },
      {
        name: 'verifier.verify with DNS, nothing stored',
        paces: [] as Pace[],
        one: async (text: string) => count(tally, (await verify(engine, text)).reason),
      },
    ] as const;
    const sockets = { alone: [] as number[], fifty: [] as number[] };
    for (const { one } of ways) await runAll(take(warmUp), atOnce, one);
    tally.clear();
    for (let round = 0; round < rounds; round++) {
      sockets.alone.push(await measureSockets(target, { sessions, perTransaction: 1, forMs: 300 }));
      sockets.fifty.push(await measureSockets(target, { sessions, perTransaction: 50, forMs: 300 }));
      for (const { paces, one } of ways)
        paces.push(await measure(addresses, () => runAll(take(addresses), atOnce, one)));
    }
    console.log(`  against ${name}, ${sessions} sessions: ${printTally(tally)}`);
    console.log(
      `    sockets alone, one core: ${spread(sockets.alone)} RCPT/s with one a transaction, ${spread(sockets.fifty)} with fifty (50 RCPT a write)`,
    );
    for (const { name: way, paces } of ways) {
      const rates = paces.map(({ perSecond }) => perSecond);
      console.log(
        `    ${way}: ${spread(rates)} addresses/s, ${spread(paces.map(({ perCpuSecond }) => perCpuSecond))} a second of our processor time`,
      );
      console.log(`  ${verdictOn(`${print(aim)} addresses/s`, median(rates) >= aim)}`);
    }
  } finally {
    await engine.close();
  }
};

const findSink = (): string | null =>
  [
    process.env.SMTP_SINK,
    ...[...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, 'smtp-sink')),
  ].find((path): path is string => path !== undefined && existsSync(path)) ?? null;

const findFreePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const isListening = (target: Target): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: target.ip, port: target.port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const withSink = async (path: string, run: (target: Target) => Promise<void>): Promise<void> => {
  const target = { ip: '127.0.0.1', port: await findFreePort() };
  // It refuses to serve as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const sink = spawnPinned(
    'peer',
    [path, ...user, `${target.ip}:${target.port}`, String(backlog)],
    ['ignore', 'ignore', 'inherit'],
  );
  const ended = once(sink, 'exit');
  const end = (): boolean => sink.kill();
  process.once('exit', end);
  try {
    const until = performance.now() + longestStartMs;
    while (!(await isListening(target))) {
      if (sink.exitCode !== null || performance.now() > until) throw new Error(`${path} does not listen`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await run(target);
  } finally {
    end();
    await ended;
    process.off('exit', end);
  }
};

export const benchSpeed = async (): Promise<void> => {
  console.log(
    `${print(addresses)} addresses at ${domains} domains on one exchange, no added delay, ${rounds} runs in turns (${printLoad()})`,
  );
  const ip = '127.0.0.1';
  const peer = await startSmtpPeer({ servers: [{ ip, manner: 'honest' }] });
  try {
    const { port, dnsServer } = peer.ready;
    const sink = findSink();
    if (sink) await withSink(sink, (target) => benchAgainst('smtp-sink', target, dnsServer));
    else console.log('  smtp-sink is not installed (Debian: package postfix): our own peer alone');
    await benchAgainst('our fast peer', { ip, port }, dnsServer);
  } finally {
    await peer.close();
  }
};
