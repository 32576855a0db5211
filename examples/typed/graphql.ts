import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './introspection.d.ts';

/** Documents in it are typed from the schema by TypeScript itself: no generated code but the introspection. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { ByteCount: number; DateTime: string; Duration: string; File: Blob; URL: string };
}>();
