import { type Client, createClient } from 'graphql-sse';
import { backOff } from './back-off.ts';
import { Refusal } from './resubscribe.ts';

/**
 * In its "distinct connections mode", a request for each subscription; the gateway has no other. By itself it would also
 * ask again for what was refused with a status of 400 or more.
 */
export const createSseClient = (url: string, key?: string): Client => {
  let refusal: Refusal | null = null;
  return createClient({
    url,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 10,
    retry: async (retries) => {
      if (refusal !== null) throw refusal;
      await backOff(retries);
    },
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init);
      const isRefused = response.status >= 400 && response.status < 500 && response.status !== 429;
      refusal = isRefused ? new Refusal((await response.clone().json()).errors[0]) : null;
      return response;
    },
  });
};
