/**
 * What processes tell each other: LISTEN and NOTIFY, outside of the transactions that write, since a commit that
 * notifies holds a lock of the whole database. It only wakes; while the connection is down everybody polls.
 */
import type pg from 'pg';
import type { JobNews, JobWire } from '../../jobs/index.ts';
import type { Database } from './database.ts';
import { readPostgresError } from './fault.ts';

const channel = 'rcpt';
/** Rows settle hundreds of times a second; who watches is told this often at most a job. */
const movedEveryMs = 100;
/** Jobs that move at once; more are told together: something may have been missed. */
const mostMoved = 1_000;
const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** A connection that a firewall forgot says nothing: it is asked. */
const probeEveryMs = 15_000;

export type PostgresWire = JobWire & {
  /** Resolves when it listens, or has tried once. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
};

const printNews = ({ kind, jobId }: JobNews): string => `${kind} ${jobId}`;
const readNews = (payload: string): JobNews | null => {
  const [kind, jobId] = payload.split(' ');
  return (kind === 'changed' || kind === 'moved') && jobId !== undefined && jobId !== ''
    ? { kind, jobId }
    : null;
};

/** @param node of this process: what it tells it does not hear */
export const openWire = (
  database: Database,
  node: string,
  onError: (error: unknown) => void,
): PostgresWire => {
  const hearers = new Set<(news: JobNews | null) => void>();
  const moved = new Set<string>();
  let telling: NodeJS.Timeout | null = null;
  let client: pg.Client | null = null;
  let retrying: NodeJS.Timeout | null = null;
  let pauseMs = firstPauseMs;
  let isClosed = false;

  const hear = (news: JobNews | null): void => {
    for (const hearer of [...hearers]) hearer(news);
  };

  const send = (payloads: readonly string[]): void => {
    // Lost with the connection: the poll of who waits covers it.
    database
      .aside(`SELECT pg_notify('${channel}', $1 || ' ' || payload) FROM unnest($2::text[]) AS payload`, [
        node,
        payloads,
      ])
      .catch((error: unknown) => {
        if (!isClosed) onError(error);
      });
  };

  const tellMoved = (): void => {
    telling = null;
    const payloads =
      moved.size >= mostMoved ? ['missed'] : [...moved].map((jobId) => printNews({ kind: 'moved', jobId }));
    moved.clear();
    send(payloads);
  };

  const reconnect = (): void => {
    if (isClosed || retrying !== null) return;
    retrying = setTimeout(() => {
      retrying = null;
      void connect();
    }, pauseMs);
    retrying.unref();
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };

  const drop = (lost: pg.Client, error: unknown): void => {
    if (client !== lost) return;
    client = null;
    if (!isClosed) onError(readPostgresError(error));
    lost.end().catch(() => undefined);
    reconnect();
  };

  const connect = async (): Promise<void> => {
    try {
      const next = await database.connect();
      if (isClosed) {
        await next.end();
        return;
      }
      client = next;
      next.on('error', (error) => drop(next, error));
      next.on('end', () => drop(next, new Error('Connection terminated')));
      next.on('notification', ({ payload = '' }) => {
        const [from, ...words] = payload.split(' ');
        if (from !== node) hear(readNews(words.join(' ')));
      });
      await next.query(`LISTEN ${channel}`);
      pauseMs = firstPauseMs;
      // What was told while nobody listened.
      hear(null);
    } catch (error) {
      if (client === null) {
        if (!isClosed) onError(error);
        reconnect();
      } else drop(client, error);
    }
  };

  const probing = setInterval(() => {
    const asked = client;
    asked?.query('SELECT 1').catch((error: unknown) => drop(asked, error));
  }, probeEveryMs);
  probing.unref();

  return {
    ready: connect(),
    tell(news) {
      if (isClosed) return;
      if (news.kind === 'changed') {
        send([printNews(news)]);
        return;
      }
      if (moved.size < mostMoved) moved.add(news.jobId);
      telling ??= setTimeout(tellMoved, movedEveryMs).unref();
    },
    listen(hearer) {
      hearers.add(hearer);
      return () => void hearers.delete(hearer);
    },
    async close() {
      isClosed = true;
      clearInterval(probing);
      if (telling !== null) clearTimeout(telling);
      if (retrying !== null) clearTimeout(retrying);
      const last = client;
      client = null;
      await last?.end().catch(() => undefined);
    },
  };
};
