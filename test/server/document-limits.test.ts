import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/index.ts';
import { findExcess } from '../../src/server/document-limits.ts';
import {
  mostAliases,
  mostDepth,
  mostDirectives,
  mostFields,
  mostRootFields,
} from '../../src/server/limits.ts';
import { createTestServer, get, post } from './gateway.ts';

/** `n` times what the function says of 0, 1, 2 … */
const many = (n: number, print: (index: number) => string): string =>
  Array.from({ length: n }, (_, index) => print(index)).join(' ');

/** Fields inside fields, `levels` of them in all; only their shape matters here. */
const deep = (levels: number): string => `${many(levels - 1, () => 'node {')} id ${'}'.repeat(levels - 1)}`;

/** Each fragment spreads the next one twice: 2^n fields of the last. */
const doubling = (n: number, spread: (next: string) => string): string =>
  `{ ...F0 } ${many(n, (i) => `fragment F${i} on Query { ${spread(`F${i + 1}`)} }`)} fragment F${n} on Query { x: __typename }`;

const rows: readonly (readonly [name: string, document: string, code: string | null])[] = [
  ['as deep as may be', `{ ${deep(mostDepth)} }`, null],
  ['a level deeper', `{ ${deep(mostDepth + 1)} }`, 'TOO_DEEP'],
  ['500 levels', `{ ${deep(500)} }`, 'TOO_DEEP'],
  [
    'depth that hides in fragments',
    `{ ${many(10, () => 'node {')} ...Deep ${'}'.repeat(10)} } fragment Deep on Query { ${deep(10)} }`,
    'TOO_DEEP',
  ],
  ['depth that hides in inline fragments', `{ ... { ... @include(if: true) { ${deep(17)} } } }`, 'TOO_DEEP'],
  ['as many aliases as may be', `{ node { ${many(mostAliases, (i) => `a${i}: id`)} } }`, null],
  ['an alias more', `{ node { ${many(mostAliases + 1, (i) => `a${i}: id`)} } }`, 'TOO_MANY_ALIASES'],
  [
    'an alias bomb of fragments',
    doubling(20, (next) => `a: gateway { ...${next} } b: gateway { ...${next} }`),
    'TOO_MANY_ALIASES',
  ],
  ['as many root fields as may be', `{ ${many(mostRootFields, () => 'gateway { version }')} }`, null],
  [
    'a root field more, in a fragment',
    `{ ${many(mostRootFields, () => 'gateway { version }')} ...More } fragment More on Query { __typename }`,
    'TOO_MANY_ROOT_FIELDS',
  ],
  ['as many directives as may be', `{ gateway ${many(mostDirectives, () => '@skip(if: false)')} }`, null],
  [
    'a directive more, on the operation',
    `query @a { gateway ${many(mostDirectives, () => '@skip(if: false)')} }`,
    'TOO_MANY_DIRECTIVES',
  ],
  [
    'directives on spreads, doubled',
    doubling(10, (next) => `...${next} @skip(if: true) ...${next} @skip(if: true)`),
    'TOO_MANY_DIRECTIVES',
  ],
  ['wide', `{ gateway { ${many(mostFields - 1, () => 'version')} } }`, null],
  ['a field wider', `{ gateway { ${many(mostFields, () => 'version')} } }`, 'TOO_MANY_FIELDS'],
  [
    'fields that double, 200 times',
    doubling(200, (next) => `gateway { ...${next} } gateway { ...${next} }`),
    'TOO_MANY_FIELDS',
  ],
  [
    'fragments in a circle are not ours',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    null,
  ],
  ['a fragment that is not there is not ours', '{ ...A }', null],
  ['no operation', 'fragment A on Query { gateway { version } }', null],
  [
    'an operation of several, whichever is asked',
    `query A { gateway { version } } query B { ${deep(17)} }`,
    'TOO_DEEP',
  ],
];

describe('what a document may ask', () => {
  test.each(rows)('%s', (_name, document, code) => {
    const startedAt = performance.now();
    const faults = findExcess(schema, parse(document), { isIntrospectionOn: true });
    expect(performance.now() - startedAt).toBeLessThan(500);
    const found = faults.map(({ extensions }) => extensions.code);
    if (code === null) expect(found).toEqual([]);
    else expect(found).toContain(code);
    for (const { extensions, message } of faults) {
      expect(extensions.limit).toEqual(expect.any(Number));
      expect(message.length).toBeLessThan(200);
    }
  });

  test('over HTTP it is the only thing said, and the rules of GraphQL never see the document', async () => {
    const { server, world } = createTestServer();
    const bomb = `{ ${many(60, (i) => `a${i}: email(address: "u${i}@mail.test") { verification { status } }`)} nothing }`;
    const startedAt = performance.now();
    const response = await post(server, { query: bomb }, { accept: 'application/json' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const { data, errors } = (await response.json()) as never as {
      data?: unknown;
      errors: { extensions: Record<string, unknown> }[];
    };
    expect([response.status, data]).toEqual([200, undefined]);
    expect(errors.map(({ extensions }) => [extensions.code, extensions.limit])).toEqual([
      ['TOO_MANY_ALIASES', mostAliases],
      ['TOO_MANY_ROOT_FIELDS', mostRootFields],
    ]);
    expect(world.prober.probed).toEqual([]);
    const strict = await post(server, { query: bomb }, { accept: 'application/graphql-response+json' });
    expect(strict.status).toBe(400);
  });

  test('2,000 tokens of fields that each could conflict with each are not compared for ever', async () => {
    const { server } = createTestServer();
    const query = `{ ${many(19, (i) => `...F${i}`)} } ${many(19, (i) => `fragment F${i} on Query { gateway { ${many(40, () => 'version')} } }`)}`;
    const startedAt = performance.now();
    const response = await post(server, { query });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_COMPLEX' } }] });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test('a document of 4 MB is refused by its tokens', async () => {
    const { server } = createTestServer();
    const startedAt = performance.now();
    const response = await post(server, { query: `{ ${'gateway { version } '.repeat(190_000)} }` });
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'TOO_MANY_TOKENS', limit: 2_000 } }],
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('switches', () => {
  const introspection = '{ __schema { queryType { name } } __type(name: "Query") { name } }';

  test('introspection is on, and can be switched off', async () => {
    const open = await post(createTestServer().server, { query: introspection });
    expect(await open.json()).toMatchObject({ data: { __schema: { queryType: { name: 'Query' } } } });
    const { server } = createTestServer({ documents: { isIntrospectionOn: false } });
    const closed = (await (await post(server, { query: introspection })).json()) as {
      data?: unknown;
      errors: { extensions: { code: string } }[];
    };
    expect(closed.data).toBeUndefined();
    expect(closed.errors.map(({ extensions }) => extensions.code)).toEqual([
      'INTROSPECTION_OFF',
      'INTROSPECTION_OFF',
    ]);
    const typename = await post(server, { query: '{ __typename }' });
    expect(await typename.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('GraphiQL is on, and can be switched off', async () => {
    const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const { server } = createTestServer({ isGraphiqlOn: false });
    const closed = await get(server, '/graphql', asBrowser);
    expect([closed.status, await closed.json()]).toMatchObject([
      404,
      { errors: [{ extensions: { code: 'GRAPHIQL_OFF' } }] },
    ]);
    const query = await get(server, '/graphql?query={__typename}', { accept: 'application/json' });
    expect(await query.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test.each(['variables', 'extensions'])('%s in a URL that are no JSON', async (name) => {
    const response = await get(createTestServer().server, `/graphql?query={__typename}&${name}={"a":`, {
      accept: 'application/json',
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    ]);
  });
});
