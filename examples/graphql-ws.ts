import { type Client, createClient } from 'graphql-ws';
import { backOff } from './back-off.ts';

/**
 * By default it waits for seconds, gives up after five attempts, and takes the error that sockets report of a broken
 * connection for final. A key that is no good (4401) is final in any case; one of another origin (4403) by `shouldRetry`.
 */
export const createWebSocketClient = (url: string, key?: string): Client =>
  createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: key === undefined ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 10,
    retryWait: (retries) => backOff(retries),
    shouldRetry: (event) => (event as { readonly code?: number }).code !== 4403,
    keepAlive: 15_000,
  });
