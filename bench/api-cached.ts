/**
 * Cached VerifyEmail over real HTTP, beside a Yoga that answers the same document with the same data from constants:
 * once as it comes out of the box, which is what the aims are held to, and once with what we switch off in it switched
 * off there too. Servers and load have a process each, and the servers are loaded in turns, so that whatever else
 * the machine does falls on all of them.
 */
import { startBare } from './api-bare.ts';
import { compareAtHalf } from './api-half.ts';
import { load, type Post, type Slice } from './api-load.ts';
import { openApiWorld } from './api-world.ts';
import { median, print, printLoad, verdictOn } from './smtp-engine.ts';

const connections = 16;
const sliceMs = 2_000;
const rounds = 6;
/** V8 goes on optimizing for seconds. */
const warmUpMs = 5_000;

type Contender = {
  readonly name: string;
  readonly post: Post;
  readonly pid: number | undefined;
  /** Of all that it can. */
  readonly full: Slice[];
};

const printSlices = (slices: readonly Slice[]): string => {
  const middle = (key: keyof Slice) => median(slices.map((slice) => slice[key]));
  return `${print(middle('perSecond'))} requests/s, p50 ${middle('p50Ms').toFixed(2)} ms, p99 ${middle('p99Ms').toFixed(2)} ms`;
};

export const benchCached = async (): Promise<void> => {
  const world = await openApiWorld();
  try {
    const { body, answer } = await world.remember();
    const options = { email: answer.data.email, bulkJobProgress: {} };
    const bare = await startBare({ ...options, isLean: false });
    const lean = await startBare({ ...options, isLean: true });
    try {
      const contend = (name: string, port: number, pid: number | undefined): Contender => ({
        name,
        post: { port, body },
        pid,
        full: [],
      });
      await compare(
        contend('rcpt', world.port, world.child.pid),
        contend('bare Yoga', bare.ready.port, bare.ready.pid),
        contend('bare Yoga, our parts of it alone', lean.ready.port, lean.ready.pid),
      );
    } finally {
      await bare.close();
      await lean.close();
    }
  } finally {
    await world.close();
  }
};

const compare = async (ours: Contender, bare: Contender, lean: Contender): Promise<void> => {
  const all = [ours, bare, lean];
  console.log(
    `VerifyEmail from memory, ${connections} connections, ${rounds} rounds of ${sliceMs / 1_000} s each in turns (${printLoad()})`,
  );
  for (const { post } of all) await load(post, connections, warmUpMs);
  for (let round = 0; round < rounds; round++)
    for (const { post, full } of all) full.push(await load(post, connections, sliceMs));
  for (const { name, full } of all) console.log(`  ${name.padEnd(lean.name.length)}  ${printSlices(full)}`);
  const shareOf = (other: Contender): number =>
    median(ours.full.map(({ perSecond }, round) => perSecond / (other.full[round]?.perSecond ?? Number.NaN)));
  for (const other of [bare, lean])
    console.log(`  ${(shareOf(other) * 100).toFixed(0)} % of the ${other.name}`);
  console.log(verdictOn('80 % of the bare Yoga', shareOf(bare) >= 0.8));

  await compareAtHalf(all);
};
