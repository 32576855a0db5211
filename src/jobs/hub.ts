/**
 * Who watches which job. One read of the job's row serves all its watchers: at a wake-up, throttled, and once a second
 * as a safety net. A watcher holds the newest snapshot and nothing else, so one that never reads costs that and no more.
 */
import type { Job, ProgressSnapshot } from './types.ts';

/** Between two reads of one job: watchers see it within this of the store's state. */
const throttleMs = 100;
const pollMs = 1_000;

export type HubOptions = {
  readonly readJob: (id: string) => Promise<Job | null>;
  readonly snapshotOf: (job: Job) => ProgressSnapshot;
  readonly onError: (error: unknown) => void;
};

export type Hub = {
  /** The job may have moved. */
  wake(id: string): void;
  watch(id: string, signal: AbortSignal): Promise<AsyncIterableIterator<ProgressSnapshot> | null>;
  /** Ends all watchers. */
  close(): void;
};

type Watcher = {
  /** `state` is what two snapshots are compared by: one that was given already is not given again. */
  readonly push: (snapshot: ProgressSnapshot, state: string, isLast: boolean) => void;
  readonly end: () => void;
};

type Channel = {
  readonly watchers: Set<Watcher>;
  timer: NodeJS.Timeout | null;
  isReading: boolean;
  isWanted: boolean;
  readAt: number;
};

const isTerminal = ({ job }: ProgressSnapshot): boolean => job.endedAt !== null;
const printState = ({ job, progress }: ProgressSnapshot): string => JSON.stringify([job.state, progress]);

type Next = (result: IteratorResult<ProgressSnapshot, undefined>) => void;

/** An iterator over the newest snapshot; `onEnd` is called once, however it ends. */
const createWatcher = (
  first: ProgressSnapshot,
  onEnd: () => void,
): Watcher & { readonly iterator: AsyncIterableIterator<ProgressSnapshot> } => {
  let newest: ProgressSnapshot | null = first;
  let newestState = printState(first);
  let isLast = isTerminal(first);
  let isEnded = false;
  // Asked for and not there yet; more than one only when a reader does not wait for its answers.
  let asked: Next[] = [];

  const end = (): void => {
    if (isEnded) return;
    isEnded = true;
    newest = null;
    for (const answer of asked) answer({ value: undefined, done: true });
    asked = [];
    onEnd();
  };
  const iterator: AsyncIterableIterator<ProgressSnapshot> = {
    next() {
      if (newest !== null) {
        const value = newest;
        newest = null;
        if (isLast) end();
        return Promise.resolve({ value, done: false });
      }
      if (isEnded) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve) => asked.push(resolve));
    },
    return() {
      end();
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return {
    iterator,
    end,
    push(snapshot, state, last) {
      if (isEnded || state === newestState) return;
      newestState = state;
      isLast = last;
      const answer = asked.shift();
      if (answer === undefined) newest = snapshot;
      else {
        answer({ value: snapshot, done: false });
        if (last) end();
      }
    },
  };
};

export const createHub = ({ readJob, snapshotOf, onError }: HubOptions): Hub => {
  const channels = new Map<string, Channel>();

  const drop = (id: string, channel: Channel): void => {
    if (channel.timer !== null) clearTimeout(channel.timer);
    channel.timer = null;
    if (channels.get(id) === channel) channels.delete(id);
  };

  const publish = (id: string, channel: Channel, job: Job | null): void => {
    // Erased meanwhile: there is no last state to tell.
    if (job === null) {
      for (const watcher of [...channel.watchers]) watcher.end();
      drop(id, channel);
      return;
    }
    const snapshot = snapshotOf(job);
    const state = printState(snapshot);
    const isLast = isTerminal(snapshot);
    if (isLast) drop(id, channel);
    for (const watcher of [...channel.watchers]) watcher.push(snapshot, state, isLast);
  };

  const read = async (id: string, channel: Channel): Promise<void> => {
    channel.timer = null;
    channel.isReading = true;
    channel.isWanted = false;
    channel.readAt = performance.now();
    try {
      publish(id, channel, await readJob(id));
    } catch (error) {
      onError(error);
    }
    channel.isReading = false;
    if (channels.get(id) === channel) plan(id, channel);
  };

  const plan = (id: string, channel: Channel): void => {
    if (channel.isReading) return;
    if (channel.timer !== null) clearTimeout(channel.timer);
    const sinceMs = performance.now() - channel.readAt;
    const delayMs = (channel.isWanted ? throttleMs : pollMs) - sinceMs;
    channel.timer = setTimeout(() => void read(id, channel), Math.max(0, delayMs));
  };

  const openChannel = (id: string): Channel => {
    const open = channels.get(id);
    if (open !== undefined) return open;
    const channel: Channel = {
      watchers: new Set(),
      timer: null,
      isReading: false,
      isWanted: false,
      readAt: performance.now(),
    };
    channels.set(id, channel);
    plan(id, channel);
    return channel;
  };

  return {
    wake(id) {
      const channel = channels.get(id);
      if (channel === undefined || channel.isWanted) return;
      channel.isWanted = true;
      plan(id, channel);
    },
    async watch(id, signal) {
      const job = await readJob(id);
      if (job === null) return null;
      const first = snapshotOf(job);
      if (isTerminal(first)) return createWatcher(first, () => undefined).iterator;
      const channel = openChannel(id);
      const leave = () => {
        signal.removeEventListener('abort', stop);
        channel.watchers.delete(watcher);
        if (channel.watchers.size === 0) drop(id, channel);
      };
      const watcher = createWatcher(first, leave);
      const stop = () => watcher.end();
      channel.watchers.add(watcher);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      return watcher.iterator;
    },
    close() {
      for (const [id, channel] of channels) {
        drop(id, channel);
        for (const watcher of [...channel.watchers]) watcher.end();
      }
    },
  };
};
