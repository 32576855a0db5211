/**
 * The process's side of the store's thread: starts it, sends it calls, and matches what it answers.
 *
 * OPEN until it is closed (CLOSED: calls fail so, what waits as well) or the thread ends by itself, by a bug or for
 * want of memory (ENDED: all calls fail with FAILED, now and later, and `onEnd` hears why). Nothing waits for ever.
 */
import { extname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type StoreError, storeError } from '../../fault.ts';
import {
  type PortName,
  type Ports,
  type Request,
  type Response,
  readError,
  type ThreadOptions,
} from './messages.ts';

/**
 * Heap of the thread: batches of a list that come and go, and pages of results that somebody reads. Keeps V8 from
 * growing it to the size of the machine.
 */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** After its file is closed the thread has nothing to do but to answer; one that hangs is ended. */
const longestEndMs = 2_000;

/** As this module is written: `.ts` as it stands, `.js` when it was built. */
const entry = new URL(`./entry${extname(import.meta.filename)}`, import.meta.url);

type Waiting = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onTaken?: (() => void) | undefined;
};

export type Caller = {
  readonly secret: Uint8Array;
  /** A port whose methods are messages; `methods` are all that it has. */
  port<Name extends PortName>(
    name: Name,
    methods: Readonly<Record<keyof Ports[Name], true>>,
  ): { [Method in keyof Ports[Name]]: Remote<Ports[Name][Method]> };
  /** Sends what begins a conversation; `say` is for what follows. */
  begin(
    first: (id: number) => Request,
    onTaken?: () => void,
  ): {
    readonly id: number;
    readonly outcome: Promise<unknown>;
  };
  say(request: Request): void;
  /** Lets the thread write what waits and end. Twice is once. */
  close(): Promise<void>;
};

type Remote<Method> = Method extends (...args: infer Args) => infer Result
  ? (...args: Args) => Promise<Awaited<Result>>
  : never;

/** Resolves when the database is open. Rejects with what `openTables` throws. */
export const openThread = async (
  options: ThreadOptions & { readonly place: string; readonly onEnd: (error: Error) => void },
): Promise<Caller> => {
  const { place, onEnd, ...workerData } = options;
  const worker = new Worker(entry, { workerData, resourceLimits });
  const opened = Promise.withResolvers<Uint8Array>();
  const ended = Promise.withResolvers<void>();
  const waiting = new Map<number, Waiting>();
  let state: 'OPENING' | 'OPEN' | 'CLOSED' | 'ENDED' = 'OPENING';
  let fault: StoreError | null = null;
  let thrown: unknown = null;
  let lastId = 0;
  let closing: Promise<void> | null = null;

  const failAll = (error: Error): void => {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { reject } of all) reject(error);
  };
  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  };
  worker.on('message', (response: Response) => {
    switch (response.kind) {
      case 'opened':
        return opened.resolve(response.secret);
      case 'refused':
        return opened.reject(readError(response.error));
      case 'taken':
        return waiting.get(response.id)?.onTaken?.();
      case 'done':
        return settle(response.id)?.resolve(response.value);
      case 'failed':
        return settle(response.id)?.reject(readError(response.error));
    }
  });
  worker.on('error', (error) => {
    thrown = error;
  });
  worker.on('messageerror', (error) => {
    thrown = error;
    void worker.terminate();
  });
  worker.on('exit', (exitCode) => {
    ended.resolve();
    if (state === 'CLOSED') {
      failAll(storeError('CLOSED', place));
      return;
    }
    fault = storeError('FAILED', place, thrown ?? new Error(`the thread ended with ${exitCode}`));
    if (state === 'OPENING') opened.reject(fault);
    const wasOpen = state === 'OPEN';
    state = 'ENDED';
    failAll(fault);
    if (wasOpen) onEnd(fault);
  });

  const begin: Caller['begin'] = (first, onTaken) => {
    lastId += 1;
    const id = lastId;
    if (state === 'ENDED' || state === 'CLOSED')
      return { id, outcome: Promise.reject(fault ?? storeError('CLOSED', place)) };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.postMessage(first(id));
    waiting.set(id, { resolve, reject, onTaken });
    return { id, outcome: promise };
  };
  const call = (port: PortName, method: string, args: readonly unknown[]): Promise<unknown> =>
    begin((id) => ({ kind: 'call', id, port, method, args })).outcome;

  const end = async (): Promise<void> => {
    if (state === 'ENDED') return;
    const closed = call('store', 'close', []);
    state = 'CLOSED';
    // It ends by itself once it has answered what it was told before; what it does not answer then is CLOSED.
    await Promise.race([ended.promise, pause(longestEndMs, undefined, { ref: false })]);
    await worker.terminate();
    await closed;
  };

  try {
    const secret = await opened.promise;
    state = 'OPEN';
    return {
      secret,
      port: (name, methods) =>
        Object.fromEntries(
          Object.keys(methods).map((method) => [method, (...args: unknown[]) => call(name, method, args)]),
        ) as never,
      begin,
      say: (request) => worker.postMessage(request),
      close: () => {
        closing ??= end();
        return closing;
      },
    };
  } catch (error) {
    state = 'CLOSED';
    await worker.terminate();
    throw error;
  }
};
