import { type Client, createClient } from 'graphql-ws';
import { backOff } from './back-off.ts';

/**
 * By default it waits for seconds, gives up after five attempts, and takes the error that some sockets report of a broken
 * connection for final. What the gateway refuses (4400 to 4499) is final here too.
 */
export const createWebSocketClient = (url: string, key?: string): Client =>
  createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: key === undefined ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 10,
    retryWait: backOff,
    shouldRetry: () => true,
    keepAlive: 15_000,
  });
