/**
 * `rcpt bulk --attach <id>`: the progress of a job that runs in a gateway, over its own GraphQL API, so that a store
 * which another process holds is left alone. Interrupting it leaves the job running.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as wait } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import type { ApiKeySetting } from '../config.ts';
import type { Progress } from '../jobs/index.ts';
import { openProgressBar } from './progress-bar.ts';
import { printSafely } from './receipt.ts';

export type AttachOptions = {
  /** Of the gateway's GraphQL endpoint. */
  readonly url: string;
  /** Null: the gateway asks for none. */
  readonly apiKey: ApiKeySetting | null;
  /** Null: nothing is downloaded. */
  readonly output: string | null;
  readonly format: 'CSV' | 'NDJSON' | 'XLSX';
  readonly signal: AbortSignal;
};

/** One line for the person at the terminal, as every error with a code is. */
class AttachFailed extends Error {
  readonly code = 'ATTACH_FAILED';
}
/** The connection is gone and the job is not: asked again. */
class Disconnected extends Error {}

/** First and longest pause before a lost connection is made again. */
const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** The runaway: something that is no gateway and sends one event without end. */
const longestEvent = 256 * 1024;

const progressDocument = `subscription AttachBulkJob($id: ID!) {
  bulkJobProgress(id: $id) {
    job { name state endedAt }
    progress { total settled waiting deliverable undeliverable risky unknown duplicates perSecond secondsLeft nextRetryAt }
  }
}`;
const resultsDocument =
  'query BulkJobFile($id: ID!, $format: DownloadFormat!) { bulkJob(id: $id) { resultsUrl(format: $format) } }';

type JobEvent = {
  readonly job: { readonly name: string | null; readonly state: string; readonly endedAt: string | null };
  readonly progress: Omit<Progress, 'nextRetryAt'>;
};
type Result<Data> = {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
};

const post = async (
  { url, apiKey, signal }: Pick<AttachOptions, 'url' | 'apiKey' | 'signal'>,
  accept: string,
  body: { query: string; variables: object },
): Promise<Response> => {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey.read()}` }),
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Disconnected(`no gateway answers at ${url}`, { cause: error });
  }
};

const dataOf = <Data>({ data, errors }: Result<Data>): Data => {
  if (errors?.[0]?.extensions?.code === 'GATEWAY_CLOSING') throw new Disconnected(errors[0].message);
  if (errors?.[0]) throw new AttachFailed(printSafely(errors[0].message));
  if (!data) throw new AttachFailed('the gateway answered without data');
  return data;
};

/** What a gateway says that wants a key, or another one, is told to the person; that it is asked too often passes. */
const refuseRefused = async (
  response: Response,
  { apiKey }: Pick<AttachOptions, 'apiKey'>,
): Promise<void> => {
  if (response.status === 429) throw new Disconnected('the gateway is asked too often');
  if (response.status !== 401 && response.status !== 403) return;
  const { errors } = (await response.json().catch(() => ({}))) as Result<never>;
  const said = printSafely(errors?.[0]?.message ?? `HTTP ${response.status}`);
  throw new AttachFailed(apiKey === null ? `${said} (RCPT_API_KEY takes it)` : said);
};

/** The events of one connection; returns when the gateway says `complete`, throws Disconnected when it is cut off. */
async function* readEvents(
  id: string,
  options: Pick<AttachOptions, 'url' | 'apiKey' | 'signal'>,
): AsyncGenerator<JobEvent, void, undefined> {
  const { url, signal } = options;
  const response = await post(options, 'text/event-stream', { query: progressDocument, variables: { id } });
  await refuseRefused(response, options);
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
    throw new AttachFailed(
      `${url} is no rcpt gateway: it answers ${response.status} without an event stream`,
    );
  let events: { readonly event: string; readonly data: string }[] = [];
  const parser = createParser({
    maxBufferSize: longestEvent,
    onEvent: ({ event = '', data }) => events.push({ event, data }),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded')
        throw new AttachFailed(`${url} sends events without end`);
    },
  });
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      parser.feed(text);
      const some = events;
      events = [];
      for (const { event, data } of some) {
        if (event === 'complete') return;
        if (event === 'next')
          yield dataOf(JSON.parse(data) as Result<{ bulkJobProgress: JobEvent }>).bulkJobProgress;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AttachFailed || error instanceof Disconnected) throw error;
    throw new Disconnected('the connection to the gateway was lost', { cause: error });
  }
  throw new Disconnected('the connection to the gateway was lost');
}

/** Follows the job through lost connections; the first one must succeed. */
const follow = async (id: string, options: AttachOptions): Promise<JobEvent | null> => {
  const { signal } = options;
  const bar = openProgressBar(process.stderr);
  let last: JobEvent | null = null;
  let pauseMs = firstPauseMs;
  try {
    while (true)
      try {
        for await (const event of readEvents(id, options)) {
          last = event;
          pauseMs = firstPauseMs;
          bar.show(event);
        }
        return last;
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error;
        if (last === null) throw new AttachFailed(error.message, { cause: error.cause });
        await wait(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
  } finally {
    bar.close();
  }
};

const download = async (id: string, output: string, options: AttachOptions): Promise<void> => {
  const { format, signal } = options;
  const answer = await post(options, 'application/json', {
    query: resultsDocument,
    variables: { id, format },
  });
  const { bulkJob } = dataOf(
    (await answer.json()) as Result<{ bulkJob: { readonly resultsUrl: string } | null }>,
  );
  if (bulkJob === null) throw new AttachFailed('there is no such job (any more)');
  const response = await fetch(bulkJob.resultsUrl, { signal });
  if (!response.ok || !response.body)
    throw new AttachFailed(`the results could not be had: HTTP ${response.status}`);
  const part = `${output}.part`;
  try {
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(part), { signal });
    await rename(part, output);
  } finally {
    await rm(part, { force: true });
  }
};

/** Resolves when the job has ended and its results are where they were wanted. */
export const runAttach = async (id: string, options: AttachOptions): Promise<void> => {
  const last = await follow(id, options);
  if (last?.job.endedAt && options.output !== null) await download(id, options.output, options);
  else if (last && !last.job.endedAt)
    throw new AttachFailed('the gateway ended the stream before the job had ended: it was erased');
};
