/**
 * 5,000 sessions open at once, each to an exchange of its own that says nothing to RCPT TO for now: what they weigh.
 * The engine is whole (DNS, SMTP, verdict) and alone in its process; nothing is collected by hand before weighing.
 *
 * Weighed twice: as Node is, which lets garbage pile up for the sake of speed, and with `--optimize-for-size`, for a
 * machine that is short of memory: that collects it early, and halves the addresses a second of a long list. The load
 * is the same, all of them asked in one turn.
 */
import { once } from 'node:events';
import {
  count,
  openBenchEngine,
  print,
  printLoad,
  printTally,
  type Tally,
  verdictOn,
  verify,
} from './smtp-engine.ts';
import { type Seen, startSmtpPeer } from './smtp-peer.ts';
import { readOpenFiles, spawnPinned } from './smtp-process.ts';

const sessions = 5_000;
const longestMs = 18_000;
const aimMegabytes = 250;
const megabytes = (): number => process.memoryUsage.rss() / 1e6;

const lean = '--optimize-for-size';

export const benchCrowd = async (): Promise<void> => {
  await weigh();
  if (process.execArgv.includes(lean)) return;
  const bench = process.argv[1];
  if (bench === undefined) throw new Error('the bench does not know its own file');
  const child = spawnPinned('engine', [process.execPath, lean, bench], 'inherit');
  const end = (): void => void child.kill();
  process.once('SIGTERM', end);
  const [code] = await once(child, 'exit');
  process.off('SIGTERM', end);
  if (code !== 0) throw new Error(`the bench ended with ${code}`);
};

const weigh = async (): Promise<void> => {
  const flags = process.execArgv.join(' ') || 'no flags';
  const openFiles = readOpenFiles();
  console.log(
    `${print(sessions)} sessions at once, one to each of as many slow exchanges (node with ${flags}; open files: ${openFiles}, ${printLoad()})`,
  );
  const peer = await startSmtpPeer({ servers: [{ ip: '127.27.0.1', manner: 'holds' }] });
  const engine = openBenchEngine(
    { dnsServer: peer.ready.dnsServer, smtpPort: peer.ready.port },
    { RCPT_MAX_SESSIONS: String(sessions) },
  );
  const tally: Tally = new Map();
  try {
    const before = megabytes();
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    const until = startedAt + longestMs;
    const verifications = Array.from({ length: sessions }, async (_, row) =>
      count(tally, (await verify(engine, `user@d.e${row}.bench.test`)).reason),
    );
    let seen = await peer.ask<Seen>('count');
    while (seen.held < sessions && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      seen = await peer.ask<Seen>('count');
    }
    const openedAfter = (performance.now() - startedAt) / 1_000;
    const rss = megabytes();
    const { heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage(cpu);
    await peer.ask('release');
    await Promise.all(verifications);
    console.log(
      [
        `  ${print(seen.held)} open and waiting after ${openedAfter.toFixed(1)} s (the server's count), ${((user + system) / 1e6).toFixed(1)} s of our processor`,
        `  RSS ${print(rss)} MB (${print(before)} MB before; heap in use ${print(heapUsed / 1e6)} MB), ${print(((rss - before) * 1e3) / sessions)} KB a session`,
        `  released: ${printTally(tally)}`,
        verdictOn(`under ${aimMegabytes} MB`, seen.held === sessions && rss < aimMegabytes),
      ].join('\n'),
    );
  } finally {
    await engine.close();
    await peer.close();
  }
};
