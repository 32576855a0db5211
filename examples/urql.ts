import { Client, fetchExchange } from '@urql/core';

/** Queries, mutations, @defer and subscriptions (as server-sent events), all over fetch. Add `cacheExchange` as you like. */
export const createUrqlClient = (url: string, key?: string): Client =>
  new Client({
    url,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
    preferGetMethod: false,
    fetchOptions: {
      headers: {
        // Without it the gateway takes no files (the header makes browsers ask first).
        'graphql-require-preflight': '1',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
    },
  });
