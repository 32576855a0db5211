/** A process that opens the store, says its secret, and stays until its input ends. */
import { openPostgresStore } from '../../src/store/index.ts';

const [url = '', source = ''] = process.argv.slice(2);
const store = await openPostgresStore({
  url,
  source,
  connections: 2,
  leaseMs: 60_000,
  onError: (error) => {
    throw error;
  },
});
process.stdout.write(`${Buffer.from(store.secret).toString('hex')}\n`);
process.stdin.resume();
process.stdin.once('end', () => void store.close());
