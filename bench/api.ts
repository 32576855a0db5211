/**
 * `npm run bench:api [-- cached idle refused]`: what the HTTP side bears, each beside a bare Yoga on the same transport
 * in the same run.
 */
import { cpus } from 'node:os';
import { benchCached } from './api-cached.ts';
import { benchIdle } from './api-idle.ts';
import { benchRefused } from './api-refused.ts';
import { startFlags } from './serve-process.ts';

const benches = { cached: benchCached, idle: benchIdle, refused: benchRefused };

const asked = process.argv.slice(2);
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}; servers with ${startFlags.join(' ')}, as npm start`,
);
for (const [name, run] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) await run();
