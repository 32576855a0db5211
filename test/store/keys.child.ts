/** A process that makes keys in a data directory, says the id of each that it made, and revokes every other one. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openSqliteKeys } from '../../src/store/index.ts';
import { drawAnyKey } from './any-key.ts';

const [dir = '', count = '0'] = process.argv.slice(2);
const { keys, close } = openSqliteKeys(dir);
for (let made = 0; made < Number(count); made += 1) {
  const { key } = drawAnyKey({ name: `key ${made}` });
  await keys.createKey(key);
  if (made % 2 === 1) await keys.revokeKey(key.id, new Date());
  process.stdout.write(`${key.id}\n`);
  await nextTurn();
}
close();
