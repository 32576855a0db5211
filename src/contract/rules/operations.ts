/** What mutations, lists and subscriptions look like. */
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { Element } from '../elements.ts';
import type { Rule } from '../rule.ts';

const isOf = (element: Element, root: GraphQLNamedType | null | undefined) =>
  element.kind === 'field' && element.parent === root;

const isError = (type: GraphQLNamedType, schema: GraphQLSchema): boolean => {
  const error = schema.getType('Error');
  return isObjectType(type) && isInterfaceType(error) && schema.isSubType(error, type);
};

/** The fields of a type as text, `name: Type`. */
const shapeOf = (type: GraphQLNamedType): readonly string[] =>
  isObjectType(type) || isInterfaceType(type)
    ? Object.values(type.getFields()).map(({ name, type }) => `${name}: ${type}`)
    : [];

const error = 'interface Error { message: String! code: Int! }';

export const operations: readonly Rule[] = [
  {
    name: 'mutation-result',
    about: 'A mutation gives a union by its own name and Result, of what it did and at least one error.',
    check: (element, schema) => {
      if (element.kind !== 'field' || !isOf(element, schema.getMutationType())) return null;
      const { name, type } = element.it;
      const union = getNamedType(type);
      if (!isNonNullType(type)) return 'may be null';
      if (!isUnionType(union)) return `gives ${union}, which is no union`;
      if (union.name.toLowerCase() !== `${name}Result`.toLowerCase())
        return `gives ${union}, not its own Result`;
      const errors = union.getTypes().filter((each) => isError(each, schema));
      if (errors.length === 0) return 'gives a union without an error';
      return errors.length === union.getTypes().length ? 'gives nothing but errors' : null;
    },
    good: `type Mutation { doIt: DoItResult! } union DoItResult = A | BError type A { a: Int }
      ${error} type BError implements Error { message: String! code: Int! }`,
    bad: [
      ['type Mutation { doIt: Int! }', 'Mutation.doIt'],
      ['type Mutation { doIt: DoItResult! } union DoItResult = A type A { a: Int }', 'Mutation.doIt'],
      [
        `type Mutation { doIt: DoItResult } union DoItResult = A | BError type A { a: Int } ${error}
        type BError implements Error { message: String! code: Int! }`,
        'Mutation.doIt',
      ],
      [
        `type Mutation { doIt: OtherResult! } union OtherResult = A | BError type A { a: Int } ${error}
        type BError implements Error { message: String! code: Int! }`,
        'Mutation.doIt',
      ],
      [
        `type Mutation { doIt: DoItResult! } union DoItResult = BError ${error}
        type BError implements Error { message: String! code: Int! }`,
        'Mutation.doIt',
      ],
    ],
  },
  {
    name: 'mutation-argument',
    about: 'A mutation takes one argument: `input`, or the `id` of what it is about.',
    check: (element, schema) => {
      if (element.kind !== 'field' || !isOf(element, schema.getMutationType())) return null;
      const args = element.it.args.map(({ name, type }) => `${name}: ${type}`);
      return args.length === 1 && /^(?:input: \w+Input!|id: ID!)$/.test(args[0] ?? '')
        ? null
        : `takes (${args.join(', ')})`;
    },
    good: 'type Mutation { a(input: AInput!): Int b(id: ID!): Int } input AInput { a: Int }',
    bad: [
      ['type Mutation { a: Int }', 'Mutation.a'],
      ['type Mutation { a(name: String!): Int }', 'Mutation.a'],
      ['type Mutation { a(input: AInput): Int } input AInput { a: Int }', 'Mutation.a'],
      ['type Mutation { a(id: ID!, force: Int): Int }', 'Mutation.a'],
    ],
  },
  {
    name: 'error-types',
    about: 'A type ends in Error when it implements the interface Error, and not else.',
    check: (element, schema) => {
      if (element.kind !== 'type' || !isObjectType(element.it)) return null;
      const { name } = element.it;
      return name.endsWith('Error') === isError(element.it, schema)
        ? null
        : 'ends in Error without being one, or is one without saying so';
    },
    good: `${error} type BError implements Error { message: String! code: Int! } type A { a: Int }`,
    bad: [
      [`${error} type BError { message: String! }`, 'BError'],
      [`${error} type B implements Error { message: String! code: Int! }`, 'B'],
    ],
  },
  {
    name: 'connections',
    about: 'What gives a connection takes `first: Int!` and `after: String`.',
    check: (element) => {
      if (element.kind !== 'field' || !getNamedType(element.it.type).name.endsWith('Connection')) return null;
      const args = element.it.args.map(({ name, type }) => `${name}: ${type}`);
      const missing = ['first: Int!', 'after: String'].filter((each) => !args.includes(each));
      return missing.length === 0 ? null : `gives a connection and does not take ${missing.join(' and ')}`;
    },
    good: 'type A { b(first: Int!, after: String, search: String): BConnection } type BConnection { edges: [Int!]! }',
    bad: [
      ['type A { b: BConnection } type BConnection { a: Int }', 'A.b'],
      ['type A { b(first: Int, after: String): BConnection } type BConnection { a: Int }', 'A.b'],
      ['type A { b(first: Int!): BConnection } type BConnection { a: Int }', 'A.b'],
    ],
  },
  {
    name: 'connection-types',
    about: 'A connection has edges and pageInfo, an edge has a cursor and a node (Relay).',
    check: (element) => {
      if (element.kind !== 'type') return null;
      const { name } = element.it;
      const shape = shapeOf(element.it);
      const wanted = name.endsWith('Connection')
        ? [`edges: [${name.replace(/Connection$/, 'Edge')}!]!`, 'pageInfo: PageInfo!']
        : name.endsWith('Edge')
          ? ['cursor: String!', `node: ${name.replace(/Edge$/, '')}!`]
          : [];
      const missing = wanted.filter((each) => !shape.includes(each));
      return missing.length === 0 ? null : `has no ${missing.join(' and no ')}`;
    },
    good: `type BConnection { edges: [BEdge!]! pageInfo: PageInfo! totalCount: Int! } type PageInfo { a: Int }
      type BEdge { cursor: String! node: B! } type B { a: Int }`,
    bad: [
      [
        'type BConnection { edges: [BEdge!]! } type BEdge { cursor: String! node: B! } type B { a: Int }',
        'BConnection',
      ],
      ['type BEdge { node: B! } type B { a: Int }', 'BEdge'],
      ['type BEdge { cursor: String! node: B } type B { a: Int }', 'BEdge'],
    ],
  },
  {
    name: 'first',
    about:
      '`first` is a required Int wherever it stands, so that nobody asks for everything by saying nothing.',
    check: ({ kind, it }) =>
      kind === 'argument' && it.name === 'first' && String(it.type) !== 'Int!'
        ? `is ${it.type}, not Int!`
        : null,
    good: 'type A { a(first: Int!): Int }',
    bad: [
      ['type A { a(first: Int): Int }', 'A.a(first:)'],
      ['type A { a(first: Int! = 10, after: Int): Int b(first: String!): Int }', 'A.b(first:)'],
    ],
  },
];
