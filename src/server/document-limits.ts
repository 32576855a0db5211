/**
 * What a document may ask at most, whoever asks: one validation rule for each ceiling, each with its own code. They look
 * at operations with their fragments unfolded, but unfold nothing: a fragment is measured once and its measure is
 * added wherever it is spread, so that a document of a million fields is refused in the time of its text.
 *
 * They run before the rules of GraphQL, some of which compare every field with every other.
 */
import {
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
  validate,
} from 'graphql';
import type { RequestFaultCode } from './fault.ts';
import { mostAliases, mostDepth, mostDirectives, mostFields, mostRootFields } from './limits.ts';

type Measure = {
  /** Levels of fields below. */
  readonly depth: number;
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields of the selection itself, not of what they select. */
  readonly rootFields: number;
};

const nothing: Measure = { depth: 0, fields: 0, aliases: 0, directives: 0, rootFields: 0 };

const beside = (a: Measure, b: Measure): Measure => ({
  depth: Math.max(a.depth, b.depth),
  fields: a.fields + b.fields,
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
  rootFields: a.rootFields + b.rootFields,
});

type Measures = (operation: OperationDefinitionNode) => Measure;

/** Sums stay numbers, however far doubling goes: 2,000 tokens double to 2^300 at most, and a number holds 2^1023. */
const measureDocument = (document: DocumentNode): Measures => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const measured = new Map<string, Measure>();

  const ofFragment = (name: string): Measure => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    // A circle adds nothing here: GraphQL's own rules refuse it.
    measured.set(name, nothing);
    const fragment = fragments.get(name);
    const measure = fragment === undefined ? nothing : ofSelections(fragment.selectionSet);
    measured.set(name, measure);
    return measure;
  };

  const ofSelections = ({ selections }: SelectionSetNode): Measure => {
    let sum = nothing;
    for (const selection of selections) {
      const directives = selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        const below = selection.selectionSet === undefined ? nothing : ofSelections(selection.selectionSet);
        sum = beside(sum, {
          depth: below.depth + 1,
          fields: below.fields + 1,
          aliases: below.aliases + (selection.alias === undefined ? 0 : 1),
          directives: below.directives + directives,
          rootFields: 1,
        });
      } else {
        const inner =
          selection.kind === Kind.FRAGMENT_SPREAD
            ? ofFragment(selection.name.value)
            : ofSelections(selection.selectionSet);
        sum = beside(sum, { ...inner, directives: inner.directives + directives });
      }
    }
    return sum;
  };
  return ({ selectionSet, directives = [] }) => {
    const measure = ofSelections(selectionSet);
    return { ...measure, directives: measure.directives + directives.length };
  };
};

/** All rules of one validation share the measure of the document. */
const measures = new WeakMap<DocumentNode, Measures>();
const measuresOf = (document: DocumentNode): Measures => {
  let known = measures.get(document);
  if (known === undefined) {
    known = measureDocument(document);
    measures.set(document, known);
  }
  return known;
};

const ceiling =
  (name: keyof Measure, limit: number, code: RequestFaultCode, what: string): ValidationRule =>
  (context: ValidationContext): ASTVisitor => ({
    OperationDefinition: (operation) => {
      const measure = measuresOf(context.getDocument())(operation)[name];
      if (measure > limit)
        context.reportError(
          new GraphQLError(`An operation may have ${limit} ${what}, and this one has ${print(measure)}.`, {
            nodes: operation,
            extensions: { code, limit },
          }),
        );
      return false;
    },
  });

const print = (measure: number): string => (measure > 1_000_000 ? 'more than a million' : String(measure));

const MaxDepthRule = ceiling('depth', mostDepth, 'TOO_DEEP', 'levels of fields');
const MaxFieldsRule = ceiling('fields', mostFields, 'TOO_MANY_FIELDS', 'fields');
const MaxAliasesRule = ceiling('aliases', mostAliases, 'TOO_MANY_ALIASES', 'aliases');
const MaxRootFieldsRule = ceiling('rootFields', mostRootFields, 'TOO_MANY_ROOT_FIELDS', 'root fields');
const MaxDirectivesRule = ceiling('directives', mostDirectives, 'TOO_MANY_DIRECTIVES', 'directives');

const limitRules = [MaxDepthRule, MaxFieldsRule, MaxAliasesRule, MaxRootFieldsRule, MaxDirectivesRule];

const NoIntrospectionRule: ValidationRule = (context) => ({
  Field: (field) => {
    if (field.name.value !== '__schema' && field.name.value !== '__type') return undefined;
    context.reportError(
      new GraphQLError('Introspection is switched off here: the schema is in the documentation.', {
        nodes: field,
        extensions: { code: 'INTROSPECTION_OFF' satisfies RequestFaultCode },
      }),
    );
    return false;
  },
});

/** The faults of a document against our ceilings; empty when it keeps them. */
export const findExcess = (
  schema: GraphQLSchema,
  document: DocumentNode,
  { isIntrospectionOn }: { readonly isIntrospectionOn: boolean },
): readonly GraphQLError[] =>
  validate(schema, document, isIntrospectionOn ? limitRules : [...limitRules, NoIntrospectionRule]);
