import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

/**
 * Sends the hash of a document, and the document when the gateway does not keep it (RCPT_PERSISTED_OPERATIONS). Kept is what
 * the link prints: documents as graphql-js prints them, without comments. In a browser hash with `crypto.subtle`.
 */
export const createApolloPersistedClient = (url: string, fetchFunction: typeof fetch = fetch): ApolloClient =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') }),
      new HttpLink({ uri: url, fetch: fetchFunction }),
    ]),
  });
