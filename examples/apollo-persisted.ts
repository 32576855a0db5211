import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { possibleTypes } from './apollo-possible-types.ts';

/**
 * Sends the hash of a document, and the document when the gateway does not keep it. What to keep (RCPT_PERSISTED_OPERATIONS)
 * writes `npx generate-persisted-query-manifest`: the link hashes documents with the `__typename` that the cache adds.
 */
export const createApolloPersistedClient = (url: string, fetchFunction: typeof fetch = fetch): ApolloClient =>
  new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') }),
      new HttpLink({ uri: url, fetch: fetchFunction }),
    ]),
  });
