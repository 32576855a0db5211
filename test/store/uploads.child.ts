/**
 * A process that uploads, to be killed or to run out of disk. `fill`: writes until the disk is full, and says what became
 * of it. `stream`: writes without an end, and says how much it has handed on.
 */
import { readdirSync } from 'node:fs';
import { createUploads } from '../../src/jobs/index.ts';
import { openThreadedDataDir } from '../../src/store/index.ts';

const [mode = '', dir = ''] = process.argv.slice(2);
const store = await openThreadedDataDir(dir);
const faults: string[] = [];
const uploads = createUploads({
  store: store.uploads,
  now: () => new Date(),
  maxBytes: 2 ** 30,
  lifeMs: 3_600_000,
  onError: (error) => faults.push((error as { readonly code?: string }).code ?? String(error)),
});

async function* octets(pieces: number) {
  for (let piece = 1; piece <= pieces; piece += 1) {
    yield Buffer.alloc(64 * 1024, piece % 251);
    if (mode === 'stream') process.stdout.write(`${piece}\n`);
  }
}

const created = await uploads.create({ fileName: 'list.csv', sizeBytes: null, owner: null });
if (created.kind !== 'created') throw new Error(created.kind);
const { id } = created.upload;
if (mode === 'stream') process.stdout.write(`${id}\n`);
const piece = { start: 0, total: null, isLast: true };
const outcome = await uploads.write(id, piece, octets(1_000));
const left = readdirSync(`${dir}/uploads`);
const upload = await uploads.read(id);
const again = await uploads.write(id, piece, octets(2));
await uploads.close();
await store.close();
process.stdout.write(`${JSON.stringify({ outcome, faults, left, upload, again })}\n`);
