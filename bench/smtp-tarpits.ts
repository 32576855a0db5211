/**
 * An honest lane alone and beside 1,000 tarpits (an octet a second each), in turns: what the tarpits take from it.
 * They have a process of their own, so that it is not the honest server that they slow down.
 */
import {
  count,
  measure,
  median,
  openBenchEngine,
  type Pace,
  print,
  printLoad,
  runAll,
  spread,
  type Tally,
  verdictOn,
  verify,
} from './smtp-engine.ts';
import { type Seen, startSmtpPeer } from './smtp-peer.ts';

const tarpits = 1_000;
const addresses = 10_000;
const warmUp = 30_000;
const rounds = 8;
const longestMs = 10_000;
const honestIp = '127.27.0.1';
const tarpitIp = '127.27.0.2';

export const benchTarpits = async (): Promise<void> => {
  console.log(
    `an honest lane beside ${print(tarpits)} tarpits, ${print(addresses)} addresses a run, ${rounds} runs of each in turns (${printLoad()})`,
  );
  const honest = await startSmtpPeer({
    servers: [{ ip: honestIp, manner: 'honest' }],
    addresses: [honestIp, tarpitIp],
  });
  const pits = await startSmtpPeer({
    servers: [{ ip: tarpitIp, manner: 'tarpit' }],
    port: honest.ready.port,
  });
  const engine = openBenchEngine(
    { dnsServer: honest.ready.dnsServer, smtpPort: honest.ready.port },
    { RCPT_MAX_SESSIONS: String(tarpits + 100) },
  );
  let row = 0;
  let exchange = 1;
  const honestly: Tally = new Map();
  const run = (length: number): Promise<Pace> => {
    const from = row;
    row += length;
    const list = Array.from({ length }, (_, index) => `user${from + index}@d${index % 50}.e0.bench.test`);
    return measure(length, () =>
      runAll(list, 2_000, async (address) => count(honestly, (await verify(engine, address)).reason)),
    );
  };
  try {
    await run(warmUp);
    const alone: Pace[] = [];
    const beside: Pace[] = [];
    let fewest = tarpits;
    for (let round = 0; round < rounds; round++) {
      alone.push(await run(addresses));
      // Exchanges not met before: none that the engine has learned to stay away from.
      const caught = Array.from({ length: tarpits }, () =>
        verify(engine, `user@d.e${exchange++}.bench.test`),
      );
      const until = performance.now() + longestMs;
      let seen = await pits.ask<Seen>('count');
      while (seen.held < tarpits && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        seen = await pits.ask<Seen>('count');
      }
      beside.push(await run(addresses));
      fewest = Math.min(fewest, seen.held, (await pits.ask<Seen>('drop')).held);
      await Promise.all(caught);
    }
    const shareOf = (key: keyof Pace): number =>
      median(alone.map((pace, round) => (beside[round]?.[key] ?? 0) / pace[key]));
    const share = shareOf('perSecond');
    const [aloneRates, besideRates] = [alone, beside].map((paces) => paces.map(({ perSecond }) => perSecond));
    console.log(
      [
        `  alone:  ${spread(aloneRates ?? [])} addresses/s`,
        `  beside: ${spread(besideRates ?? [])} addresses/s, at least ${print(fewest)} tarpits held all along`,
        `  ${(share * 100).toFixed(0)} % of its pace (median of the pairs), ${(shareOf('perCpuSecond') * 100).toFixed(0)} % for the same processor time`,
        verdictOn('not slowed by more than 10 %', fewest === tarpits && share >= 0.9),
      ].join('\n'),
    );
    if ([...honestly.keys()].some((reason) => reason !== 'MAILBOX_EXISTS'))
      throw new Error(`the honest lane: ${[...honestly]}`);
  } finally {
    await engine.close();
    await pits.close();
    await honest.close();
  }
};
