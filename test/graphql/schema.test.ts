/** What the schema is; what it must keep to are the rules of `src/contract`. */
import { readdirSync, readFileSync } from 'node:fs';
import { isInterfaceType, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { printSchemaText, schema } from '../../src/graphql/index.ts';

describe('the schema', () => {
  test('schema/schema.graphql is true to the code', () => {
    const written = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
    expect(printSchemaText(), 'run: npm run schema').toBe(written);
  });

  test('an error has a message and a code', () => {
    const shape = schema.getType('Error');
    expect(
      isInterfaceType(shape) &&
        Object.values(shape.getFields())
          .map((f) => `${f.name}: ${f.type}`)
          .toSorted(),
    ).toEqual(['code: ErrorCode!', 'message: String!']);
  });

  const operations = new URL('../../schema/operations/', import.meta.url);
  test.each(readdirSync(operations))('%s is valid', (file) => {
    expect(validate(schema, parse(readFileSync(new URL(file, operations), 'utf8')))).toEqual([]);
  });
});
