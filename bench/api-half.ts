/**
 * Latency at half of what each contender can. A stall of the machine counts for everyone it made wait, so that only slices
 * are looked at in which neither the server nor the load waited for a processor: on a machine that does something else
 * beside, they are few, and the others say what it does and not what we do.
 */
import { loadAtRate, type Post, type Slice, sliceOf } from './api-load.ts';
import { readWaitedMs } from './serve-process.ts';
import { median, print, verdictOn } from './smtp-engine.ts';

const sliceMs = 400;
/** Enough for a hundredth to be a hundred requests. */
const wantedSlices = 30;
const fewestSlices = 10;
const longestMs = 60_000;
/** Of a slice, waited for a processor. */
const quietShare = 0.02;

export type HalfContender = {
  readonly name: string;
  readonly post: Post;
  readonly pid: number | undefined;
  readonly full: readonly Slice[];
};

export const compareAtHalf = async (contenders: readonly HalfContender[]): Promise<void> => {
  const all = contenders.map((contender) => ({
    ...contender,
    rate: median(contender.full.map(({ perSecond }) => perSecond)) / 2,
    quiet: [] as (readonly number[])[],
  }));
  const until = performance.now() + longestMs;
  let rounds = 0;
  while (performance.now() < until && all.some(({ quiet }) => quiet.length < wantedSlices)) {
    rounds++;
    for (const { post, pid, rate, quiet } of all) {
      const waited = () => readWaitedMs(pid) + readWaitedMs(process.pid);
      const before = waited();
      const latencies = await loadAtRate(post, rate, sliceMs);
      if (waited() - before < sliceMs * quietShare) quiet.push(latencies);
    }
  }
  console.log(
    `the same at half of what each can, one request at each moment, timed from when it was due (${rounds} slices of ${sliceMs} ms each in turns)`,
  );
  const stretches = all.map(({ name, rate, quiet }) => {
    const { p50Ms, p99Ms } = sliceOf(quiet.flat(), 1);
    console.log(
      `  ${name}: ${print(rate)} requests/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${(p99Ms / p50Ms).toFixed(1)} times (${quiet.length} undisturbed slices)`,
    );
    return p99Ms / p50Ms;
  });
  const isQuiet = all.every(({ quiet }) => quiet.length >= fewestSlices);
  console.log(
    isQuiet
      ? verdictOn('p99 under 3 times p50', (stretches[0] ?? Number.NaN) < 3)
      : '  aim: p99 under 3 times p50: not judged, this machine is busy with something else',
  );
};
