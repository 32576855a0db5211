/**
 * Latency at half of what each contender can. A stall of the machine counts for everyone it made wait: judged is the
 * median of slices in which neither the server nor the load waited for a processor, since the others say what else the
 * machine does. What a host takes from a virtual machine cannot be seen in it; all those slices together are printed too.
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
    slices: [] as Slice[],
  }));
  const until = performance.now() + longestMs;
  let rounds = 0;
  while (performance.now() < until && all.some(({ quiet }) => quiet.length < wantedSlices)) {
    rounds++;
    for (const { post, pid, rate, quiet, slices } of all) {
      const waited = () => readWaitedMs(pid) + readWaitedMs(process.pid);
      const before = waited();
      const latencies = await loadAtRate(post, rate, sliceMs);
      slices.push(sliceOf(latencies, sliceMs));
      if (waited() - before < sliceMs * quietShare) quiet.push(latencies);
    }
  }
  console.log(
    `the same at half of what each can, one request at each moment, timed from when it was due (${rounds} slices of ${sliceMs} ms each in turns)`,
  );
  for (const { name, rate, slices } of all)
    console.log(
      `  ${name}: ${print(rate)} requests/s, p50 ${median(slices.map(({ p50Ms }) => p50Ms)).toFixed(2)} ms, p99 ${median(slices.map(({ p99Ms }) => p99Ms)).toFixed(2)} ms`,
    );
  const [ours, bare] = all;
  const against = ours?.slices.map(({ p99Ms }, round) => p99Ms / (bare?.slices[round]?.p99Ms ?? Number.NaN));
  console.log(
    `  p99 ${median(against ?? []).toFixed(2)} times that of the ${bare?.name} (median of the pairs)`,
  );
  const stretches = all.map(({ name, quiet }) => {
    if (quiet.length === 0) return Number.NaN;
    const stretch = (latencies: readonly number[]): number => {
      const { p50Ms, p99Ms } = sliceOf(latencies, 1);
      return p99Ms / p50Ms;
    };
    const typical = median(quiet.map(stretch));
    console.log(
      `  ${name}: p99 ${typical.toFixed(1)} times p50 in the median of ${quiet.length} undisturbed slices, ${stretch(quiet.flat()).toFixed(1)} times in all of them together`,
    );
    return typical;
  });
  const isQuiet = (ours?.quiet.length ?? 0) >= fewestSlices;
  console.log(
    isQuiet
      ? verdictOn('p99 under 3 times p50', (stretches[0] ?? Number.NaN) < 3)
      : `  aim: p99 under 3 times p50: not judged: fewer than ${fewestSlices} slices in which nobody waited for a processor`,
  );
};
