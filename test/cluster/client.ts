/** A back office that follows a job on whichever gateway answers, and goes on at another where one is gone. */
import type { Node } from './cluster.ts';

export type Answer<Data> = {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
};

/** One operation over HTTP; rejects when the gateway is gone. */
export const post = async <Data>(
  { url }: Pick<Node, 'url'>,
  query: string,
  variables: object = {},
): Promise<Answer<Data>> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(30_000),
  });
  return (await response.json()) as Answer<Data>;
};

export const ask = async <Data>(
  node: Pick<Node, 'url'>,
  query: string,
  variables: object = {},
): Promise<Data> => {
  const { data, errors } = await post<Data>(node, query, variables);
  if (errors !== undefined || !data) throw new Error(JSON.stringify(errors));
  return data;
};

export const startJob = async (node: Node, addresses: readonly string[]): Promise<string> => {
  const { startBulkJob } = await ask<{ startBulkJob: { id: string; message?: string } }>(
    node,
    `mutation($input: StartBulkJobInput!) {
      startBulkJob(input: $input) { ... on BulkJob { id } ... on Error { message } }
    }`,
    { input: { source: { addresses } } },
  );
  if (startBulkJob.message !== undefined) throw new Error(startBulkJob.message);
  return startBulkJob.id;
};

export type JobState = {
  readonly state: string;
  readonly progress: { readonly total: number; readonly settled: number; readonly waiting: number };
};

export const readJob = async (node: Node, id: string): Promise<JobState> => {
  const { bulkJob } = await ask<{ bulkJob: JobState }>(
    node,
    'query($id: ID!) { bulkJob(id: $id) { state progress { total settled waiting } } }',
    { id },
  );
  return bulkJob;
};

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until it is so. The deadline is the test's own. */
export const until = async (isSo: () => Promise<boolean>, everyMs = 50): Promise<void> => {
  while (!(await isSo())) await wait(everyMs);
};

export const untilSettled = (node: Node, id: string, rows: number): Promise<void> =>
  until(async () => (await readJob(node, id)).progress.settled >= rows);

export type Result = {
  readonly position: number;
  readonly row: number;
  readonly address: string;
  readonly reason: string;
};

/** The events of a subscription by SSE; ends, or rejects, with the connection. */
export async function* subscribe<Data>(
  { url }: Pick<Node, 'url'>,
  query: string,
  variables: object,
  signal?: AbortSignal,
): AsyncGenerator<Data, void, undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
    ...(signal ? { signal } : {}),
  });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (\{.*)$/m.exec(event)?.[1];
      if (data === undefined) continue;
      const { data: value, errors } = JSON.parse(data) as Answer<Data>;
      if (errors !== undefined || !value) throw new Error(JSON.stringify(errors));
      yield value;
    }
  }
}

type Batch = { readonly bulkJobResults: { readonly cursor: string; readonly results: readonly Result[] } };

/**
 * All results of a job by cursor, from the gateways in turn: where a connection breaks, the next one goes on from the last
 * cursor. Ends with the last of `rows`.
 * @param onBatch told how many there are so far
 */
export const followResults = async (
  gateways: readonly Node[],
  id: string,
  rows: number,
  onBatch: (count: number) => void = () => undefined,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  let after: string | null = null;
  for (let turn = 0; results.length < rows; turn += 1) {
    const gateway = gateways[turn % gateways.length];
    if (gateway === undefined) throw new Error('no gateway was given');
    try {
      for await (const { bulkJobResults } of subscribe<Batch>(
        gateway,
        `subscription($id: ID!, $after: String) {
          bulkJobResults(id: $id, after: $after) { cursor results { position row address reason } }
        }`,
        { id, after },
      )) {
        results.push(...bulkJobResults.results);
        after = bulkJobResults.cursor;
        onBatch(results.length);
      }
    } catch {
      // The gateway is gone, or its store is: what came is here, and the next one is asked for the rest.
      await wait(200);
    }
  }
  return results;
};

/** How often each reason was given. */
export const countReasons = (results: readonly Result[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { reason } of results) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
};
