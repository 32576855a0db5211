/**
 * The thread that holds the database: it does what it is told in the order in which it is told it, and answers each.
 * A bug that no method caught ends it, and with it every call that waits (see caller.ts).
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ListShape, NewJob } from '../../../jobs/index.ts';
import type { KeptRow } from '../intake.ts';
import { openTables, type Tables } from '../tables.ts';
import {
  type LoadingJob,
  type Ports,
  type Request,
  type Response,
  sendError,
  type ThreadOptions,
} from './messages.ts';

type Tell = (response: Response) => void;

const answer = async (tell: Tell, id: number, work: () => unknown): Promise<void> => {
  try {
    tell({ kind: 'done', id, value: await work() });
  } catch (error) {
    tell({ kind: 'failed', id, error: sendError(error) });
  }
};

/** A list under way: its batches as they come, until its last row or the failure of its source. */
class Inbox {
  shape: ListShape | null = null;
  readonly #batches: (readonly KeptRow[])[] = [];
  readonly #taken: () => void;
  #end: 'open' | 'last' | 'broken' = 'open';
  #wake: () => void = () => undefined;

  constructor(taken: () => void) {
    this.#taken = taken;
  }

  put(rows: readonly KeptRow[]): void {
    this.#batches.push(rows);
    this.#wake();
  }

  end(how: 'last' | 'broken', shape: ListShape | null): void {
    this.#end = how;
    this.shape = shape;
    this.#wake();
  }

  async *read(): AsyncGenerator<readonly KeptRow[], void, undefined> {
    while (true) {
      const rows = this.#batches.shift();
      if (rows !== undefined) {
        yield rows;
        this.#taken();
      } else if (this.#end === 'broken') throw new Error('the list was not read to its end');
      else if (this.#end === 'last') return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

const inboxes = new Map<number, Inbox>();

const load = async (tables: Tables, tell: Tell, id: number, job: LoadingJob): Promise<unknown> => {
  const inbox = new Inbox(() => tell({ kind: 'taken', id }));
  inboxes.set(id, inbox);
  const whole: NewJob = {
    ...job,
    readShape: () => {
      if (inbox.shape === null) throw new Error('the shape of a list comes with its last row');
      return inbox.shape;
    },
  };
  try {
    return await tables.jobs.loadJob(whole, inbox.read());
  } finally {
    inboxes.delete(id);
  }
};

const serve = (tables: Tables, port: MessagePort, tell: Tell): void => {
  const { jobs, webhooks, uploadRows, verdicts, limitPages, close } = tables;
  const end = () => {
    close();
    // Nothing keeps the thread any more once it has answered.
    port.unref();
  };
  const ports: Ports = { jobs, webhooks, uploadRows, verdicts, store: { limitPages, close: end } };
  port.on('message', (request: Request) => {
    switch (request.kind) {
      case 'call': {
        const { id, method, args } = request;
        const methods = ports[request.port] as unknown as Record<string, (...given: unknown[]) => unknown>;
        void answer(tell, id, () => methods[method]?.(...args));
        return;
      }
      case 'load':
        void answer(tell, request.id, () => load(tables, tell, request.id, request.job));
        return;
      // What comes for a list that has failed already is left alone.
      case 'rows':
        inboxes.get(request.id)?.put(request.rows);
        return;
      case 'lastRow':
        inboxes.get(request.id)?.end('last', request.shape);
        return;
      case 'broken':
        inboxes.get(request.id)?.end('broken', null);
        return;
    }
  });
};

const start = (port: MessagePort): void => {
  const tell: Tell = (response) => port.postMessage(response);
  try {
    const tables = openTables(workerData as ThreadOptions);
    serve(tables, port, tell);
    tell({ kind: 'opened', secret: tables.secret });
  } catch (error) {
    tell({ kind: 'refused', error: sendError(error) });
  }
};

// Whoever loads it outside of a thread warms the compile cache (command/warm.ts).
if (parentPort !== null) start(parentPort);
