/**
 * rcpt as a subgraph of Apollo Federation 2, so that a company's `User.email` can select `verification`: behind
 * RCPT_FEDERATION, beside the plain contract and never in it. Written here, since @pothos/plugin-federation and
 * @apollo/subgraph insist on graphql 16.
 *
 * `Email` is an entity by its `address`. Nothing is looked up for a representation but what the gateway selects of it.
 * `Query.node` and `nodes` are no part of the subgraph: a gateway cannot tell whose id it holds, and two subgraphs that
 * both have the field do not compose. Not shown either: `@oneOf`, which composition does not know; it is still checked.
 *
 * Limits: 100 representations a request, as many as `emails` takes.
 */

import {
  type ASTNode,
  type ConstDirectiveNode,
  type GraphQLError,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  Kind,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  visit,
} from 'graphql';
import type { ParsedAddress } from '../address/index.ts';
import { grantedTo } from './access.ts';
import { readEmail } from './email.ts';
import { sizedBy } from './field-cost.ts';
import { largestPage } from './page.ts';
import { refuse } from './refusal.ts';

/** What a subgraph says first: which version of the rules, and which words of them it uses. */
const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])';

/** Types with the directive that the gateway must see on them. `PageInfo` is every subgraph's that has connections. */
const directives: Readonly<Record<string, string>> = {
  Email: '@key(fields: "address")',
  PageInfo: '@shareable',
};

const incremental: ReadonlySet<string> = new Set(['defer', 'stream']);

const hiddenQueryFields: ReadonlySet<string> = new Set(['node', 'nodes']);

const readDirective = (text: string): readonly ConstDirectiveNode[] => {
  const [definition] = parse(`scalar X ${text}`).definitions;
  return definition?.kind === Kind.SCALAR_TYPE_DEFINITION ? (definition.directives ?? []) : [];
};

/** The text that `_service.sdl` gives: the plain contract with what composition must know of it. */
const printSubgraphText = (plain: GraphQLSchema): string => {
  const document = visit(parse(printSchema(lexicographicSortSchema(plain)), { noLocation: true }), {
    ObjectTypeDefinition: (node): ASTNode | undefined => {
      if (node.name.value === 'Query')
        return {
          ...node,
          fields: node.fields?.filter(({ name }) => !hiddenQueryFields.has(name.value)) ?? [],
        };
      const directive = directives[node.name.value];
      return directive === undefined ? undefined : { ...node, directives: readDirective(directive) };
    },
    InputObjectTypeDefinition: (node): ASTNode => ({ ...node, directives: [] }),
    // What is deferred and streamed is the gateway's affair.
    DirectiveDefinition: ({ name }): null | undefined => (incremental.has(name.value) ? null : undefined),
  });
  return `${link}\n\n${print(document)}\n`;
};

const badRepresentation = (message: string): GraphQLError => refuse('BAD_REPRESENTATION', message);

/** A fault is a value here: it fails the place of its representation and no other. */
const readRepresentation = (representation: unknown): ParsedAddress | GraphQLError => {
  const { __typename: typename, address } = Object(representation) as Record<string, unknown>;
  if (typeof typename !== 'string')
    return badRepresentation('A representation is an object with __typename and the key of the entity.');
  if (typename !== 'Email')
    return badRepresentation(`There is no entity ${typename.slice(0, 100)} in this subgraph, only Email.`);
  return typeof address === 'string'
    ? readEmail(address)
    : badRepresentation('The key of Email is `address`, a String.');
};

const AnyType = new GraphQLScalarType({
  name: '_Any',
  description: 'A representation: an object with `__typename` and the key of that entity.',
});

const ServiceType = new GraphQLObjectType({
  name: '_Service',
  description: 'This subgraph, for composition.',
  fields: {
    sdl: {
      type: new GraphQLNonNull(GraphQLString),
      description: 'Its schema with the directives of Federation 2.',
    },
  },
});

/** The same schema with `_service` and `_entities`. */
export const federateSchema = (plain: GraphQLSchema): GraphQLSchema => {
  const sdl = printSubgraphText(plain);
  const config = plain.toConfig();
  const email = plain.getType('Email');
  if (!(config.query && email instanceof GraphQLObjectType)) throw new Error('there is no Query or no Email');
  const EntityType = new GraphQLUnionType({
    name: '_Entity',
    description: 'What other subgraphs may refer to by its key.',
    types: [email],
    resolveType: () => email.name,
  });
  const root = config.query.toConfig();
  const query = new GraphQLObjectType({
    ...root,
    fields: {
      ...root.fields,
      _service: {
        type: new GraphQLNonNull(ServiceType),
        description: 'This subgraph, for composition.',
        extensions: grantedTo('verify'),
        resolve: () => ({ sdl }),
      },
      _entities: {
        type: new GraphQLNonNull(new GraphQLList(EntityType)),
        description: `The entities with these keys, in the same order; null with an error where a representation is none.`,
        extensions: { ...sizedBy('representations'), ...grantedTo('verify') },
        args: {
          representations: {
            type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(AnyType))),
            description: `The representations, at most ${largestPage}.`,
          },
        },
        resolve: (_root, { representations }: { representations: readonly unknown[] }) => {
          if (representations.length > largestPage)
            throw refuse(
              'TOO_MANY_ADDRESSES',
              `_entities takes at most ${largestPage} representations, got ${representations.length}: select a page of them.`,
              { argument: 'representations', limit: largestPage },
            );
          return representations.map(readRepresentation);
        },
      },
    },
  });
  return new GraphQLSchema({
    ...config,
    query,
    types: config.types.filter(({ name }) => name !== root.name),
  });
};
