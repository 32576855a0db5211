/** `npm run bench [-- parse api bulk]`: the benches in turn, each with what it is measured against in the same run. */
import { cpus } from 'node:os';
import { benchCached } from './api-cached.ts';
import { benchBulk } from './bulk.ts';
import { benchParse } from './parse.ts';

const benches = { parse: benchParse, api: benchCached, bulk: benchBulk };

const asked = process.argv.slice(2);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
for (const [name, run] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) await run();
