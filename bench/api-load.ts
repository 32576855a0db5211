/** Load by raw sockets, so that the loading process costs less than the loaded one: a closed loop, and a fixed rate. */
import { connect, type Socket } from 'node:net';

export type Post = {
  readonly port: number;
  /** A JSON text, or what gives the one of the n-th request. */
  readonly body: string | ((n: number) => string);
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: 200. Any other answer ends the bench. */
  readonly status?: number;
};

export type Slice = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

type Line = { ask(text: string): Promise<void>; close(): void };

/** One connection with one request at a time; opened anew when the server has closed it between two requests. */
const openLine = (port: number, status: number): Line => {
  let socket: Socket | null = null;
  let pending: { text: string; resolve(): void; reject(fault: Error): void } | null = null;
  let isFresh = true;
  let expected = -1;
  let received = 0;

  const fail = (fault: Error): void => {
    const failed = pending;
    pending = null;
    failed?.reject(fault);
  };
  const hear = (chunk: Buffer): void => {
    if (pending === null) return;
    received += chunk.length;
    if (expected === -1) {
      const head = chunk.toString('latin1');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (!head.startsWith(`HTTP/1.1 ${status}`) || length === undefined)
        return void fail(new Error(`not the answer: ${head.slice(0, 300)}`));
      expected = head.indexOf('\r\n\r\n') + 4 + Number(length);
    }
    if (received < expected) return;
    const { resolve } = pending;
    pending = null;
    isFresh = false;
    resolve();
  };
  const send = (text: string): void => {
    expected = -1;
    received = 0;
    if (socket !== null) {
      socket.write(text);
      return;
    }
    const opened = connect(port, '127.0.0.1').setNoDelay(true);
    socket = opened;
    isFresh = true;
    opened.on('data', hear).on('error', () => undefined);
    opened.once('close', () => {
      if (socket === opened) socket = null;
      // RFC 9112 §9.3.1: a request that met the end of an idle connection may be sent again.
      if (pending !== null && !isFresh && received === 0) send(pending.text);
      else fail(new Error('the server hung up in an answer'));
    });
    opened.write(text);
  };
  return {
    ask: (text) =>
      new Promise((resolve, reject) => {
        pending = { text, resolve, reject };
        send(text);
      }),
    close: () => socket?.destroy(),
  };
};

const writeRequests = ({ port, body, headers = {} }: Post): ((n: number) => string) => {
  const write = (json: string): string =>
    [
      'POST /graphql HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/json',
      'Accept: application/json',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${Buffer.byteLength(json)}`,
      '',
      json,
    ].join('\r\n');
  if (typeof body === 'function') return (n) => write(body(n));
  const text = write(body);
  return () => text;
};

export const sliceOf = (all: readonly number[], tookMs: number): Slice => {
  const latencies = all.toSorted((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { perSecond: (latencies.length / tookMs) * 1_000, p50Ms: at(0.5), p99Ms: at(0.99) };
};

/** Numbers requests across slices: a body that must not come twice does not. */
let asked = 0;

/** One request after the other on each connection, for as long as a slice lasts. */
export const load = async (post: Post, connections: number, forMs: number): Promise<Slice> => {
  const requestOf = writeRequests(post);
  const latencies: number[] = [];
  const startedAt = performance.now();
  const converse = async (): Promise<void> => {
    const line = openLine(post.port, post.status ?? 200);
    for (let sentAt = startedAt; sentAt < startedAt + forMs; ) {
      sentAt = performance.now();
      await line.ask(requestOf(asked++));
      latencies.push(performance.now() - sentAt);
    }
    line.close();
  };
  await Promise.all(Array.from({ length: connections }, converse));
  return sliceOf(latencies, performance.now() - startedAt);
};

/** Connections at a fixed rate. More requests than these under way wait here, and their time runs. */
const lines = 64;
/** A server that falls behind must not hold the bench. */
const mostBehindMs = 5_000;

/**
 * Requests at fixed moments, whatever becomes of those before them: a stall counts for everyone who comes meanwhile (no
 * coordinated omission). Each is timed from the moment it was due, or from the next millisecond on, when this process wakes:
 * one that looked at the clock all the time would take a processor, and make the server wait for the other one.
 *
 * @returns the latencies, in milliseconds
 */
export const loadAtRate = async (
  post: Post,
  perSecond: number,
  forMs: number,
): Promise<readonly number[]> => {
  const requestOf = writeRequests(post);
  const latencies: number[] = [];
  const free = Array.from({ length: lines }, () => openLine(post.port, post.status ?? 200));
  const all = [...free];
  // Connections are not what is measured.
  await Promise.all(all.map((line) => line.ask(requestOf(asked++))));
  const gapMs = 1_000 / perSecond;
  const total = Math.floor(forMs / gapMs);
  const startedAt = performance.now();
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const send = (line: Line, dueAt: number): void => {
      sent++;
      line.ask(requestOf(asked++)).then(() => {
        latencies.push(performance.now() - dueAt);
        free.push(line);
        if (latencies.length === total) resolve();
      }, reject);
    };
    /** Does one that is due wait for a connection? That is the server's doing, and its time runs from when it was due. */
    let isWaiting = false;
    const look = (): void => {
      const now = performance.now();
      while (sent < total && startedAt + sent * gapMs <= now) {
        const line = free.pop();
        if (line === undefined) {
          isWaiting = true;
          break;
        }
        send(line, isWaiting ? startedAt + sent * gapMs : now);
      }
      if (free.length > 0) isWaiting = false;
      if (now > startedAt + forMs + mostBehindMs) reject(new Error(`behind by ${mostBehindMs} ms`));
      else if (latencies.length < total) setTimeout(look, 1);
    };
    look();
  });
  for (const line of all) line.close();
  return latencies;
};
