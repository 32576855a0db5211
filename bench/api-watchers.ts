/**
 * Many silent subscribers in a process of their own: each holds one connection, reads its first event and waits. Asked
 * `state`, it tells how they are.
 */
import { connect } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import { runAll } from './smtp-engine.ts';
import { type Peer, serveParent, startPeer } from './smtp-process.ts';

export type WatchersOptions = {
  readonly transport: 'sse' | 'graphql-ws';
  readonly port: number;
  readonly count: number;
  readonly query: string;
  readonly variables: object;
};

export type WatchersState = {
  /** Have had their first event, and no end. */
  readonly watching: number;
  /** Saw the end that the protocol has: SSE's `complete`, code 1001. */
  readonly dismissed: number;
  /** Ended in any other way, by what it was. */
  readonly cutOff: Readonly<Record<string, number>>;
  /** When the last one ended, in milliseconds of the machine's clock. */
  readonly lastEndAt: number;
};

export const startWatchers = (options: WatchersOptions): Promise<Peer<null>> =>
  startPeer<null>(import.meta.filename, options, 'anywhere');

/** How many open at once: fewer than the kernel lets wait to be accepted. */
const openingAtOnce = 100;
const goingAway = 1_001;

type Ended = (how: 'dismissed' | (string & {})) => void;

/** Resolves with its first event, or when it ended before. */
const watchBySse = ({ port, query, variables }: WatchersOptions, ended: Ended): Promise<boolean> =>
  new Promise((resolve) => {
    const body = JSON.stringify({ query, variables });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      [
        'POST /graphql HTTP/1.1',
        `Host: 127.0.0.1:${port}`,
        'Content-Type: application/json',
        'Accept: text/event-stream',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
    /** The end of what came: what is before it is of no interest. */
    let tail = '';
    let isWatching = false;
    socket.on('data', (chunk) => {
      tail = (tail + chunk.toString('latin1')).slice(-1_000);
      if (!isWatching && tail.includes('event: next')) {
        isWatching = true;
        resolve(true);
      }
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(false);
      if (!isWatching) ended(`before its first event: ${tail.slice(0, 60)}`);
      else ended(tail.includes('event: complete') ? 'dismissed' : 'the stream broke off');
    });
  });

const watchBySocket = ({ port, query, variables }: WatchersOptions, ended: Ended): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
    });
    let isWatching = false;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.on('open', () => send({ type: 'connection_init' }));
    socket.on('message', (data: RawData) => {
      const { type } = JSON.parse(String(data)) as { readonly type: string };
      if (type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: { query, variables } });
      else if (type === 'next') {
        isWatching = true;
        resolve(true);
      }
    });
    socket.on('error', () => undefined);
    socket.once('close', (code) => {
      resolve(false);
      if (!isWatching) ended(`before its first event: ${code}`);
      else ended(code === goingAway ? 'dismissed' : `code ${code}`);
    });
  });

if (import.meta.main) {
  const options: WatchersOptions = JSON.parse(process.argv[2] ?? '');
  let watching = 0;
  let dismissed = 0;
  let lastEndAt = 0;
  const cutOff: Record<string, number> = {};
  const watch = options.transport === 'sse' ? watchBySse : watchBySocket;
  const open = async (): Promise<void> => {
    const isWatching = await watch(options, (how) => {
      if (how === 'dismissed') dismissed++;
      else cutOff[how] = (cutOff[how] ?? 0) + 1;
      watching -= 1;
      lastEndAt = Date.now();
    });
    if (isWatching) watching += 1;
  };
  serveParent(null, (): WatchersState => ({ watching, dismissed, cutOff, lastEndAt }));
  await runAll(Array(options.count).keys(), openingAtOnce, open);
}
