/** The protocols without a framework: graphql-ws, graphql-sse, fetch, EventSource. */
import type { Client as SseClient } from 'graphql-sse';
import type { Client as SocketClient } from 'graphql-ws';
import { subscribeByEventSource } from '../../examples/event-source.ts';
import { ask } from '../../examples/fetch.ts';
import { subscribeByFetch } from '../../examples/fetch-events.ts';
import { createSseClient } from '../../examples/graphql-sse.ts';
import { createWebSocketClient } from '../../examples/graphql-ws.ts';
import { readOperation } from '../graphql/run.ts';
import { describeClient } from './contract.ts';
import { type Progress, type Row, useGateway } from './gateway.ts';
import { again, progressOf } from './progress.ts';

const world = useGateway();
const [verifyEmail, startBulkJob, bulkJobProgress, bulkJobResults] = [
  'VerifyEmail',
  'StartBulkJob',
  'BulkJobProgress',
  'BulkJobResults',
].map(readOperation) as [string, string, string, string];

type Results = { bulkJobResults: { cursor: string; results: Row[] } };
type Watched = { bulkJobProgress: Progress };

/** Both clients have the same face. */
const openClient = (client: Pick<SocketClient, 'iterate' | 'dispose'> | Pick<SseClient, 'iterate' | 'dispose'>) => {
  const { iterate } = client as SocketClient;
  const one = async (query: string, variables: Record<string, unknown>): Promise<unknown> => {
    for await (const { data } of iterate({ query, variables })) return data;
    return null;
  };
  return {
    verify: (variables: { readonly address: string }) => one(verifyEmail, variables),
    start: (variables: { readonly input: object }) => one(startBulkJob, variables),
    watch: (variables: { readonly id: string }) =>
      progressOf(iterate<Watched>({ query: bulkJobProgress, variables })),
    subscribe: (variables: { readonly id: string; after: string | null }) =>
      iterate<Results>({ query: bulkJobResults, variables }),
    close: () => client.dispose(),
  };
};

describeClient('graphql-ws', world, (url) => openClient(createWebSocketClient(url)));

describeClient('graphql-sse', world, (url) => openClient(createSseClient(url)));

const dataOf = async (answer: Promise<{ readonly data?: unknown }>) => (await answer).data;

const openFetch = (url: string) => ({
  verify: (variables: { readonly address: string }) => dataOf(ask(url, verifyEmail, variables)),
  start: (variables: { readonly input: object }) => dataOf(ask(url, startBulkJob, variables)),
  close: () => undefined,
});

describeClient('fetch', world, (url) => ({
  ...openFetch(url),
  watch: (variables) =>
    again(() => progressOf(subscribeByFetch<{ data: Watched }>(url, bulkJobProgress, variables))),
  subscribe: (variables) => subscribeByFetch<{ data: Results }>(url, bulkJobResults, variables),
}));

describeClient('EventSource', world, (url) => ({
  ...openFetch(url),
  watch: (variables) =>
    progressOf(subscribeByEventSource<{ data: Watched }>(url, bulkJobProgress, variables, { isOnce: false })),
  subscribe: (variables) =>
    subscribeByEventSource<{ data: Results }>(url, bulkJobResults, variables, { isOnce: true }),
}));
