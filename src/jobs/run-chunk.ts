/**
 * One chunk from the queue to its end. Its rows are verified some at a time; what is known is written every hundred
 * rows or 200 ms, so that progress moves and a crash asks little again. What the deadline, a stop or a lost store
 * leaves open goes back to the queue: by the last write, or when the lease ends.
 *
 * Nothing is kept a row but what it is: no timer, no listener, no promise that outlives it. The chunk waits for its
 * rows or for its end, whichever comes first; what a verification says after that is not listened to.
 */
import { type ParsedAddress, parseAddress } from '../address/index.ts';
import type { Verification, VerifyOptions } from '../verify/index.ts';
import { planPace } from './pace.ts';
import { insist } from './patience.ts';
import type { JobStore } from './ports.ts';
import { internalResult, resultOf } from './result.ts';
import { planRow } from './retry.ts';
import type { Chunk, RowResult, WaitingRow } from './types.ts';

export type Verify = (address: ParsedAddress, options: VerifyOptions) => Promise<Verification>;

export type ChunkRun = {
  readonly store: Pick<JobStore, 'settleRows' | 'settleChunk'>;
  readonly verify: Verify;
  readonly now: () => Date;
  readonly rowsAtOnce: number;
  /** The time of the whole chunk; a row's budget is what is left of it. */
  readonly deadlineMs: number;
  /** Milliseconds before the second, third … try of a row that was told to come back. */
  readonly retrySchedule: readonly number[];
  /** No more rows are begun. */
  readonly stop: AbortSignal;
  /** Ends the run: rows under way are given back. The run itself uses it when its time is up or its lease is lost. */
  readonly cut: AbortController;
  /** The store is not asked again any more. */
  readonly giveUp: AbortSignal;
  readonly onSettled: (jobId: string) => void;
  readonly onError: (error: unknown) => void;
};

/** Results written at once, unless `flushMs` pass before so many are there. */
const flushRows = 100;
const flushMs = 200;
/** How often a row is tried when `verify` throws: a bug repeats itself, an accident does not. */
const mostThrows = 3;
/** Takes without a single row moving, after which a row that ran out of budget settles so: a lane may stay slow for ever. */
const mostTakesOutOfBudget = 3;
/** The same for a row whose verification ended neither with its budget nor with the chunk: a bug of ours. */
const mostTakesHung = 3;
/**
 * Rows are not begun, and verifications told to end, this long before the deadline (or a tenth of it, when that is
 * less), so that they end with evidence.
 */
const longestMarginMs = 2_000;

type Task = { readonly row: number; readonly address: string; readonly tries: number; throws: number };

export const runChunk = async (chunk: Chunk, run: ChunkRun): Promise<void> => {
  const { store, now, cut, onError } = run;
  const pace = planPace(chunk, run.rowsAtOnce);
  const beginsUntil = performance.now() + run.deadlineMs - Math.min(longestMarginMs, run.deadlineMs / 10);
  const tasks: Task[] = chunk.rows.map((row) => ({ ...row, throws: 0 }));
  const underWay = new Set<Task>();
  let settled: RowResult[] = [];
  let waiting: WaitingRow[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let open = chunk.rows.length;
  let isOutOfTime = false;
  let isLeaseLost = false;

  const deadline = setTimeout(() => {
    isOutOfTime = !cut.signal.aborted;
    cut.abort();
  }, run.deadlineMs);
  const cutShort = new Promise<void>((resolve) => {
    if (cut.signal.aborted) resolve();
    else cut.signal.addEventListener('abort', () => resolve(), { once: true });
  });

  /** Writes what is there, one write after another. When the lease is lost or the store gives up, the chunk ends. */
  const flush = (isLast: boolean): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writing.then(async () => {
      const outcome = { settled, waiting };
      const count = settled.length + waiting.length;
      if (isLeaseLost || (count === 0 && !isLast)) return;
      settled = [];
      waiting = [];
      const method = isLast ? 'settleChunk' : 'settleRows';
      const answer = await insist(() => store[method](chunk, outcome, now()), run.giveUp, onError);
      if (answer === 'settled') {
        open -= count;
        if (count > 0) run.onSettled(chunk.jobId);
      } else {
        isLeaseLost = true;
        cut.abort();
      }
    });
    return writing;
  };
  const known = () => {
    if (settled.length + waiting.length >= flushRows) void flush(false);
    else timer ??= setTimeout(() => void flush(false), flushMs);
  };
  const giveUp = (task: Task): void => {
    settled.push(internalResult(task, now()));
    known();
  };

  const conclude = (task: Task, verification: Verification): void => {
    if (verification.reason === 'OUT_OF_BUDGET' && chunk.attempt < mostTakesOutOfBudget) return;
    const plan = planRow(verification, task.tries, run.retrySchedule, now(), chunk.otherSources);
    const { row } = task;
    if (plan.kind === 'wait') {
      const { kind: _, ...when } = plan;
      waiting.push({ row, ...when });
    } else settled.push(resultOf(task, verification));
    known();
  };

  const verifyRow = async (task: Task): Promise<void> => {
    underWay.add(task);
    try {
      const verification = await run.verify(parseAddress(task.address), {
        priority: 'bulk',
        owner: chunk.owner,
        budgetMs: Math.max(1, Math.floor(beginsUntil - performance.now())),
        signal: cut.signal,
        // What was remembered of a row that waits is the very answer that told it to come back.
        ...(task.tries > 0 ? { maxAgeSeconds: 0 } : {}),
        ...(task.tries === 0 && chunk.maxAgeSeconds !== null ? { maxAgeSeconds: chunk.maxAgeSeconds } : {}),
      });
      if (!cut.signal.aborted) conclude(task, verification);
    } catch (error) {
      if (cut.signal.aborted) return;
      onError(error);
      task.throws += 1;
      // Behind all the others: what was only an accident is over by then.
      if (task.throws < mostThrows) tasks.push(task);
      else giveUp(task);
    } finally {
      if (!cut.signal.aborted) underWay.delete(task);
    }
  };

  const mayBegin = (): boolean => !run.stop.aborted && !cut.signal.aborted && performance.now() < beginsUntil;
  const work = async (): Promise<void> => {
    while (mayBegin()) {
      const task = tasks.shift();
      if (task === undefined) return;
      await verifyRow(task);
    }
  };
  const workInWaves = async (): Promise<void> => {
    const dead = tasks.splice(0, pace.isAllGivenUp ? tasks.length : pace.isFirstGivenUp ? 1 : 0);
    for (const first of dead) {
      giveUp(first);
      onError(
        new Error(
          `row ${first.row} of job ${chunk.jobId} ended the process each time it was asked: it settles as INTERNAL`,
        ),
      );
    }
    await flush(false);
    while (mayBegin() && tasks.length > 0) {
      await Promise.all(tasks.splice(0, pace.rowsAtOnce).map(verifyRow));
      await flush(false);
    }
  };

  const works = pace.isInWaves
    ? [workInWaves()]
    : Array.from({ length: Math.min(pace.rowsAtOnce, tasks.length) }, work);
  await Promise.race([Promise.all(works), cutShort]);
  if (isOutOfTime && chunk.attempt >= mostTakesHung) for (const task of underWay) giveUp(task);
  await writing;
  await flush(open > settled.length + waiting.length);
  clearTimeout(deadline);
  // For a verification that is still under way.
  cut.abort();
};
