import { GraphQLError } from 'graphql';

/**
 * Codes of faults that are the caller's, found while a field is resolved. They stand in `extensions.code`;
 * faults of the request itself (syntax, validation, size) are coded by `server`.
 */
export type RefusalCode =
  | 'BAD_ID'
  | 'BAD_CURSOR'
  | 'BAD_PAGE_SIZE'
  | 'BAD_DOMAIN'
  | 'BAD_INPUT'
  | 'BAD_REPRESENTATION'
  | 'NOT_FOUND'
  | 'TOO_COMPLEX'
  | 'TOO_MANY_ADDRESSES'
  | 'TOO_MANY_EXCHANGES'
  | 'TOO_MANY_IDS';

/** A caller fault as GraphQL reports it: one sentence, a code, and what a program needs to correct itself. */
export const refuse = (
  code: RefusalCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, ...details } });

/** @throws BAD_INPUT when a text is there and empty or too long */
export const checkLength = (argument: string, text: string | null, most: number): void => {
  if (text !== null && (text.length > most || text.length === 0))
    throw refuse('BAD_INPUT', `${argument} must have 1 to ${most} characters, got ${text.length}.`, {
      argument,
      limit: most,
    });
};
