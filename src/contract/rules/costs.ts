/**
 * What fields declare that they cost, in `extensions`; in the samples by `@asks(what: "dns")` and `@sized`, which is by
 * `first`.
 */
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { readFieldCost } from '../../graphql/index.ts';
import type { Rule } from '../rule.ts';

/** Fields of whatever a value of the type can be. */
const fieldsOf = (type: GraphQLNamedType, schema: GraphQLSchema) =>
  (isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : []).flatMap((each) =>
    Object.values(each.getFields()),
  );

/** Can anything below the type ask the network? */
const canAsk = (type: GraphQLNamedType, schema: GraphQLSchema, seen = new Set<string>()): boolean => {
  if (seen.has(type.name)) return false;
  seen.add(type.name);
  return fieldsOf(type, schema).some(
    (field) => readFieldCost(field).cost !== undefined || canAsk(getNamedType(field.type), schema, seen),
  );
};

const isList = (type: GraphQLOutputType): boolean => isListType(isNonNullType(type) ? type.ofType : type);

/** Has it a size by what it declares, or by what a field declares that gives its parent? */
const hasSize = (
  field: GraphQLField<unknown, unknown>,
  parent: GraphQLNamedType,
  schema: GraphQLSchema,
): boolean =>
  readFieldCost(field).size !== undefined ||
  Object.values(schema.getTypeMap())
    .flatMap((type) => fieldsOf(type, schema))
    .filter(({ type }) => getNamedType(type) === parent)
    .map((giver) => readFieldCost(giver).size)
    .some((size) => size !== undefined && 'field' in size && size.field === field.name);

export const costs: readonly Rule[] = [
  {
    name: 'network-is-nullable',
    about:
      'What has to be asked on the network is nullable, so that a failure costs one field and not its parents.',
    check: (element) =>
      element.kind === 'field' &&
      readFieldCost(element.it).cost !== undefined &&
      isNonNullType(element.it.type)
        ? 'asks the network and is not nullable'
        : null,
    except: {
      'Subscription.watchVerification': 'a stream fails as a whole; what its events hold is nullable',
    },
    good: 'type A { a: Int @asks(what: "dns") b: Int! }',
    bad: [
      ['type A { a: Int! @asks(what: "dns") }', 'A.a'],
      ['type A { a: [Int!]! @asks(what: "smtp") }', 'A.a'],
    ],
  },
  {
    name: 'network-is-said',
    about: 'A field that asks the network says that it costs, and one that says so declares it.',
    check: (element) => {
      if (element.kind !== 'field') return null;
      const { cost } = readFieldCost(element.it);
      const text = element.it.description ?? '';
      if (cost !== undefined && !/\bcosts\b/i.test(text))
        return `asks ${cost} and does not say what it costs`;
      return cost === undefined && /\bcosts (?:DNS|SMTP|one SMTP)/i.test(text)
        ? 'says that it costs and declares nothing'
        : null;
    },
    good: 'type A { "Costs DNS." a: Int @asks(what: "dns") "Costs nothing." b: Int "Costs a count." c: Int }',
    bad: [
      ['type A { "A." a: Int @asks(what: "dns") }', 'A.a'],
      ['type A { "Costs DNS." a: Int }', 'A.a'],
      ['type A { "Costs one SMTP session." a: Int }', 'A.a'],
    ],
  },
  {
    name: 'first-is-counted',
    about: 'What takes `first` declares that it is as long as that, since its items cost.',
    check: (element) => {
      if (element.kind !== 'field' || !element.it.args.some(({ name }) => name === 'first')) return null;
      const { size } = readFieldCost(element.it);
      return size && 'argument' in size && size.argument === 'first'
        ? null
        : 'takes first and does not declare that it is counted';
    },
    good: 'type A { a(first: Int!): [B!] @sized } type B { a: Int }',
    bad: [['type A { a(first: Int!): [B!] } type B { a: Int }', 'A.a']],
  },
  {
    name: 'asking-lists-have-sizes',
    about: 'A list whose items can ask the network declares how long it is, since each item costs.',
    check: (element, schema) =>
      element.kind === 'field' &&
      isList(element.it.type) &&
      canAsk(getNamedType(element.it.type), schema) &&
      !hasSize(element.it, element.parent, schema)
        ? 'is a list without a declared size, and its items can ask the network'
        : null,
    good: `type A { a: [B!] @sized b: [D!] page: AConnection @sized(field: "edges") } type AConnection { edges: [B!]! }
      type B { c: C } type C { d: Int @asks(what: "dns") } type D { e: Int }`,
    bad: [
      ['type A { a: [B!] } type B { c: C } type C { d: Int @asks(what: "dns") }', 'A.a'],
      ['type A { a: [U!]! } union U = B type B { d: Int @asks(what: "dns") }', 'A.a'],
      [
        'type A { a: [I!]! } interface I { c: Int } type B implements I { c: Int d: Int @asks(what: "smtp") }',
        'A.a',
      ],
      [
        'type A { a: AConnection } type AConnection { edges: [B!]! } type B { d: Int @asks(what: "dns") }',
        'AConnection.edges',
      ],
    ],
  },
];
