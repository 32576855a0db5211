/** What a back office does over HTTP: upload, start, watch, read results by cursor, download. */
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createParser } from 'eventsource-parser';

type Errors = { readonly errors?: readonly { readonly message: string }[] };

export const ask = async <Data>(url: string, query: string, variables: object = {}): Promise<Data> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data } & Errors;
  if (errors?.[0]) throw new Error(errors[0].message);
  return data;
};

const subscribe = (url: string, query: string, variables: object, signal?: AbortSignal): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
    ...(signal ? { signal } : {}),
  });

/** The events of a subscription as they come. */
export async function* follow<Data>(
  url: string,
  query: string,
  variables: object,
): AsyncGenerator<Data, void, undefined> {
  const response = await subscribe(url, query, variables);
  let ready: Data[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'next') return;
      const { data: value, errors } = JSON.parse(data) as { data: Data } & Errors;
      if (errors?.[0]) throw new Error(errors[0].message);
      ready.push(value);
    },
  });
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    parser.feed(text);
    const some = ready;
    ready = [];
    yield* some;
  }
}

export type ProgressEvent = {
  readonly bulkJobProgress: {
    readonly job: { readonly state: string };
    readonly progress: { readonly settled: number; readonly perSecond: number };
  };
};
export const progressDocument =
  'subscription($id: ID!) { bulkJobProgress(id: $id) { job { state } progress { settled perSecond } } }';

/** A subscriber who never reads: the connection is open and nothing is taken from it. */
export const subscribeSilently = async (url: string, id: string): Promise<() => void> => {
  const gone = new AbortController();
  await subscribe(url, progressDocument, { id }, gone.signal);
  return () => gone.abort();
};

export const upload = async (url: string, path: string, sizeBytes: number): Promise<string> => {
  const { createUpload } = await ask<{ createUpload: { id: string; url: string; message?: string } }>(
    url,
    'mutation($input: CreateUploadInput!) { createUpload(input: $input) { ... on Upload { id url } ... on Error { message } } }',
    { input: { fileName: 'list.csv', sizeBytes } },
  );
  if (createUpload.message) throw new Error(createUpload.message);
  const response = await fetch(createUpload.url, {
    method: 'PUT',
    headers: { 'content-length': String(sizeBytes) },
    body: Readable.toWeb(createReadStream(path)) as unknown as BodyInit,
    duplex: 'half',
  } as RequestInit);
  if (!response.ok) throw new Error(`the upload was answered ${response.status}: ${await response.text()}`);
  return createUpload.id;
};

export const start = async (url: string, uploadId: string): Promise<string> => {
  const { startBulkJob } = await ask<{ startBulkJob: { id: string; message?: string } }>(
    url,
    'mutation($input: StartBulkJobInput!) { startBulkJob(input: $input) { ... on BulkJob { id } ... on Error { message } } }',
    { input: { name: 'bench', source: { uploadId } } },
  );
  if (startBulkJob.message) throw new Error(startBulkJob.message);
  return startBulkJob.id;
};

/** Gives the octets that were written. */
export const download = async (url: string, id: string, path: string): Promise<number> => {
  const { bulkJob } = await ask<{ bulkJob: { resultsUrl: string } }>(
    url,
    'query($id: ID!) { bulkJob(id: $id) { resultsUrl(format: CSV) } }',
    { id },
  );
  const response = await fetch(bulkJob.resultsUrl);
  if (!response.ok || !response.body) throw new Error(`the download was answered ${response.status}`);
  const file = createWriteStream(path);
  await pipeline(Readable.fromWeb(response.body as ReadableStream), file);
  return file.bytesWritten;
};
