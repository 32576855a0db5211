/** 10,000 addresses at 50 domains on one exchange that is 20 ms away, beside one connection an address. */

import {
  count,
  openBenchEngine,
  print,
  printLoad,
  printTally,
  runAll,
  type Tally,
  verdictOn,
  verify,
} from './smtp-engine.ts';
import { startSmtpPeer } from './smtp-peer.ts';
import { type Crossings, startProxy } from './smtp-proxy.ts';
import { askAlone } from './smtp-raw.ts';

const roundTripMs = 20;
const addresses = 10_000;
const domains = 50;
/** The naive client's pace does not depend on how long it goes on. */
const aloneFor = 300;
const atOnce = 4;
/** Past it the rest goes unasked: a slow engine must not hold the bench. */
const longestMs = 20_000;
const proxyIp = '127.28.0.1';
const peerIp = '127.27.0.1';

/** @param goneInHundred mailboxes that are not there */
const list = (goneInHundred: number): string[] =>
  Array.from({ length: addresses }, (_, row) => {
    const name = (row * 37) % 100 < goneInHundred ? 'gone' : 'user';
    return `${name}${row}@d${row % domains}.e0.bench.test`;
  });

export const benchDistance = async (): Promise<void> => {
  console.log(
    `${print(addresses)} addresses at ${domains} domains on one exchange, ${roundTripMs} ms away (${printLoad()})`,
  );
  const peer = await startSmtpPeer({ servers: [{ ip: peerIp, manner: 'honest' }], addresses: [proxyIp] });
  const proxy = await startProxy({ ip: proxyIp, target: { ip: peerIp, port: peer.ready.port }, roundTripMs });
  try {
    const far = { ip: proxyIp, port: proxy.ready.port };
    const startedAt = performance.now();
    await runAll(list(10).slice(0, aloneFor), atOnce, (address) => askAlone(far, address));
    const alone = (aloneFor / (performance.now() - startedAt)) * 1_000;
    await proxy.ask<Crossings>('forget');
    console.log(
      `  one connection an address, ${atOnce} at once: ${print(alone)} addresses/s (${aloneFor} asked)`,
    );

    for (const { goneInHundred, sessions } of [
      { goneInHundred: 0, sessions: 1 },
      { goneInHundred: 0, sessions: 4 },
      { goneInHundred: 10, sessions: 4 },
    ]) {
      const engine = openBenchEngine(
        { dnsServer: peer.ready.dnsServer, smtpPort: proxy.ready.port },
        { RCPT_MAX_SESSIONS_PER_EXCHANGE: String(sessions) },
      );
      const tally: Tally = new Map();
      const tooLong = AbortSignal.timeout(longestMs);
      const began = performance.now();
      let asked = 0;
      await runAll(list(goneInHundred), 2_000, async (address) => {
        if (tooLong.aborted) return;
        const { reason } = await verify(engine, address, tooLong);
        if (reason === 'OUT_OF_BUDGET') return;
        count(tally, reason);
        asked++;
      });
      const rate = (asked / (performance.now() - began)) * 1_000;
      const { sessionsOpened, commandsSent } = engine.prober.stats;
      await engine.close();
      const { connections } = await proxy.ask<Crossings>('count');
      console.log(
        [
          `  ${sessions} session${sessions === 1 ? '' : 's'}, ${goneInHundred} in 100 gone: ${print(rate)} addresses/s, ${(rate / alone).toFixed(1)} times one connection an address`,
          `    ${connections} connections (${sessionsOpened} sessions), ${print(commandsSent)} commands for ${print(asked)} addresses: ${printTally(tally)}`,
        ].join('\n'),
      );
      if (sessions === 4) console.log(verdictOn('20 times at 4 sessions', rate >= 20 * alone));
    }
  } finally {
    await proxy.close();
    await peer.close();
  }
};
