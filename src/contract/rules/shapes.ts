/** What fields and arguments hold. */
import {
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isListType,
  isNonNullType,
  isNullableType,
} from 'graphql';
import type { Element } from '../elements.ts';
import type { Rule } from '../rule.ts';

/** The type of what holds a value; undefined for what does not. */
const typeOf = (element: Element): GraphQLInputType | GraphQLOutputType | undefined =>
  element.kind === 'field' || element.kind === 'argument' || element.kind === 'inputField'
    ? element.it.type
    : undefined;

const hasNullItems = (type: GraphQLInputType | GraphQLOutputType): boolean => {
  if (isNonNullType(type)) return hasNullItems(type.ofType);
  return isListType(type) && (isNullableType(type.ofType) || hasNullItems(type.ofType));
};

export const shapes: readonly Rule[] = [
  {
    name: 'ids',
    about:
      'What is called id, …Id or ids has the type ID and is always there; in a @oneOf it may be left out.',
    check: (element) => {
      const type = typeOf(element);
      if (!type || !/^ids?$|Ids?$/.test(element.it.name)) return null;
      if (getNamedType(type).name !== 'ID') return `is of type ${type}, not ID`;
      const isOneOf = element.kind === 'inputField' && element.parent.isOneOf;
      return isOneOf || isNonNullType(type) ? null : 'may be null';
    },
    except: {
      'MtaStsPolicy.id': "the policy's own version (RFC 8461 §3.1), no id of ours",
      'WebhookDelivery.webhookId': 'the header webhook-id as it is sent (Standard Webhooks), no id of ours',
    },
    good: 'type A { id: ID! of(ids: [ID!]!): Int idle: Int } input AInput @oneOf { uploadId: ID }',
    bad: [
      ['type A { id: String! }', 'A.id'],
      ['type A { id: ID }', 'A.id'],
      ['type A { of(jobId: ID): Int }', 'A.of(jobId:)'],
      ['input AInput { uploadId: ID }', 'AInput.uploadId'],
      ['input AInput @oneOf { uploadId: String }', 'AInput.uploadId'],
    ],
  },
  {
    name: 'list-items',
    about: 'Items of a list are never null: a list that has gaps says so as an exception.',
    check: (element) => {
      const type = typeOf(element);
      return type && hasNullItems(type) ? 'is a list whose items may be null' : null;
    },
    except: { 'Query.nodes': 'null where there is no object with the id, in the order of the ids (Relay)' },
    good: 'type A { a(b: [Int!]): [[Int!]!]! }',
    bad: [
      ['type A { a: [Int]! }', 'A.a'],
      ['type A { a: [[Int!]]! }', 'A.a'],
      ['type A { a(b: [Int]): Int }', 'A.a(b:)'],
      ['input AInput { a: [Int]! }', 'AInput.a'],
    ],
  },
];
