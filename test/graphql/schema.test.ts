import { readdirSync, readFileSync } from 'node:fs';
import {
  type GraphQLArgument,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { printSchemaText, schema } from '../../src/graphql/index.ts';

type Described = { readonly name: string; readonly description?: string | null | undefined };

/** Every element of the schema that a person may read about, by its path. */
const elements = (): ReadonlyMap<string, Described> => {
  const found = new Map<string, Described>();
  const addArgs = (path: string, args: readonly GraphQLArgument[]) => {
    for (const arg of args) found.set(`${path}(${arg.name}:)`, arg);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    found.set(type.name, type);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        found.set(`${type.name}.${field.name}`, field);
        addArgs(`${type.name}.${field.name}`, field.args);
      }
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) found.set(`${type.name}.${field.name}`, field);
    } else if (isEnumType(type)) {
      for (const value of type.getValues()) found.set(`${type.name}.${value.name}`, value);
    }
  }
  return found;
};

describe('the schema', () => {
  test('schema/schema.graphql is true to the code', () => {
    const written = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
    expect(printSchemaText(), 'run: npm run schema').toBe(written);
  });

  test('every type, field, argument and enum value has a description that is a sentence', () => {
    const all = elements();
    expect(all.size).toBeGreaterThan(200);
    const bare = [...all].filter(([, { description }]) => !/^.{5,}[.?]/s.test(description ?? ''));
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test('every enum tells clients to tolerate new values', () => {
    const enums = Object.values(schema.getTypeMap()).filter(
      (type) => isEnumType(type) && !isIntrospectionType(type),
    );
    expect(enums.length).toBeGreaterThan(10);
    for (const { name, description } of enums) expect(description, name).toMatch(/clients must tolerate/);
  });

  test('whatever a list of errors may hold shares the interface Error', () => {
    const unions = Object.keys(schema.getTypeMap()).filter(
      (name) => name.endsWith('Result') && isUnionType(schema.getType(name)),
    );
    expect(unions.length).toBeGreaterThan(5);
    for (const name of unions) {
      const union = schema.getType(name);
      const members = union && 'getTypes' in union ? union.getTypes() : [];
      for (const member of members)
        if (member.name.endsWith('Error'))
          expect(
            member.getInterfaces().map((each) => each.name),
            member.name,
          ).toContain('Error');
    }
    const shape = schema.getType('Error');
    expect(
      isInterfaceType(shape) &&
        Object.values(shape.getFields())
          .map((f) => `${f.name}: ${f.type}`)
          .toSorted(),
    ).toEqual(['code: ErrorCode!', 'message: String!']);
  });

  test('`first` is required wherever it stands', () => {
    const firsts = [...elements()].filter(([path]) => path.endsWith('(first:)'));
    expect(firsts.length).toBeGreaterThan(3);
    for (const [path, element] of firsts)
      expect(String((element as GraphQLArgument).type), path).toBe('Int!');
  });

  const operations = new URL('../../schema/operations/', import.meta.url);
  test.each(readdirSync(operations))('%s is valid', (file) => {
    expect(validate(schema, parse(readFileSync(new URL(file, operations), 'utf8')))).toEqual([]);
  });
});
