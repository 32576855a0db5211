/**
 * What a document costs at most and who may ask it, told from its text before anything runs: scalar 0, object 1, a field that asks DNS
 * 2, one that asks SMTP 20, times the sizes of lists. Fields are merged as execution merges them, what @skip and
 * @include leave out is free, and of an abstract type the dearest branch counts. What is remembered, or is asked once
 * for several fields, makes the actual cost lower, never higher.
 *
 * A subscription costs what one of its events costs. Introspection is free here, though all of it takes as long as fifty
 * cached requests: it is for secret keys, and the depth limit of `server` bounds it.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
  type ValueNode,
} from 'graphql';
import { type Access, readFieldAccess, unsaid } from './access.ts';
import { readFieldCost, weights } from './field-cost.ts';
import { largestPage } from './page.ts';
import { refuse } from './refusal.ts';

/**
 * Selections looked at. The largest of our own documents has 120. The runaway: fragments that use each other, a
 * hundred times on each of ten levels, which is a short document and a selection without end.
 */
const mostSelections = 20_000;

/** Deeper than any path of the schema. The runaway: our own stack, in a document that nobody has validated. */
const mostLevels = 50;

const introspection: ReadonlySet<string> = new Set(['__schema', '__type']);

/** What of the selection not everybody may have, and the field that asks for it. */
export type Need = { readonly access: Access; readonly coordinate: string };

export type Price = {
  readonly requested: number;
  /** One for each access that some field wants, the first such field. */
  readonly needs: readonly Need[];
};

/**
 * Of documents whose cost no variable decides, which is most: Yoga hands in the same parsed document each time. Adding
 * up VerifyEmail takes 28 µs, a tenth of a cached request; this takes none.
 */
const constants = new WeakMap<
  DocumentNode,
  { readonly schema: GraphQLSchema; readonly operationName: string | null; readonly price: Price }
>();

/**
 * @param variables as the client sent them; what is of the wrong type counts as one, since execution refuses it
 * @param operationName null when the document has one operation; an operation that is not there costs nothing
 * @throws TOO_COMPLEX when the selection is larger than may be looked at
 */
export const planCost = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  variables: Readonly<Record<string, unknown>>,
): Price => {
  const constant = constants.get(document);
  if (constant?.schema === schema && constant.operationName === operationName) return constant.price;
  const operation = findOperation(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return { requested: 0, needs: [] };
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions)
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  let selectionsLeft = mostSelections;
  let isConstant = true;
  const needs = new Map<Access, Need>();

  const need = (access: Access | null, coordinate: string): void => {
    if (access !== null && !needs.has(access)) needs.set(access, { access, coordinate });
  };

  const note = (type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): void =>
    need(readFieldAccess(field) ?? (type === root ? unsaid : null), `${type.name}.${field.name}`);

  const readValue = (node: ValueNode | undefined): unknown => {
    switch (node?.kind) {
      case Kind.VARIABLE: {
        isConstant = false;
        const name = node.name.value;
        const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
        return given !== undefined
          ? given
          : readValue(
              operation.variableDefinitions?.find((each) => each.variable.name.value === name)?.defaultValue,
            );
      }
      case Kind.INT:
        return Number(node.value);
      case Kind.BOOLEAN:
        return node.value;
      case Kind.LIST:
        return node.values;
      default:
        return undefined;
    }
  };

  /** More than a page is refused by the resolver, which costs nothing. */
  const readSize = (node: FieldNode, argument: string): number => {
    const value = readValue(node.arguments?.find(({ name }) => name.value === argument)?.value);
    const size = Array.isArray(value) ? value.length : Number.isInteger(value) ? (value as number) : 1;
    return Math.min(Math.max(size, 0), largestPage);
  };

  const isLeftOut = ({ directives = [] }: SelectionNode): boolean =>
    directives.some(({ name, arguments: args = [] }) => {
      const condition = readValue(args.find((each) => each.name.value === 'if')?.value);
      return (
        (name.value === 'skip' && condition === true) || (name.value === 'include' && condition === false)
      );
    });

  const applies = (
    condition: FragmentDefinitionNode['typeCondition'] | undefined,
    type: GraphQLObjectType,
  ) => {
    const meant = condition && typeFromAST(schema, condition);
    return (
      condition === undefined || meant === type || (isAbstractType(meant) && schema.isSubType(meant, type))
    );
  };

  /** Fields by the key that they answer under (the specification's CollectFields): a fragment is entered once. */
  const collect = (type: GraphQLObjectType, sets: readonly SelectionSetNode[]) => {
    const byKey = new Map<string, FieldNode[]>();
    const entered = new Set<string>();
    const add = (set: SelectionSetNode, level: number): void => {
      if (level > mostLevels) throw tooComplex();
      for (const selection of set.selections) {
        selectionsLeft -= 1;
        if (selectionsLeft < 0) throw tooComplex();
        if (isLeftOut(selection)) continue;
        if (selection.kind === Kind.FIELD) {
          const key = (selection.alias ?? selection.name).value;
          const known = byKey.get(key);
          if (known) known.push(selection);
          else byKey.set(key, [selection]);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          if (applies(selection.typeCondition, type)) add(selection.selectionSet, level + 1);
        } else if (!entered.has(selection.name.value)) {
          entered.add(selection.name.value);
          const fragment = fragments.get(selection.name.value);
          if (fragment && applies(fragment.typeCondition, type)) add(fragment.selectionSet, level + 1);
        }
      }
    };
    for (const set of sets) add(set, 0);
    return byKey;
  };

  const priceField = (
    field: GraphQLField<unknown, unknown>,
    nodes: readonly [FieldNode, ...FieldNode[]],
    sizeFromParent: number,
    level: number,
  ): number => {
    const { cost, size } = readFieldCost(field);
    const type = getNamedType(field.type);
    const own = cost === undefined ? 0 : weights[cost];
    if (isLeafType(type)) return own;
    const argument = size && 'argument' in size ? readSize(nodes[0], size.argument) : 1;
    const sized = size && 'argument' in size ? size.field : undefined;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const below = priceSelection(type as GraphQLCompositeType, sets, { [sized ?? '']: argument }, level + 1);
    const items =
      size === undefined || sized !== undefined ? sizeFromParent : 'atMost' in size ? size.atMost : argument;
    return cost === undefined ? items * (1 + below) : own + items * below;
  };

  const priceSelection = (
    type: GraphQLCompositeType,
    sets: readonly SelectionSetNode[],
    sizes: Readonly<Record<string, number>>,
    level: number,
  ): number => {
    if (level > mostLevels) throw tooComplex();
    let dearest = 0;
    for (const each of isAbstractType(type) ? schema.getPossibleTypes(type) : [type]) {
      let sum = 0;
      for (const nodes of collect(each, sets).values()) {
        const [first, ...others] = nodes;
        const field = first && each.getFields()[first.name.value];
        if (field) note(each, field);
        else if (first && introspection.has(first.name.value))
          need('secret', `${each.name}.${first.name.value}`);
        if (field) sum += priceField(field, [first, ...others], sizes[field.name] ?? 1, level);
      }
      dearest = Math.max(dearest, sum);
    }
    return dearest;
  };

  const requested = priceSelection(root, [operation.selectionSet], {}, 0);
  const price = { requested, needs: [...needs.values()] };
  if (isConstant) constants.set(document, { schema, operationName, price });
  return price;
};

const findOperation = (document: DocumentNode, name: string | null): OperationDefinitionNode | undefined => {
  const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  return name === null
    ? operations.length === 1
      ? operations[0]
      : undefined
    : operations.find((each) => each.name?.value === name);
};

const tooComplex = () =>
  refuse(
    'TOO_COMPLEX',
    `The document selects more than ${mostSelections} fields, fragments counted where they are used.`,
    {
      limit: mostSelections,
    },
  );
