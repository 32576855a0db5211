/**
 * Who watches which job. One read of the job's row serves all its watchers: at a wake-up, throttled, and once a second
 * as a safety net. What a watcher holds is its own affair: the newest snapshot (snapshots.ts) or a place in the results
 * (results-watch.ts), never a queue.
 */
import { createSnapshots, type Listener } from './snapshots.ts';
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
  /** Any of them may. */
  wakeAll(): void;
  /** Tells the listener each newer state, until it leaves by the function that is given or the job has ended. */
  listen(id: string, listener: Listener): () => void;
  watch(id: string, signal: AbortSignal): Promise<AsyncIterableIterator<ProgressSnapshot> | null>;
  /** Ends all watchers. */
  close(): void;
};

type Channel = {
  readonly listeners: Set<Listener>;
  timer: NodeJS.Timeout | null;
  isReading: boolean;
  isWanted: boolean;
  readAt: number;
  /** As it was printed last. */
  state: string | null;
};

const isTerminal = ({ job }: ProgressSnapshot): boolean => job.endedAt !== null;
const printState = ({ job, progress }: ProgressSnapshot): string => JSON.stringify([job.state, progress]);

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
      drop(id, channel);
      for (const listener of [...channel.listeners]) listener.end();
      return;
    }
    const snapshot = snapshotOf(job);
    const state = printState(snapshot);
    channel.state = state;
    const isLast = isTerminal(snapshot);
    if (isLast) drop(id, channel);
    for (const listener of [...channel.listeners]) listener.push(snapshot, state, isLast);
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
      listeners: new Set(),
      timer: null,
      isReading: false,
      isWanted: false,
      readAt: performance.now(),
      state: null,
    };
    channels.set(id, channel);
    plan(id, channel);
    return channel;
  };

  const listen = (id: string, listener: Listener): (() => void) => {
    const channel = openChannel(id);
    channel.listeners.add(listener);
    return () => {
      channel.listeners.delete(listener);
      if (channel.listeners.size === 0) drop(id, channel);
    };
  };

  /** What it leaves behind for as long as somebody watches holds neither the job nor the snapshot. */
  const attach = (
    id: string,
    first: ProgressSnapshot,
    signal: AbortSignal,
  ): AsyncIterableIterator<ProgressSnapshot> => {
    const printed = printState(first);
    // Ten thousand watchers of one job have one text of its state between them.
    const known = channels.get(id)?.state;
    const watcher = createSnapshots(first, printed === known ? known : printed, () => {
      signal.removeEventListener('abort', watcher.end);
      leave();
    });
    const leave = listen(id, watcher);
    const channel = channels.get(id);
    if (channel !== undefined) channel.state ??= printed;
    signal.addEventListener('abort', watcher.end, { once: true });
    if (signal.aborted) watcher.end();
    return watcher.iterator;
  };

  const wake = (id: string): void => {
    const channel = channels.get(id);
    if (channel === undefined || channel.isWanted) return;
    channel.isWanted = true;
    plan(id, channel);
  };

  return {
    wake,
    wakeAll: () => {
      for (const id of channels.keys()) wake(id);
    },
    listen,
    async watch(id, signal) {
      const job = await readJob(id);
      if (job === null) return null;
      const first = snapshotOf(job);
      return isTerminal(first)
        ? createSnapshots(first, printState(first), () => undefined).iterator
        : attach(id, first, signal);
    },
    close() {
      for (const [id, channel] of channels) {
        drop(id, channel);
        for (const listener of [...channel.listeners]) listener.end();
      }
    },
  };
};
