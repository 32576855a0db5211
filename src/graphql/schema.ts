import {
  GraphQLDeferDirective,
  type GraphQLSchema,
  GraphQLStreamDirective,
  lexicographicSortSchema,
  printSchema,
  specifiedDirectives,
} from 'graphql';
import { builder } from './builder.ts';
import './scalars.ts';
import './gateway.ts';
import './email.ts';
import './domain.ts';
import './domain-policy.ts';
import './mail-exchange.ts';
import './bulk-job.ts';
import './bulk-result.ts';
import './start-bulk-job.ts';
import './bulk-job-webhook.ts';
import './control-bulk-job.ts';
import './create-upload.ts';
import './rate-limit.ts';
import './storage.ts';
import './upload.ts';
import './watch-bulk-job.ts';
import './watch-bulk-results.ts';
import './watch-verification.ts';

/** The public contract. Built once: it holds no state, everything it needs comes with the context. */
export const schema: GraphQLSchema = builder.toSchema({
  directives: [...specifiedDirectives, GraphQLDeferDirective, GraphQLStreamDirective],
});

/** The text of `schema/schema.graphql`: sorted, so that a difference is a change and never a move. */
export const printSchemaText = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
