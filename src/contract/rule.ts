import type { GraphQLSchema } from 'graphql';
import { type Element, elementsOf } from './elements.ts';

/** One thing that every element of the schema keeps to. */
export type Rule = {
  readonly name: string;
  /** What it asks for, and why when that is not plain. */
  readonly about: string;
  /** Null, or what is wrong with the element. */
  readonly check: (element: Element, schema: GraphQLSchema) => string | null;
  /** Paths that need not keep to it, with the reason. */
  readonly except?: Readonly<Record<string, string>>;
  /** A schema that keeps to it. */
  readonly good: string;
  /** Schemas that do not, each with the path of the fault. */
  readonly bad: readonly (readonly [sdl: string, path: string])[];
};

export type Fault = { readonly rule: string; readonly path: string; readonly message: string };

/** Every fault by every rule; an exception that nothing needs any more is one too. */
export const checkRules = (schema: GraphQLSchema, rules: readonly Rule[]): readonly Fault[] => {
  const elements = elementsOf(schema);
  return rules.flatMap(({ name, check, except = {} }) => {
    const found = elements.flatMap((element) => {
      const message = check(element, schema);
      return message === null ? [] : [{ rule: name, path: element.path, message }];
    });
    const needless = Object.keys(except).filter((path) => !found.some((fault) => fault.path === path));
    return [
      ...found.filter(({ path }) => !Object.hasOwn(except, path)),
      ...needless.map((path) => ({ rule: name, path, message: 'is an exception that nothing needs' })),
    ];
  });
};
