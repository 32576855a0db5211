/** A process that uploads without an end, and says how many octets it has handed on; to be killed. */
import { openPostgresStore } from '../../src/store/index.ts';

const [url = '', id = ''] = process.argv.slice(2);
const { uploads } = await openPostgresStore({
  url,
  source: '192.0.2.1',
  connections: 2,
  leaseMs: 60_000,
  onError: (error) => {
    throw error;
  },
});
async function* octets() {
  for (let handed = 0; ; handed += 64 * 1_024) {
    process.stdout.write(`${handed}\n`);
    yield Buffer.alloc(64 * 1_024, handed % 251);
  }
}
await uploads.appendToUpload(id, 0, octets());
