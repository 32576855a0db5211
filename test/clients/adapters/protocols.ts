import type { Client as SseClient } from 'graphql-sse';
import type { Client as SocketClient } from 'graphql-ws';
import { subscribeByEventSource } from '../../../examples/event-source.ts';
import { ask } from '../../../examples/fetch.ts';
import { subscribeByFetch } from '../../../examples/fetch-events.ts';
import { createSseClient } from '../../../examples/graphql-sse.ts';
import { createWebSocketClient } from '../../../examples/graphql-ws.ts';
import type { ClientUnderTest, Open } from '../contract.ts';
import {
  bulkJobProgress,
  bulkJobResults,
  type Results,
  startBulkJob,
  verifyEmail,
  type Watched,
} from './operations.ts';

/** Both clients have the same face. */
const openClient = (client: SocketClient | SseClient): ClientUnderTest => {
  const { iterate } = client as SocketClient;
  const one = async (query: string, variables: Record<string, unknown>): Promise<unknown> => {
    for await (const { data } of iterate({ query, variables })) return data;
    return null;
  };
  return {
    verify: (variables: { readonly address: string }) => one(verifyEmail, variables),
    start: (variables: { readonly input: object }) => one(startBulkJob, variables),
    watch: (variables: { readonly id: string }) => iterate<Watched>({ query: bulkJobProgress, variables }),
    subscribe: (variables: { readonly id: string; after: string | null }) =>
      iterate<Results>({ query: bulkJobResults, variables }),
    close: () => client.dispose(),
  };
};

export const openWebSocket: Open = (url, key) => openClient(createWebSocketClient(url, key));

export const openSse: Open = (url, key) => openClient(createSseClient(url, key));

const dataOf = async (answer: Promise<{ readonly data?: unknown }>) => (await answer).data;

const openFetch = (url: string, key?: string) => ({
  verify: (variables: { readonly address: string }) => dataOf(ask(url, verifyEmail, variables, key)),
  start: (variables: { readonly input: object }) => dataOf(ask(url, startBulkJob, variables, key)),
  close: () => undefined,
});

export const openPlainFetch: Open = (url, key) => ({
  ...openFetch(url, key),
  watch: (variables) => subscribeByFetch<Watched>(url, bulkJobProgress, variables, key),
  subscribe: (variables) => subscribeByFetch<Results>(url, bulkJobResults, variables, key),
});

export const openEventSource: Open = (url) => ({
  ...openFetch(url),
  watch: (variables) => subscribeByEventSource<Watched>(url, bulkJobProgress, variables, { isOnce: false }),
  subscribe: (variables) => subscribeByEventSource<Results>(url, bulkJobResults, variables, { isOnce: true }),
});
