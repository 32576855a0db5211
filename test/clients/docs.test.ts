/** docs/clients.md tells the truth: its code is what runs here, and its table has every code. */
import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, type GraphQLEnumType } from 'graphql';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const text = read('docs/clients.md');
const snippets = [...text.matchAll(/^\[(examples\/\S+\.ts)\]\(\.\.\/\1\):\n\n```ts\n(.*?)\n```$/gms)].map(
  ([, path = '', code = '']) => ({ path, code }),
);

describe('the code', () => {
  test.each(snippets)('$path is what the tests run', ({ path, code }) => {
    expect(code).toBe(read(path).trimEnd());
  });

  test('is all there, and nothing else', () => {
    const made = ['typed/introspection.d.ts', 'typed/print-introspection.ts'];
    const files = readdirSync(new URL('examples/', root), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts') && !made.includes(name));
    expect(snippets.map(({ path }) => path).toSorted()).toEqual(
      files.map((name) => `examples/${name}`).toSorted(),
    );
    expect(text.match(/^```ts$/gm)).toHaveLength(snippets.length);
  });
});

/** The members of a union of texts, as its source has them. */
const codesIn = (path: string, type: string): string[] => {
  const [, union = ''] = new RegExp(`export type ${type} =([^;]+);`).exec(read(path)) ?? [];
  return [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);
};

describe('the table of codes', () => {
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| .+ \| .+ \| .+ \|$/gm)].map(([, code = '']) => code);
  const errorCode = buildSchema(read('schema/schema.graphql')).getType('ErrorCode') as GraphQLEnumType;
  const sources = {
    'of requests': codesIn('src/server/fault.ts', 'RequestFaultCode'),
    'of resolvers': codesIn('src/graphql/refusal.ts', 'RefusalCode'),
    'of mutations': errorCode.getValues().map(({ name }) => name),
  };

  test.each(Object.entries(sources))('has all codes %s', (_name, codes) => {
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !rows.includes(code))).toEqual([]);
  });

  test('is sorted, with one row for each', () => {
    expect(rows).toEqual([...new Set(rows)].toSorted());
  });
});
