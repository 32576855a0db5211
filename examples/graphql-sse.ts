import { type Client, createClient } from 'graphql-sse';
import { backOff } from './back-off.ts';

/** In its "distinct connections mode", a request for each subscription; the gateway has no other. */
export const createSseClient = (url: string, key?: string): Client =>
  createClient({
    url,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 10,
    retry: backOff,
  });
