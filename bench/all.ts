/** `npm run bench`: every bench in turn, each with what it is measured against in the same run. */
import { cpus } from 'node:os';
import { benchApi } from './api.ts';
import { benchBulk } from './bulk.ts';
import { benchParse } from './parse.ts';

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
await benchParse();
await benchApi();
await benchBulk();
