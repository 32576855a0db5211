/**
 * How we behave, as the servers saw it: refusals in one session and sessions at one exchange at once, over a mixed
 * list with askers that come in bursts and leave early, at exchanges of every temper.
 */
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
import { type Manner, type Seen, startSmtpPeer } from './smtp-peer.ts';

const addresses = 6_000;
/** Past it the rest goes unasked. */
const longestMs = 6_000;
const mostRefusals = 8;
const manners: readonly Manner[] = ['honest', 'honest', 'strict', 'sparing', 'withoutPipelining', 'honest'];
const names = ['user', 'user', 'user', 'user', 'gone', 'gone', 'busy', 'full'] as const;
/** One exchange also says 421 now and then: it is slowed down for, so that not everybody there is asked in time. */
const moody = manners.length - 1;

/** Chance that is the same in every run (mulberry32). */
const createChance = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

export const benchManners = async (): Promise<void> => {
  console.log(
    `${print(addresses)} mixed addresses at ${manners.length} exchanges (${manners.join(', ')}), one in 20 askers leaves early (${printLoad()})`,
  );
  for (const setting of [1, 2, 4]) {
    const servers = manners.map((manner, index) => ({ ip: `127.27.0.${index + 1}`, manner }));
    const peer = await startSmtpPeer({ servers });
    const engine = openBenchEngine(
      { dnsServer: peer.ready.dnsServer, smtpPort: peer.ready.port },
      { RCPT_MAX_SESSIONS_PER_EXCHANGE: String(setting) },
    );
    try {
      const chance = createChance(setting);
      const tally: Tally = new Map();
      const tooLong = AbortSignal.timeout(longestMs);
      const list = Array.from({ length: addresses }, (_, row) => {
        const exchange = chance(manners.length);
        const name = exchange === moody && chance(40) === 0 ? 'last' : names[chance(names.length)];
        return `${name}${row}@d${chance(12)}.e${exchange}.bench.test`;
      });
      await runAll(list, addresses, async (address) => {
        const patience =
          chance(20) === 0 ? AbortSignal.any([tooLong, AbortSignal.timeout(chance(50))]) : tooLong;
        count(tally, (await verify(engine, address, patience)).reason);
      });
      const seen = await peer.ask<Seen>('count');
      const most = Math.max(...seen.mostSessionsAtOnce);
      console.log(
        [
          `  at most ${setting} at one exchange: ${most} seen at once (${seen.mostSessionsAtOnce.join(', ')}), ${seen.mostRefusalsInASession} refusals in the worst of ${print(seen.sessions)} sessions`,
          `    ${printTally(tally)}`,
          verdictOn(
            `${mostRefusals} refusals, ${setting} sessions`,
            seen.mostRefusalsInASession <= mostRefusals && most <= setting,
          ),
        ].join('\n'),
      );
    } finally {
      await engine.close();
      await peer.close();
    }
  }
};
