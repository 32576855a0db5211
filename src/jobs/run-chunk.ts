/**
 * One chunk from the queue to its end. Its rows are verified some at a time; what is known is written every fifty
 * rows or 200 ms, so that progress moves and a crash asks little again. What the deadline, a stop or a lost store
 * leaves open goes back to the queue: by the last write, or when the lease ends.
 */
import type { ParsedAddress } from '../address/index.ts';
import { parseAddress } from '../address/index.ts';
import type { Verification, VerifyOptions } from '../verify/index.ts';
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
  /** Rows under way are given back. */
  readonly abort: AbortSignal;
  /** The store is not asked again any more. */
  readonly giveUp: AbortSignal;
  readonly onSettled: (jobId: string) => void;
  readonly onError: (error: unknown) => void;
};

/** Results written at once, unless `flushMs` pass before so many are there. */
const flushRows = 50;
const flushMs = 200;
/** How often a row is tried when `verify` throws: a bug repeats itself, an accident does not. */
const mostThrows = 3;
/** Takes without a single row moving, after which a row that ran out of budget settles so: a lane may stay slow for ever. */
const mostTakesOutOfBudget = 3;
/** Takes without a single row moving, after which the chunk is held to kill its worker and settles unasked. */
const mostTakes = 10;
/**
 * Rows are not begun, and verifications told to end, this long before the deadline (or a tenth of it, when that is
 * less), so that they end with evidence.
 */
const longestMarginMs = 2_000;

type Task = { readonly row: number; readonly address: string; readonly tries: number; throws: number };

export const runChunk = async (chunk: Chunk, run: ChunkRun): Promise<void> => {
  const { store, now, onError } = run;
  const deadline = new AbortController();
  const deadlineTimer = setTimeout(() => deadline.abort(), run.deadlineMs);
  const beginsUntil = performance.now() + run.deadlineMs - Math.min(longestMarginMs, run.deadlineMs / 10);
  const ended = new AbortController();
  const cut = AbortSignal.any([run.abort, deadline.signal, ended.signal]);
  const cutShort = new Promise<'cut'>((resolve) => {
    if (cut.aborted) resolve('cut');
    cut.addEventListener('abort', () => resolve('cut'), { once: true });
  });

  const tasks: Task[] = chunk.rows.map((row) => ({ ...row, throws: 0 }));
  let settled: RowResult[] = [];
  let waiting: WaitingRow[] = [];
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let open = chunk.rows.length;

  /** Writes what is there, one write after another. When the lease is lost or the store gives up, the chunk ends. */
  const flush = (isLast: boolean): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writing.then(async () => {
      const outcome = { settled, waiting };
      const count = settled.length + waiting.length;
      if (ended.signal.aborted || (count === 0 && !isLast)) return;
      settled = [];
      waiting = [];
      const method = isLast ? 'settleChunk' : 'settleRows';
      const answer = await insist(() => store[method](chunk, outcome, now()), run.giveUp, onError);
      if (answer === 'settled') {
        open -= count;
        if (count > 0) run.onSettled(chunk.jobId);
      } else ended.abort();
    });
    return writing;
  };
  const known = () => {
    if (settled.length + waiting.length >= flushRows) void flush(false);
    else timer ??= setTimeout(() => void flush(false), flushMs);
  };

  const verifyRow = async (task: Task): Promise<void> => {
    const budgetMs = Math.max(1, Math.floor(beginsUntil - performance.now()));
    const verification = await Promise.race([
      run.verify(parseAddress(task.address), {
        priority: 'bulk',
        budgetMs,
        signal: cut,
        // What was remembered of a row that waits is the very answer that told it to come back.
        ...(task.tries > 0 ? { maxAgeSeconds: 0 } : {}),
      }),
      cutShort,
    ]);
    if (verification === 'cut' || cut.aborted) return;
    if (verification.reason === 'OUT_OF_BUDGET' && chunk.attempt < mostTakesOutOfBudget) return;
    const plan = planRow(verification, task.tries, run.retrySchedule, now());
    if (plan.kind === 'wait') waiting.push({ row: task.row, retryAt: plan.retryAt });
    else settled.push(resultOf(task, verification));
    known();
  };

  const work = async (): Promise<void> => {
    while (!run.stop.aborted && !cut.aborted && performance.now() < beginsUntil) {
      const task = tasks.shift();
      if (task === undefined) return;
      try {
        await verifyRow(task);
      } catch (error) {
        if (cut.aborted) return;
        onError(error);
        task.throws += 1;
        // Behind all the others: what was only an accident is over by then.
        if (task.throws < mostThrows) tasks.push(task);
        else {
          settled.push(internalResult(task, now()));
          known();
        }
      }
    }
  };

  if (chunk.attempt > mostTakes) {
    onError(
      new Error(
        `chunk ${chunk.id} of job ${chunk.jobId} was taken ${chunk.attempt} times in vain: its rows settle as INTERNAL`,
      ),
    );
    settled = tasks.splice(0).map((task) => internalResult(task, now()));
  }
  await Promise.all(Array.from({ length: Math.min(run.rowsAtOnce, tasks.length) }, work));
  await flush(false);
  if (open > 0) await flush(true);
  clearTimeout(deadlineTimer);
  ended.abort();
};
