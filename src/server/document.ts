import { GraphQLError, parse } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import type { Account } from './account.ts';
import { findExcess } from './document-limits.ts';
import type { RequestFaultCode } from './fault.ts';
import { mostTokens } from './limits.ts';
import { type PersistedOperations, resolvePersisted } from './persisted.ts';

export type DocumentOptions = {
  /** Null: there are none. */
  readonly persistedOperations: PersistedOperations | null;
  /** Does nothing run but those? */
  readonly isPersistedOnly: boolean;
  readonly isIntrospectionOn: boolean;
};

/**
 * From what a client sent to a document that may run, on every transport: looked up when it was only named, refused by
 * its tokens while it is read, by its measures before GraphQL's own rules look at it.
 */
export const createDocuments = (
  options: DocumentOptions,
): {
  readonly plugin: Plugin;
  /** What the plugin does with parameters, for a transport that Yoga does not read. */
  resolveParams<Params extends GraphQLParams>(params: Params, account: Account | undefined): Params;
} => {
  const resolveParams = <Params extends GraphQLParams>(
    params: Params,
    account: Account | undefined,
  ): Params =>
    resolvePersisted(params, {
      operations: options.persistedOperations,
      isPersistedOnly: options.isPersistedOnly || account?.key?.isPersistedOnly === true,
    });
  return {
    resolveParams,
    plugin: {
      onParams: ({ params, setParams, context }) => {
        if (typeof params !== 'object' || params === null) return;
        const resolved = resolveParams(params, (context as { readonly account?: Account }).account);
        if (resolved !== params) setParams(resolved);
      },
      onParse: ({ setParseFn }) => setParseFn(boundedParse),
      onValidate: ({ validateFn, setValidationFn }) => {
        const validateWithin: typeof validateFn = (schema, document, ...rest) => {
          const excess = findExcess(schema, document, options);
          return excess.length > 0 ? excess : validateFn(schema, document, ...rest).map(wordAbortion);
        };
        setValidationFn(validateWithin);
      },
    },
  };
};

/** Graphql-js compares fields of the same name with each other, half a million times at most, and then says only this. */
const wordAbortion = (error: GraphQLError): GraphQLError =>
  error.message === 'Validation aborted.'
    ? new GraphQLError('The document repeats so many fields that comparing them would take too long.', {
        extensions: { code: 'TOO_COMPLEX' satisfies RequestFaultCode },
      })
    : error;

/** Graphql-js says it in words alone. */
const isTokenLimit = ({ message }: GraphQLError): boolean => /more tha[nt] \d+ tokens/.test(message);

const boundedParse: typeof parse = (source, options) => {
  try {
    return parse(source, { ...options, maxTokens: mostTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (isTokenLimit(error))
      Object.assign(error.extensions, {
        code: 'TOO_MANY_TOKENS' satisfies RequestFaultCode,
        limit: mostTokens,
      });
    error.extensions.code ??= 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
};
