/** A list on its way into the store's thread: read and cut into batches here, some of them ahead of the writing there. */
import type { CreateOutcome, JobStore } from '../../../jobs/index.ts';
import { keepRows } from '../intake.ts';
import type { Caller } from './caller.ts';
import { mostUntaken } from './messages.ts';

/** The store's word came first, most likely that the disk is full: no more rows are read. */
class Overtaken extends Error {}

export const createRemoteList =
  ({ begin, say }: Pick<Caller, 'begin' | 'say'>): JobStore['createJob'] =>
  async ({ readShape, ...job }, rows) => {
    let untaken = 0;
    let isOver = false;
    let wake: () => void = () => undefined;
    const { id, outcome } = begin(
      (given) => ({ kind: 'load', id: given, job }),
      () => {
        untaken -= 1;
        wake();
      },
    );
    const over = () => {
      isOver = true;
      wake();
    };
    outcome.then(over, over);
    const hasRoom = async (): Promise<void> => {
      while (untaken >= mostUntaken && !isOver)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (isOver) throw new Overtaken();
    };
    try {
      for await (const batch of keepRows(rows)) {
        await hasRoom();
        untaken += 1;
        say({ kind: 'rows', id, rows: batch });
      }
      say({ kind: 'lastRow', id, shape: readShape() });
    } catch (error) {
      if (error instanceof Overtaken) return (await outcome) as CreateOutcome;
      say({ kind: 'broken', id });
      // What it took is erased by then, or the store says that it cannot.
      await outcome.catch(() => undefined);
      throw error;
    }
    return (await outcome) as CreateOutcome;
  };
