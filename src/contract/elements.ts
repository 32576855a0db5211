import {
  type GraphQLArgument,
  GraphQLDeferDirective,
  type GraphQLDirective,
  type GraphQLEnumType,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLStreamDirective,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
} from 'graphql';

/** The library's own, with its words; graphql 17 does not count them among the specified ones yet. */
const incremental: ReadonlySet<string> = new Set([GraphQLDeferDirective.name, GraphQLStreamDirective.name]);

type Named<Kind extends string, Thing> = {
  readonly kind: Kind;
  /** `Type.field(argument:)`, `Enum.VALUE`, `@directive(argument:)`: as GraphQL's schema coordinates are written. */
  readonly path: string;
  readonly it: Thing;
};

/** Everything of a schema that has a name, but for what the specification itself defines. */
export type Element =
  | Named<'type', GraphQLNamedType>
  | (Named<'field', GraphQLField<unknown, unknown>> & {
      readonly parent: GraphQLObjectType | GraphQLInterfaceType;
    })
  | Named<'argument', GraphQLArgument>
  | (Named<'enumValue', GraphQLEnumValue> & { readonly parent: GraphQLEnumType })
  | (Named<'inputField', GraphQLInputField> & { readonly parent: GraphQLInputObjectType })
  | Named<'directive', GraphQLDirective>;

export const elementsOf = (schema: GraphQLSchema): readonly Element[] => [
  ...Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type): Element[] => [{ kind: 'type', path: type.name, it: type }, ...partsOf(type)]),
  ...schema
    .getDirectives()
    .filter((directive) => !isSpecifiedDirective(directive) && !incremental.has(directive.name))
    .flatMap((directive): Element[] => [
      { kind: 'directive', path: `@${directive.name}`, it: directive },
      ...argumentsOf(`@${directive.name}`, directive.args),
    ]),
];

const partsOf = (type: GraphQLNamedType): readonly Element[] => {
  if (isObjectType(type) || isInterfaceType(type))
    return Object.values(type.getFields()).flatMap((field): Element[] => {
      const path = `${type.name}.${field.name}`;
      return [{ kind: 'field', path, it: field, parent: type }, ...argumentsOf(path, field.args)];
    });
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map((field) => ({
      kind: 'inputField',
      path: `${type.name}.${field.name}`,
      it: field,
      parent: type,
    }));
  if (isEnumType(type))
    return type.getValues().map((value) => ({
      kind: 'enumValue',
      path: `${type.name}.${value.name}`,
      it: value,
      parent: type,
    }));
  return [];
};

const argumentsOf = (path: string, args: readonly GraphQLArgument[]): readonly Element[] =>
  args.map((arg) => ({ kind: 'argument', path: `${path}(${arg.name}:)`, it: arg }));

/** Is what it says a sentence? Two letters and a full stop describe nothing. */
export const isDescribed = ({ it }: Element): boolean => /^.{5,}[.?]/s.test(it.description ?? '');
