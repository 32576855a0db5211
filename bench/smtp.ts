/**
 * `npm run bench:smtp [-- trips distance speed crowd tarpits manners]`: what the SMTP engine does, beside what this
 * machine bears. Each bench has a process of its own, so that none inherits another's heap; peers, proxy and name
 * server have theirs. Everything is on loopback.
 */
import { once } from 'node:events';
import { cpus, totalmem } from 'node:os';
import { howPinned, spawnPinned } from './smtp-process.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  trips: async () => (await import('./smtp-trips.ts')).benchTrips(),
  distance: async () => (await import('./smtp-distance.ts')).benchDistance(),
  speed: async () => (await import('./smtp-speed.ts')).benchSpeed(),
  crowd: async () => (await import('./smtp-crowd.ts')).benchCrowd(),
  tarpits: async () => (await import('./smtp-tarpits.ts')).benchTarpits(),
  manners: async () => (await import('./smtp-manners.ts')).benchManners(),
};

/** A bench that hangs must not hold the others. */
const LONGEST_BENCH_MS = 80_000;

const role = process.env.BENCH_SMTP;
if (role === undefined) {
  const asked = process.argv.slice(2);
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 1e9)} GB; ${howPinned()}`,
  );
  const startedAt = performance.now();
  for (const name of Object.keys(benches)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    process.env.BENCH_SMTP = name;
    const child = spawnPinned(
      'engine',
      [process.execPath, ...process.execArgv, import.meta.filename],
      'inherit',
    );
    const tooLong = setTimeout(() => {
      console.log(`  ${name} was ended after ${LONGEST_BENCH_MS / 1_000} s`);
      child.kill();
    }, LONGEST_BENCH_MS);
    const [code] = await once(child, 'exit');
    clearTimeout(tooLong);
    if (code !== 0) process.exitCode = 1;
  }
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s in all`);
} else {
  process.once('SIGTERM', () => process.exit(1));
  await benches[role]?.();
}
