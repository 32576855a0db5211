/**
 * Round trips after the TCP connection, at a proxy that makes each take 100 ms: counted there, as runs of replies that
 * the verdict had to wait for, and timed, as what the whole verification took (DNS included) in round trips.
 */
import type { Engine } from '../src/command/engine.ts';
import { openBenchEngine, printLoad, spread, verdictOn, verify } from './smtp-engine.ts';
import { startSmtpPeer } from './smtp-peer.ts';
import { type Crossings, startProxy } from './smtp-proxy.ts';

const roundTripMs = 100;
const rounds = 7;
const proxyIp = '127.28.0.1';
const peerIp = '127.27.0.1';

type Trips = {
  readonly name: string;
  readonly aim: number;
  readonly counted: number[];
  readonly timed: number[];
};

export const benchTrips = async (): Promise<void> => {
  const peer = await startSmtpPeer({ servers: [{ ip: peerIp, manner: 'honest' }], addresses: [proxyIp] });
  const proxy = await startProxy({ ip: proxyIp, target: { ip: peerIp, port: peer.ready.port }, roundTripMs });
  const cold: Trips = { name: 'cold address, catch-all check included', aim: 3, counted: [], timed: [] };
  const warm: Trips = { name: 'warm lane, same domain', aim: 1, counted: [], timed: [] };
  const warmAlien: Trips = { name: 'warm lane, a domain not asked before', aim: 1, counted: [], timed: [] };
  const ask = async (engine: Engine, address: string, { counted, timed }: Trips): Promise<void> => {
    await proxy.ask('forget');
    const startedAt = performance.now();
    const { reason } = await verify(engine, address);
    timed.push((performance.now() - startedAt) / roundTripMs);
    if (reason !== 'MAILBOX_EXISTS') throw new Error(`${address}: ${reason}`);
    counted.push((await proxy.ask<Crossings>('count')).fromServer);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      const engine = openBenchEngine({ dnsServer: peer.ready.dnsServer, smtpPort: proxy.ready.port }, {});
      await ask(engine, `user1@d${round}.e0.bench.test`, cold);
      await ask(engine, `user2@d${round}.e0.bench.test`, warm);
      await ask(engine, `user3@other${round}.e0.bench.test`, warmAlien);
      await engine.close();
    }
  } finally {
    await proxy.close();
    await peer.close();
  }
  console.log(
    `round trips after the TCP connection (${roundTripMs} ms each, ${rounds} runs, ${printLoad()})`,
  );
  for (const { name, aim, counted, timed } of [cold, warm, warmAlien]) {
    console.log(`  ${name}: ${spread(counted)} counted, ${spread(timed, (trips) => trips.toFixed(2))} timed`);
    console.log(verdictOn(`${aim}`, Math.max(...counted) <= aim));
  }
};
